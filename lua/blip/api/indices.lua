--- Routes that make, show, change and delete indices.
-- @module blip.api.indices
local access = require "blip.security.access"
local catalog = require "blip.index.catalog"
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local mapping_check = require "blip.index.mapping_check"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local settings = require "blip.index.settings"
local time = require "runtime.time"

local routes = {}

local EXPAND = { "ignore_unavailable", "allow_no_indices", "expand_wildcards" }
local WAIT = { "timeout", "master_timeout", "cluster_manager_timeout", "wait_for_active_shards", "local" }

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

local ACKNOWLEDGED = { acknowledged = true }

--- The names of the indices that a request means.
local function expand(request, options)
  options = options or {}
  return assert(names.expand(request.params.index or "_all", {
    ignore_unavailable = request:flag "ignore_unavailable",
    allow_no_indices = request:flag("allow_no_indices", true),
    expand_wildcards = request.query.expand_wildcards or options.expand_wildcards,
    no_aliases = options.no_aliases, kind = options.kind,
  }))
end

local function unreadable(caused_by)
  return assert(fail.es { status = 400, type = "parse_exception",
                          reason = "Failed to parse content to map", caused_by = caused_by })
end

--- A body that must be an object; what cannot be read is Elasticsearch's parse_exception.
local function read_object(request, options)
  local ok, body = pcall(request.json, request, options)
  if not ok then
    if fail.is(body) and body.type ~= "parse_exception" then
      return unreadable { type = body.type, reason = body.reason }
    end
    error(body, 0)
  end
  if body ~= nil and (type(body) ~= "table" or json.is_array(body)) then
    return unreadable()
  end
  return body
end

-- --- creating and deleting ------------------------------------------------------------------

local CREATE_KEYS = { settings = true, mappings = true, aliases = true }

local ALIAS_KEYS = { is_write_index = true, is_hidden = true, routing = true, index_routing = true,
                     search_routing = true, filter = true }

local function read_aliases(value)
  local aliases = {}
  for name, options in pairs(value or {}) do
    options = options == json.null and {} or options
    for key in pairs(options) do
      if not ALIAS_KEYS[key] then
        return assert(fail.invalid("an alias with [%s] is not supported", key))
      end
    end
    if options.filter then assert(dsl.query(options.filter)) end
    local kept = {}
    for key, option in pairs(options) do kept[key] = option end
    kept.index_routing = kept.index_routing or kept.routing
    kept.search_routing = kept.search_routing or kept.routing
    kept.routing = nil
    aliases[name] = json.object(kept)
  end
  return aliases
end

local function read_create(body)
  for key in pairs(body) do
    if not CREATE_KEYS[key] then
      return assert(fail.es { status = 400, type = "parse_exception",
                              reason = ("unknown key [%s] for create index"):format(key) })
    end
  end
  local flat = assert(settings.read(body.settings))
  local checked, err = mapping_check.read(body.mappings or {})
  if not checked then error(mapping_check.explain(err), 0) end
  return { settings = flat, mapping = checked, aliases = read_aliases(body.aliases) }
end

-- Names beside its own are given with the rights that it takes later as well.
local function check_aliases(index, aliases)
  assert(access.check("indices:admin/aliases", index))
  for alias in pairs(aliases) do assert(access.check("indices:admin/aliases", alias)) end
end

--- Creates an index.
routes["PUT /{index}"] = needs("indices:admin/create", function(request)
  request:allow(WAIT)
  local name = request.params.index
  assert(names.check(name))
  if catalog.alias(name) then
    assert(fail.es { status = 400, type = "invalid_index_name_exception", index = name, index_uuid = "_na_",
                     reason = ("Invalid index name [%s], already exists as alias"):format(name) })
  end
  local parts = read_create(read_object(request, { optional = true }) or {})
  if next(parts.aliases) then check_aliases(name, parts.aliases) end
  assert(catalog.create(name, parts))
  return reply.ok(json.ordered({ acknowledged = true, shards_acknowledged = true, index = name },
    { "acknowledged", "shards_acknowledged", "index" }))
end)

--- Deletes indices.
routes["DELETE /{index}"] = needs("indices:admin/delete", function(request)
  request:allow(joined(EXPAND, WAIT))
  for _, name in ipairs(expand(request, { no_aliases = true, expand_wildcards = "open,closed" })) do
    assert(catalog.delete(name))
  end
  return reply.ok(ACKNOWLEDGED)
end)

--- No index is not all indices.
routes["DELETE /"] = needs("indices:admin/delete", function()
  return fail.es { status = 400, type = "action_request_validation_exception",
                   reason = "Validation Failed: 1: index / indices is missing;" }
end)

-- --- showing --------------------------------------------------------------------------------

local function flag_settings(request, entry)
  local shown = settings.shown(entry)
  if request:flag "human" then
    shown["index.creation_date_string"] = time.format(entry.created_ms)
    shown["index.version.created_string"] = "3.6.0"
  end
  if request:flag "flat_settings" then return shown end
  return settings.nest(shown)
end

-- The other names of an index that the caller may see.
local function seen_aliases(entry)
  local seen = {}
  for alias, options in pairs(entry.aliases) do
    if access.may("indices:admin/aliases/get", alias) then seen[alias] = options end
  end
  return seen
end

--- Everything about indices.
routes["GET /{index}"] = needs("indices:admin/get", function(request)
  request:allow(joined(EXPAND, WAIT, { "flat_settings", "include_defaults" }))
  local answer = {}
  for _, name in ipairs(expand(request)) do
    local entry = catalog.find(name)
    answer[name] = json.ordered({
      aliases = json.object(seen_aliases(entry)), mappings = json.object(mapping.get(name).source),
      settings = flag_settings(request, entry),
    }, { "aliases", "mappings", "settings" })
  end
  return reply.ok(json.object(answer))
end)

routes["HEAD /{index}"] = routes["GET /{index}"]

local function get_mappings(request)
  request:allow(joined(EXPAND, WAIT))
  local answer = {}
  for _, name in ipairs(expand(request)) do
    answer[name] = { mappings = json.object(mapping.get(name).source) }
  end
  return reply.ok(json.object(answer))
end

--- The mappings of indices.
routes["GET /{index}/_mapping"] = needs("indices:admin/mappings/get", get_mappings)
routes["GET /{index}/_mappings"] = needs("indices:admin/mappings/get", get_mappings)
routes["GET /_mapping"] = needs("indices:admin/mappings/get", get_mappings)
routes["GET /_mappings"] = needs("indices:admin/mappings/get", get_mappings)

--- The definitions of all fields, sub-fields too, by path.
local function field_definitions(properties, prefix, out)
  for name, definition in pairs(properties or {}) do
    local path = prefix .. name
    if definition.type and not definition.properties then out[path] = definition end
    for sub, inner in pairs(definition.fields or {}) do out[path .. "." .. sub] = inner end
    field_definitions(definition.properties, path .. ".", out)
  end
  return out
end

local function get_field_mappings(request)
  request:allow(joined(EXPAND, WAIT, { "include_defaults" }))
  local answer = {}
  for _, index in ipairs(expand(request)) do
    local shown = {}
    for path, definition in pairs(field_definitions(mapping.get(index).source.properties, "", {})) do
      for wanted in request.params.fields:gmatch "[^,]+" do
        if path:find(names.pattern(wanted)) then
          shown[path] = { full_name = path, mapping = { [path:match "[^.]+$"] = definition } }
        end
      end
    end
    answer[index] = { mappings = json.object(shown) }
  end
  return reply.ok(json.object(answer))
end

local FIELDS = "indices:admin/mappings/fields/get"

--- The mappings of single fields.
routes["GET /_mapping/field/{fields}"] = needs(FIELDS, get_field_mappings)
routes["GET /{index}/_mapping/field/{fields}"] = needs(FIELDS, get_field_mappings)

-- --- changing -------------------------------------------------------------------------------

local function put_mapping(request)
  request:allow(joined(EXPAND, WAIT, { "write_index_only" }))
  local body = read_object(request)
  local checked, err = mapping_check.read(body)
  if not checked then error(mapping_check.explain(err), 0) end
  local merged = {}
  for _, name in ipairs(expand(request)) do
    merged[name] = assert(mapping_check.merge(mapping.get(name).source, checked))
  end
  for name, source in pairs(merged) do assert(catalog.change(name, { mapping = source })) end
  return reply.ok(ACKNOWLEDGED)
end

--- Adds fields to a mapping.
for _, path in ipairs { "/{index}/_mapping", "/{index}/_mappings", "/_mapping", "/_mappings" } do
  routes["PUT " .. path] = needs("indices:admin/mapping/put", put_mapping)
  routes["POST " .. path] = needs("indices:admin/mapping/put", put_mapping)
end

local function wanted_settings(flat, wanted)
  if not wanted or wanted == "_all" or wanted == "*" then return flat end
  local shown = {}
  for name, value in pairs(flat) do
    for pattern in wanted:gmatch "[^,]+" do
      if name:find(names.pattern(pattern)) then shown[name] = value end
    end
  end
  return shown
end

local function get_settings(request)
  request:allow(joined(EXPAND, WAIT, { "flat_settings", "include_defaults" }))
  local answer = {}
  for _, name in ipairs(expand(request)) do
    local shown = wanted_settings(settings.shown(catalog.find(name)), request.params.name)
    answer[name] = { settings = json.object(request:flag "flat_settings" and shown or settings.nest(shown)) }
  end
  return reply.ok(json.object(answer))
end

--- The settings of indices.
routes["GET /_settings"] = needs("indices:monitor/settings/get", get_settings)
routes["GET /_settings/{name}"] = needs("indices:monitor/settings/get", get_settings)
routes["GET /{index}/_settings"] = needs("indices:monitor/settings/get", get_settings)
routes["GET /{index}/_settings/{name}"] = needs("indices:monitor/settings/get", get_settings)

local function put_settings(request)
  request:allow(joined(EXPAND, WAIT, { "flat_settings", "preserve_existing" }))
  local body = read_object(request)
  local flat = assert(settings.read(body.settings or body, true))
  for _, name in ipairs(expand(request)) do
    local merged = {}
    for key, value in pairs(catalog.find(name).settings) do merged[key] = value end
    for key, value in pairs(flat) do
      if value == json.null then merged[key] = nil else merged[key] = value end
    end
    assert(catalog.change(name, { settings = merged }))
  end
  return reply.ok(ACKNOWLEDGED)
end

--- Changes settings.
routes["PUT /_settings"] = needs("indices:admin/settings/update", put_settings)
routes["PUT /{index}/_settings"] = needs("indices:admin/settings/update", put_settings)

-- --- opening and closing --------------------------------------------------------------------

local function set_closed(name, closed)
  local changed = {}
  for key, value in pairs(catalog.find(name).settings) do changed[key] = value end
  changed[settings.CLOSED] = closed and "true" or nil
  assert(catalog.change(name, { settings = changed }))
end

--- Closes indices: they keep their documents, and take and answer nothing.
routes["POST /{index}/_close"] = needs("indices:admin/close", function(request)
  request:allow(joined(EXPAND, WAIT))
  local closed = {}
  for _, name in ipairs(expand(request)) do
    set_closed(name, true)
    closed[name] = { closed = true }
  end
  return reply.ok(json.ordered({ acknowledged = true, shards_acknowledged = true,
    indices = json.object(closed) }, { "acknowledged", "shards_acknowledged", "indices" }))
end)

--- Opens closed indices.
routes["POST /{index}/_open"] = needs("indices:admin/open", function(request)
  request:allow(joined(EXPAND, WAIT, { "wait_for_completion", "task_execution_timeout" }))
  for _, name in ipairs(expand(request, { expand_wildcards = "closed" })) do set_closed(name, false) end
  return reply.ok { acknowledged = true, shards_acknowledged = true }
end)

-- --- nothing to do --------------------------------------------------------------------------

local function shards(request, allowed)
  request:allow(joined(EXPAND, allowed or {}))
  local count = #expand(request)
  return reply.ok { _shards = json.ordered({ total = count, successful = count, failed = 0 },
                                           { "total", "successful", "failed" }) }
end

local function flush(request)
  return shards(request, { "force", "wait_if_ongoing" })
end

--- What was answered can be searched and is on the disk, so these have nothing to do.
for _, path in ipairs { "/_refresh", "/{index}/_refresh" } do
  routes["POST " .. path] = needs("indices:admin/refresh", shards)
  routes["GET " .. path] = routes["POST " .. path]
end
for _, path in ipairs { "/_flush", "/{index}/_flush" } do
  routes["POST " .. path] = needs("indices:admin/flush", flush)
  routes["GET " .. path] = routes["POST " .. path]
end

return routes
