--- Mappings as users write them: checked, brought into one form, and merged.
-- @module blip.index.mapping_check
local fail = require "blip.fail"
local json = require "runtime.json"

local check = {}

local function set(...)
  local out = {}
  for _, list in ipairs { ... } do
    for word in list:gmatch "%S+" do out[word] = true end
  end
  return out
end

--- Hints about Elasticsearch's data structures. Blip has one form of column, so they mean nothing
-- here and are only shown again.
local HINTS = "type index doc_values store norms eager_global_ordinals index_options index_phrases "
  .. "index_prefixes fielddata fielddata_frequency_filter term_vector position_increment_gap similarity "
  .. "boost meta analyzer search_analyzer search_quote_analyzer normalizer split_queries_on_whitespace "
  .. "locale print_format skip_list "
local NUMBER = HINTS .. "coerce ignore_malformed fields"
local DATE = HINTS .. "format ignore_malformed fields"
local TEXT = HINTS .. "ignore_above fields"

--- What may be said about a field, by type.
local PARAMETERS = {
  long = set(NUMBER), integer = set(NUMBER), short = set(NUMBER), byte = set(NUMBER),
  unsigned_long = set(NUMBER), double = set(NUMBER), float = set(NUMBER), half_float = set(NUMBER),
  scaled_float = set(NUMBER, "scaling_factor"),
  boolean = set(HINTS, "fields ignore_malformed"), date = set(DATE), date_nanos = set(DATE),
  text = set(TEXT), match_only_text = set(TEXT), keyword = set(TEXT), wildcard = set(TEXT),
  constant_keyword = set(HINTS, "value"), ip = set(HINTS, "ignore_malformed fields"), binary = set(HINTS),
  geo_point = set(HINTS, "ignore_malformed ignore_z_value"), flat_object = set(HINTS, "depth_limit"),
  alias = set "type path", object = set "type properties dynamic enabled",
  nested = set "type properties dynamic enabled include_in_parent include_in_root",
}

local ROOT = set "properties dynamic date_detection numeric_detection _meta _source _routing enabled"

--- Types whose values lie alike: one column serves a field and its sub-fields.
local TEXTS = set "text match_only_text keyword wildcard"

local function parsing(format, ...)
  return fail.es { status = 400, type = "mapper_parsing_exception", reason = format:format(...) }
end

local function check_parameters(name, definition, type)
  local known = PARAMETERS[type]
  if not known then return parsing("No handler for type [%s] declared on field [%s]", type, name) end
  for parameter in pairs(definition) do
    if not known[parameter] then
      return parsing("unknown parameter [%s] on mapper [%s] of type [%s]", parameter, name, type)
    end
  end
  if type == "scaled_float" and not definition.scaling_factor then
    return parsing("Field [scaling_factor] is required")
  end
  return true
end

local function check_subfields(name, definition, type)
  for sub, inner in pairs(definition.fields or {}) do
    if inner.type == nil then return parsing("No type specified for field [%s]", sub) end
    local ok, err = check_parameters(sub, inner, inner.type)
    if not ok then return nil, err end
    if inner.type ~= type and not (TEXTS[type] and TEXTS[inner.type]) then
      return parsing("sub-field [%s] of type [%s] below field [%s] of type [%s] is not supported", sub,
        inner.type, name, type)
    end
  end
  return true
end

local check_properties

local function check_dynamic(definition)
  local value = definition.dynamic
  if value == nil then return true end
  value = tostring(value)
  if value == "true" or value == "false" or value == "strict" then return true end
  return parsing("Could not convert [%s.dynamic] to boolean", "_doc")
end

--- One field's definition in the form that is kept.
local function check_field(name, definition)
  if type(definition) ~= "table" or json.is_array(definition) then
    return parsing("Expected map for property [fields] on field [%s] but got a %s", name, type(definition))
  end
  local kind = definition.type
  if kind == nil and (definition.properties or definition.dynamic ~= nil or definition.enabled ~= nil) then
    kind = "object"
  end
  if kind == nil then return parsing("No type specified for field [%s]", name) end
  local ok, err = check_parameters(name, definition, kind)
  if ok then ok, err = check_subfields(name, definition, kind) end
  if ok then ok, err = check_dynamic(definition) end
  if not ok then return nil, err end
  local kept = {}
  for parameter, value in pairs(definition) do kept[parameter] = value end
  if kind == "object" then kept.type = nil end
  if definition.properties then
    kept.properties, err = check_properties(definition.properties)
    if not kept.properties then return nil, err end
  end
  return kept
end

--- Puts a field whose name has dots below the objects that they mean.
local function place(properties, name, definition)
  local head, rest = name:match "^([^.]+)%.(.+)$"
  if not head then
    properties[name] = definition
    return
  end
  properties[head] = properties[head] or { properties = {} }
  properties[head].properties = properties[head].properties or {}
  place(properties[head].properties, rest, definition)
end

function check_properties(properties)
  if type(properties) ~= "table" then return parsing "Expected map for property [properties]" end
  local kept = {}
  for name, definition in pairs(properties) do
    if name == "" then return fail.invalid "field name cannot be an empty string" end
    if name:find "^%.*$" or name:find "^%." or name:find "%.$" or name:find("..", 1, true) then
      return parsing("field name [%s] is empty in one of its parts", name)
    end
    local field, err = check_field(name, definition)
    if not field then return nil, err end
    place(kept, name, field)
  end
  return json.object(kept)
end

local function check_root(value)
  for key, inner in pairs(value) do
    if not ROOT[key] then
      if type(inner) == "table" and (inner.properties or key == "_doc") then
        return fail.invalid "The mapping definition cannot be nested under a type"
      end
      return parsing("Root mapping definition has unsupported parameters:  [%s : %s]", key,
        json.encode(inner))
    end
  end
  if type(value._source) == "table" and tostring(value._source.enabled) == "false" then
    return parsing "a mapping without [_source] is not supported"
  end
  return check_dynamic(value)
end

--- Checks a mapping.
-- @tparam table value `{ properties = ..., dynamic = ... }`
-- @return the mapping in the form that is kept, or nil and the dialect's error
function check.read(value)
  local ok, err = check_root(value)
  if not ok then return nil, err end
  local kept = {}
  for key, inner in pairs(value) do kept[key] = inner end
  if value.properties then
    kept.properties, err = check_properties(value.properties)
    if not kept.properties then return nil, err end
  end
  return kept
end

--- Wraps an error of @{check.read} as Elasticsearch does where it reads a whole mapping.
function check.explain(err)
  if err.type ~= "mapper_parsing_exception" then return err end
  local inner = { type = err.type, reason = err.reason }
  local _, outer = fail.es {
    status = 400, type = err.type, reason = "Failed to parse mapping [_doc]: " .. err.reason,
    root_cause = { inner }, caused_by = inner,
  }
  return outer
end

-- --- merging --------------------------------------------------------------------------------

--- Parameters that say what the stored values mean.
local FIXED = { "format", "scaling_factor", "path" }

local function is_object(definition)
  return definition.type == nil or definition.type == "object" or definition.type == "nested"
end

local merge_properties

local function merge_leaf(path, old, new)
  if old.type ~= new.type then
    return fail.invalid("mapper [%s] cannot be changed from type [%s] to [%s]", path, old.type, new.type)
  end
  for _, parameter in ipairs(FIXED) do
    if old[parameter] ~= new[parameter] then
      return fail.invalid("Mapper for [%s] conflicts with existing mapper:\n\tCannot update parameter [%s] "
        .. "from [%s] to [%s]", path, parameter, tostring(old[parameter]), tostring(new[parameter]))
    end
  end
  local fields = {}
  for name, sub in pairs(old.fields or {}) do fields[name] = sub end
  for name, sub in pairs(new.fields or {}) do fields[name] = sub end
  new.fields = next(fields) and fields or nil
  return new
end

local function merge_field(path, old, new)
  if is_object(old) ~= is_object(new) then
    return fail.invalid(is_object(new) and "can't merge a non object mapping [%s] with an object mapping"
      or "can't merge a non-nested mapping [%s] with a nested mapping", path)
  end
  if not is_object(old) then return merge_leaf(path, old, new) end
  local merged = {}
  for key, value in pairs(old) do merged[key] = value end
  for key, value in pairs(new) do merged[key] = value end
  local err
  merged.properties, err = merge_properties(path .. ".", old.properties or {}, new.properties or {})
  if not merged.properties then return nil, err end
  if not next(merged.properties) then merged.properties = nil end
  return merged
end

function merge_properties(prefix, old, new)
  local merged = {}
  for name, definition in pairs(old) do merged[name] = definition end
  for name, definition in pairs(new) do
    local err
    if old[name] then
      merged[name], err = merge_field(prefix .. name, old[name], definition)
      if not merged[name] then return nil, err end
    else
      merged[name] = definition
    end
  end
  return json.object(merged)
end

--- Adds a checked mapping to the one that an index has.
-- @tparam table old what `mapping.get(index).source` says
-- @tparam table new from @{check.read}
-- @return the merged mapping, or nil and the dialect's error
function check.merge(old, new)
  local merged = {}
  for key, value in pairs(old) do merged[key] = value end
  for key, value in pairs(new) do merged[key] = value end
  local err
  merged.properties, err = merge_properties("", old.properties or {}, new.properties or {})
  if not merged.properties then return nil, err end
  return merged
end

return check
