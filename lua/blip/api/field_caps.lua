--- The route that says what may be done with a field in each of several indices: _field_caps.
-- @module blip.api.field_caps
local fail = require "blip.fail"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"

local routes = {}

--- Types that cannot be sorted by and grouped by.
local NOT_AGGREGATABLE = { text = true, match_only_text = true, object = true, nested = true, binary = true }

local CONTAINERS = { object = true, nested = true }

local function is_off(value)
  return value ~= nil and tostring(value) == "false"
end

local function capabilities(definition)
  local kind = definition.type or "object"
  return {
    type = kind, meta = definition.meta, searchable = not CONTAINERS[kind] and not is_off(definition.index),
    aggregatable = not NOT_AGGREGATABLE[kind] and not is_off(definition.doc_values),
  }
end

--- Everything that an index has by path: fields, their sub-fields, and objects.
local function paths_of(properties, prefix, out)
  for name, definition in pairs(properties or {}) do
    local path = prefix .. name
    out[path] = capabilities(definition)
    for sub, inner in pairs(definition.fields or {}) do out[path .. "." .. sub] = capabilities(inner) end
    paths_of(definition.properties, path .. ".", out)
  end
  return out
end

local function matches(path, patterns)
  for _, pattern in ipairs(patterns) do
    if path:find(pattern) then return true end
  end
  return false
end

--- The wanted paths of an index, with the objects above them.
local function wanted_paths(all, patterns)
  local wanted = {}
  for path in pairs(all) do
    if matches(path, patterns) then
      wanted[path] = all[path]
      local above = path:match "^(.*)%."
      while above and all[above] do
        if CONTAINERS[all[above].type] then wanted[above] = all[above] end
        above = above:match "^(.*)%."
      end
    end
  end
  return wanted
end

--- Gathers what each type of each path says: `found[path][type]` is a list of
-- `{ index =, capabilities = }`.
local function gather(indices, patterns)
  local found = {}
  for _, index in ipairs(indices) do
    for path, one in pairs(wanted_paths(paths_of(mapping.get(index).source.properties, "", {}), patterns)) do
      found[path] = found[path] or {}
      found[path][one.type] = found[path][one.type] or {}
      table.insert(found[path][one.type], { index = index, capabilities = one })
    end
  end
  return found
end

--- Whether all of a list can do something; and which cannot, when others can.
local function agree(list, ability)
  local without = {}
  for _, one in ipairs(list) do
    if not one.capabilities[ability] then without[#without + 1] = one.index end
  end
  local mixed = #without > 0 and #without < #list
  return #without == 0, mixed and json.array(without) or nil
end

--- The values of `meta` over all indices, each once.
local function merge_meta(list)
  local merged = {}
  for _, one in ipairs(list) do
    for key, value in pairs(one.capabilities.meta or {}) do
      merged[key] = merged[key] or {}
      merged[key][value] = true
    end
  end
  for key, values in pairs(merged) do
    local sorted = {}
    for value in pairs(values) do sorted[#sorted + 1] = value end
    table.sort(sorted)
    merged[key] = json.array(sorted)
  end
  return next(merged) and merged or nil
end

local function index_list(list)
  local indices = {}
  for i, one in ipairs(list) do indices[i] = one.index end
  return json.array(indices)
end

local function describe(kind, list, several)
  local searchable, not_searchable = agree(list, "searchable")
  local aggregatable, not_aggregatable = agree(list, "aggregatable")
  return {
    type = kind, searchable = searchable, aggregatable = aggregatable,
    indices = several and index_list(list) or nil, non_searchable_indices = not_searchable,
    non_aggregatable_indices = not_aggregatable, meta = merge_meta(list),
  }
end

--- Adds the indices that lack a path as a type of its own.
local function add_unmapped(types, indices)
  local has, lacking = {}, {}
  for _, list in pairs(types) do
    for _, one in ipairs(list) do has[one.index] = true end
  end
  for _, index in ipairs(indices) do
    if not has[index] then
      lacking[#lacking + 1] = { index = index, capabilities = { searchable = false, aggregatable = false } }
    end
  end
  if #lacking > 0 then types.unmapped = lacking end
end

local function patterns_of(request)
  local patterns = {}
  for part in (request.query.fields or ""):gmatch "[^,]+" do patterns[#patterns + 1] = names.pattern(part) end
  if #patterns > 0 then return patterns end
  return assert(fail.es { status = 400, type = "action_request_validation_exception",
                          reason = "Validation Failed: 1: no fields specified;" })
end

local function field_caps(request)
  request:allow { "fields", "ignore_unavailable", "allow_no_indices", "expand_wildcards", "include_unmapped" }
  local body = request:json { optional = true }
  if body and next(body) then
    assert(fail.invalid("a body with [%s] is not supported", (next(body))))
  end
  local patterns = patterns_of(request)
  local indices = assert(names.expand(request.params.index or "_all", {
    ignore_unavailable = request:flag "ignore_unavailable",
    allow_no_indices = request:flag("allow_no_indices", true),
    expand_wildcards = request.query.expand_wildcards, refuse_closed = true,
  }))
  local fields = {}
  for path, types in pairs(gather(indices, patterns)) do
    if request:flag "include_unmapped" then add_unmapped(types, indices) end
    local several = next(types, (next(types))) ~= nil
    fields[path] = {}
    for kind, list in pairs(types) do fields[path][kind] = describe(kind, list, several) end
  end
  return reply.ok(json.ordered({ indices = json.array(indices), fields = json.object(fields) },
    { "indices", "fields" }))
end

--- What may be done with fields.
for _, path in ipairs { "/_field_caps", "/{index}/_field_caps" } do
  routes["GET " .. path] = needs("indices:data/read/field_caps", field_caps)
  routes["POST " .. path] = needs("indices:data/read/field_caps", field_caps)
end

return routes
