--- The program under test, run as a user would.
-- @module support.program
local program = {}

local executable

--- The path of the binary that runs these specs.
function program.path()
  if not executable then
    local pipe = assert(io.popen "readlink /proc/$PPID/exe")
    executable = pipe:read "l"
    pipe:close()
  end
  return executable
end

--- Runs the program with a command line in the shell's words.
-- @tparam string words after the program's name; may redirect its input
-- @tparam[opt] string before what to put in front: variables, or a command and a pipe
-- @treturn integer its exit code
-- @treturn string what it wrote to standard output
-- @treturn string what it wrote to standard error
function program.run(words, before)
  local errors = os.tmpname()
  local pipe = assert(io.popen(("%s %s %s 2>%s"):format(before or "", program.path(), words, errors)))
  local output = pipe:read "a"
  local _, _, code = pipe:close()
  local file = assert(io.open(errors))
  local complaint = file:read "a"
  file:close()
  os.remove(errors)
  return code, output, complaint
end

return program
