--- Which indices there are, with their settings and aliases.
-- The store keeps them as JSON texts; here they are tables, read again only when the store says
-- that something changed.
-- @module blip.index.catalog
local fail = require "blip.fail"
local json = require "runtime.json"
local random = require "blip.index.uuid"
local store = require "runtime.store"
local time = require "runtime.time"

local catalog = {}

--- What this worker knows: the entries in the order of names, by name, and aliases by name.
local known = { version = nil, list = {}, by_name = {}, aliases = {} }

local function read_entry(info)
  return {
    name = info.name, uuid = info.uuid, created_ms = info.created_ms,
    settings = json.decode(info.settings), aliases = json.decode(info.aliases),
  }
end

local function add_aliases(aliases, entry)
  for alias, options in pairs(entry.aliases) do
    aliases[alias] = aliases[alias] or {}
    table.insert(aliases[alias], {
      index = entry.name, is_write_index = options.is_write_index, index_routing = options.index_routing,
      search_routing = options.search_routing, filter = options.filter,
    })
  end
end

local function refresh()
  local c = assert(store.connection())
  local version = c:indices_version()
  if version == known.version then return known end
  local fresh = { version = version, list = {}, by_name = {}, aliases = {} }
  for i, info in ipairs(c:indices()) do
    local entry = read_entry(info)
    fresh.list[i] = entry
    fresh.by_name[entry.name] = entry
    add_aliases(fresh.aliases, entry)
  end
  known = fresh
  return known
end

--- All indices in the order of names: `name`, `uuid`, `created_ms`, `settings` (flat, values are
-- strings), `aliases` (name to options).
function catalog.all()
  return refresh().list
end

--- The entry of an index, or nil.
function catalog.find(name)
  return refresh().by_name[name]
end

--- The indices behind an alias, `{ index =, is_write_index = }` each, or nil.
function catalog.alias(name)
  return refresh().aliases[name]
end

--- All aliases: name to what @{catalog.alias} gives.
function catalog.aliases()
  return refresh().aliases
end

--- Changes whenever an index, a mapping, a setting or an alias does.
function catalog.version()
  return assert(store.connection()):indices_version()
end

--- The error of an index that is not there.
-- @tparam string name
-- @tparam[opt="index_or_alias"] string kind what the name was taken for
-- @return nil, and the error
function catalog.missing(name, kind)
  return fail.es {
    status = 404, type = "index_not_found_exception", reason = ("no such index [%s]"):format(name),
    index = name, ["resource.id"] = name, ["resource.type"] = kind or "index_or_alias", index_uuid = "_na_",
  }
end

--- Creates an index.
-- @tparam string name checked before, see @{blip.index.names.check}
-- @tparam table parts `settings` (flat, strings), `aliases`, `mapping` (the checked table)
-- @return true, or nil and an error; a `conflict` when it exists
function catalog.create(name, parts)
  local existing = catalog.find(name)
  if existing then return catalog.exists_error(existing) end
  local ok, err = assert(store.connection()):create_index {
    name = name, uuid = random(), created_ms = time.now_ms(),
    settings = json.encode(json.object(parts.settings or {})),
    aliases = json.encode(json.object(parts.aliases or {})),
    mapping = json.encode(json.object(parts.mapping or {})),
  }
  if ok then return true end
  if err.kind == "conflict" and catalog.find(name) then return catalog.exists_error(catalog.find(name)) end
  return nil, err
end

--- The error of an index that exists already.
function catalog.exists_error(entry)
  return fail.es {
    status = 400, type = "resource_already_exists_exception",
    reason = ("index [%s/%s] already exists"):format(entry.name, entry.uuid),
    index = entry.name, index_uuid = entry.uuid,
  }
end

--- Deletes an index.
function catalog.delete(name)
  local ok, err = assert(store.connection()):delete_index(name)
  if ok or err.kind ~= "not_found" then return ok, err end
  return catalog.missing(name)
end

--- Replaces settings, aliases or the mapping of an index; parts as in @{catalog.create}.
function catalog.change(name, parts)
  local texts = {}
  for part, value in pairs(parts) do texts[part] = json.encode(json.object(value)) end
  return assert(store.connection()):change_index(name, texts)
end

return catalog
