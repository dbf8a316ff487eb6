--- Small readers of decoded JSON, with the dialect's leniencies: "5" is a number, one thing is
-- a list of one.
-- @module blip.query.read
local fail = require "blip.fail"
local json = require "runtime.json"
local problem = require "blip.query.problem"

local read = {}

--- Whether a value is an object.
function read.is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

--- The name of a value's kind as the dialect's reader calls it.
function read.token(value)
  if value == json.null then return "VALUE_NULL" end
  local kind = type(value)
  if kind == "table" then return json.is_array(value) and "START_ARRAY" or "START_OBJECT" end
  return kind == "string" and "VALUE_STRING" or kind == "boolean" and "VALUE_BOOLEAN" or "VALUE_NUMBER"
end

--- A value as an error shows it.
function read.show(value)
  return type(value) == "string" and value or json.encode(value)
end

--- An object's keys in order.
function read.keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- A list, of the value itself when it is none; null is an empty one.
function read.list(value)
  if value == nil or value == json.null then return {} end
  return type(value) == "table" and json.is_array(value) and value or { value }
end

--- A whole number, also written as text; nil and the dialect's error otherwise.
function read.integer(value)
  local n = type(value) ~= "boolean" and math.tointeger(tonumber(value))
  if n and n > -2^31 and n < 2^31 then return n end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(read.show(value)) }
end

--- A number, also written as text; nil and the dialect's error otherwise.
function read.number(value)
  local n = type(value) ~= "boolean" and tonumber(value)
  if n then return n end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(read.show(value)) }
end

--- Truth, also written as text; nil when it is neither.
function read.boolean(value)
  if value == true or value == "true" then return true end
  if value == false or value == "false" then return false end
  return nil
end

--- Kinds of options; an option means the same wherever it stands. Those not listed may be anything
-- that their reader makes sense of.
local KIND = {}
for kind, names in pairs {
  text = [[field format time_zone operator default_operator default_field df analyzer path relation type
    execution_hint collect_mode missing_order index]],
  scalar = [[missing gt gte lt lte from to boost minimum_should_match interval fixed_interval
    calendar_interval offset size min_doc_count sigma other_bucket_key slop prefix wildcard id mask key]],
  boolean = [[keyed case_insensitive missing_bucket other_bucket show_term_doc_count_error include_lower
    include_upper]],
  object = "after extended_bounds hard_bounds",
} do
  for name in names:gmatch "%S+" do KIND[name] = kind end
end

local FITS = {
  text = function(value) return type(value) == "string" end,
  scalar = function(value) return type(value) ~= "table" end,
  boolean = function(value) return read.boolean(value) ~= nil end,
  object = read.is_object,
}

--- Checks one option's kind. An option that is null counts as not there, and is taken out.
function read.check_kind(object_name, object, key)
  local value, kind = object[key], KIND[key]
  if not kind then return true end
  if value == json.null then
    object[key] = nil
  elseif not FITS[kind](value) then
    return problem.content("[1:1] [%s] %s doesn't support values of type: %s", object_name, key,
      read.token(value))
  end
  return true
end

--- Refuses options of an object that are not in a set of names, or of the wrong kind.
-- @return true, or nil and the dialect's error
function read.check_options(object_name, object, known)
  if not read.is_object(object) then
    return problem.parsing("[%s] must be an object, not a %s", object_name, read.token(object))
  end
  for _, key in ipairs(read.keys(object)) do
    if not known[key] then return problem.unknown_option(object_name, key) end
    local ok, err = read.check_kind(object_name, object, key)
    if not ok then return nil, err end
  end
  return true
end

--- A set of the names in a text, parted by blanks.
function read.set(names)
  local set = {}
  for name in names:gmatch "%S+" do set[name] = true end
  return set
end

local UNIT_MS = { nanos = 1e-6, micros = 1e-3, ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }

--- Minutes, hours, ... as milliseconds: "5m", "1.5h"; nil when it is none.
function read.duration_ms(text)
  local digits, unit = tostring(text):match "^([+-]?%d+%.?%d*)(%a+)$"
  local scale = unit and UNIT_MS[unit]
  return scale and math.floor(tonumber(digits) * scale)
end

return read
