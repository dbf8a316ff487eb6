--- Who answers plans: `source.of(definition.source)` gives something with `scan(plan)`.
-- @module blip.source
local fail = require "blip.fail"

local source = {}

local loaded = { store = "blip.source.store", file = "blip.source.file" }

--- The source of a name, "store" when nil.
-- @return a table with `scan(plan) -> frame | nil, err`, or nil and an `invalid` error
function source.of(name)
  local module = loaded[name or "store"]
  if not module then return fail.invalid("unknown source '%s'", tostring(name)) end
  return require(module)
end

return source
