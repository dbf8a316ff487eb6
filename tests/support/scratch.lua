--- Files of a spec, in a folder of their own that goes with it.
-- @module support.scratch
local scratch = {}
local Scratch = {}
Scratch.__index = Scratch

function scratch.new()
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "l"
  pipe:close()
  return setmetatable({ folder = folder }, Scratch)
end

--- Writes a file; returns its path.
function Scratch:write(name, content)
  local path = self.folder .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

function Scratch:remove()
  os.execute("rm -rf '" .. self.folder .. "'")
end

return scratch
