--- `blip check SCRIPT...`: says everything that is wrong with detector scripts.
-- @module blip.cli.check
local script = require "blip.detector.script"

local check = {}

local USAGE = [[
usage: blip check SCRIPT...

Reads detector scripts without running a detector, and says everything that is wrong with them,
one line each: file:line: what.

exit codes: 0 all are fine, 1 at least one is not, 2 the command line is wrong
]]

local function print_problems(err)
  for _, problem in ipairs(err.problems or {}) do
    io.stderr:write(script.describe(problem), "\n")
  end
  if not err.problems then io.stderr:write(err.reason, "\n") end
end

local function summary(loaded)
  local names = {}
  for i, d in ipairs(loaded.detectors) do names[i] = d.name end
  return ("%s: fine (%s)"):format(loaded.path, table.concat(names, ", "))
end

--- Checks every script that is named.
-- @tparam table args paths
-- @treturn integer the exit code
function check.main(args)
  if args[1] == "--help" then
    io.stdout:write(USAGE)
    return 0
  elseif #args == 0 or args[1]:sub(1, 1) == "-" then
    io.stderr:write(#args == 0 and "blip check: which script?\n"
      or ("blip check: unknown option '%s'\n"):format(args[1]), USAGE)
    return 2
  end
  local code = 0
  for _, path in ipairs(args) do
    local loaded, err = script.load(path)
    if loaded then
      print(summary(loaded))
    else
      print_problems(err)
      code = 1
    end
  end
  return code
end

return check
