--- Calls what may raise, a user's script above all, and hands the error back as a value.
-- @module blip.attempt
local fail = require "blip.fail"
local log = require "runtime.log"

--- A text that was raised is a bug's: it gets a traceback.
local function with_traceback(problem)
  return type(problem) == "string" and debug.traceback(problem, 2) or problem
end

--- Calls f(...).
-- @return what it returns; or nil and the error that it raised, `failed` when it was a bug
return function(f, ...)
  local results = table.pack(xpcall(f, with_traceback, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = results[2]
  if fail.is(problem) then return nil, problem end
  log.error("bug", { reason = tostring(problem) })
  return fail.failed("%s", tostring(problem):match "[^\n]*")
end
