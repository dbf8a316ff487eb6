--- The fields of an index, for queries and for GET _mapping; and changes that users ask for.
-- @module blip.index.mapping
local catalog = require "blip.index.catalog"
local json = require "runtime.json"
local store = require "runtime.store"

local mapping = {}

--- Mappings that this worker has read, by index: `{ catalog = version, own = version, ... }`.
local cache = {}

local function quote(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

--- Options of a field that a query may look at.
local function field_of(definition, column, list)
  return {
    type = definition.type, column = column, list = list, format = definition.format,
    ignore_above = definition.ignore_above, null_value = definition.null_value,
    index = definition.index, scaling_factor = definition.scaling_factor,
  }
end

--- Adds the field of a definition and those below it.
local function add_fields(read, prefix, properties)
  for name, definition in pairs(properties) do
    local path = prefix .. name
    local place = read.columns[path] or {}
    read.definitions[path] = definition
    if definition.properties or definition.type == "object" or definition.type == nil then
      read.objects[path] = definition
    end
    if definition.type == "alias" then
      read.aliases[path] = definition.path
    elseif place.column then
      read.fields[path] = field_of(definition, place.column, place.list)
      for sub, sub_definition in pairs(definition.fields or {}) do
        read.fields[path .. "." .. sub] = field_of(sub_definition, place.column, place.list)
      end
    end
    if definition.properties then add_fields(read, path .. ".", definition.properties) end
  end
end

local function read_columns(text)
  local columns = {}
  for _, column in ipairs(json.decode(text).columns) do
    local path, name, is_list = column[1], column[2], column[3]
    columns[path] = columns[path] or {}
    columns[path][is_list and "list" or "column"] = quote(name)
  end
  return columns
end

local function read_mapping(name, raw)
  local source = json.decode(raw.mapping)
  local read = {
    columns = read_columns(raw.columns), fields = {}, objects = {}, aliases = {}, definitions = {},
  }
  add_fields(read, "", source.properties or {})
  for alias, path in pairs(read.aliases) do read.fields[alias] = read.fields[path] end
  return { fields = read.fields, objects = read.objects, definitions = read.definitions, table = quote(name),
           source = source }
end

--- The mapping of an index.
-- @tparam string name of an index, not an alias
-- @treturn table `fields` (path to `{ type =, column =, list =, ignore_above =, format = }`, column
-- and list quoted for SQL), `objects` and `definitions` (path to what the mapping says), `table` (quoted
-- for SQL), `source` (what GET _mapping shows); or nil when there is no such index. Shared: nobody changes it
function mapping.get(name)
  local entry = cache[name]
  local version = catalog.version()
  if entry and entry.catalog == version then return entry.mapping end
  local raw = assert(store.connection()):mapping(name)
  if not raw then
    cache[name] = nil
    return nil
  end
  local info = catalog.find(name)
  local uuid = info and info.uuid
  if not entry or entry.own ~= raw.version or entry.uuid ~= uuid then
    entry = { own = raw.version, uuid = uuid, mapping = read_mapping(name, raw) }
    cache[name] = entry
  end
  entry.catalog = version
  return entry.mapping
end

return mapping
