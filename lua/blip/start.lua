--- What happens once when the server has started, and again when it reloads.
-- Both run as background jobs on some worker. Each line is a module with `start()` and, by
-- choice, `reload()`; one that fails is logged and does not keep the others from starting.
-- @module blip.start
local log = require "runtime.log"

local start = {}

local modules = {
  "blip.detector.resume",
  "blip.detector.library",
  "blip.job.resume",
  "blip.job.expiry",
}

local function each(func)
  for _, name in ipairs(modules) do
    local module = require(name)
    if module[func] then
      local ok, problem = xpcall(module[func], debug.traceback)
      if not ok then log.error("start_failed", { module = name, reason = tostring(problem) }) end
    end
  end
end

--- Starts everything that runs by itself.
function start.run()
  each("start")
end

--- Takes over a changed configuration and changed scripts.
function start.reload()
  each("reload")
end

return start
