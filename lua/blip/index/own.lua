--- Indices that the server makes for its own documents.
-- @module blip.index.own
local catalog = require "blip.index.catalog"

local own = {}

--- Makes an index with a mapping that takes no further fields.
-- @tparam string name
-- @tparam table properties of the mapping
-- @tparam[opt] table aliases name -> options
-- @return true, also when it exists already; or nil and an error
function own.make(name, properties, aliases)
  if catalog.find(name) then return true end
  local ok, err = catalog.create(name, {
    mapping = { dynamic = "false", properties = properties },
    settings = { ["index.hidden"] = name:sub(1, 1) == "." and "true" or nil },
    aliases = aliases,
  })
  if ok or err.type == "resource_already_exists_exception" then return true end
  return nil, err
end

return own
