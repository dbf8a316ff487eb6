--- Indices that the server makes for its own documents.
-- @module blip.index.own
local catalog = require "blip.index.catalog"
local time = require "runtime.time"

local own = {}

local TRIES, WAIT_MS = 20, 25

-- Two workers that make an index at once are in each other's way until one of them has made it.
local function create(name, parts)
  local ok, err
  for _ = 1, TRIES do
    ok, err = catalog.create(name, parts)
    if ok or err.type == "resource_already_exists_exception" then return true end
    if err.kind ~= "conflict" then break end
    time.sleep_ms(WAIT_MS)
    if catalog.find(name) then return true end
  end
  return nil, err
end

--- Makes an index with a mapping that takes no further fields.
-- @tparam string name
-- @tparam table properties of the mapping
-- @tparam[opt] table aliases name -> options
-- @return true, also when it exists already; or nil and an error
function own.make(name, properties, aliases)
  if catalog.find(name) then return true end
  return create(name, {
    mapping = { dynamic = "false", properties = properties },
    settings = { ["index.hidden"] = name:sub(1, 1) == "." and "true" or nil },
    aliases = aliases,
  })
end

return own
