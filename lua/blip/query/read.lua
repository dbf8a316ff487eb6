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

--- An object's keys in order.
function read.keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- A list, of the value itself when it is none.
function read.list(value)
  if value == nil then return {} end
  return type(value) == "table" and json.is_array(value) and value or { value }
end

--- A whole number, also written as text; nil and the dialect's error otherwise.
function read.integer(value)
  local n = math.tointeger(tonumber(value))
  if n then return n end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(tostring(value)) }
end

--- A number, also written as text; nil and the dialect's error otherwise.
function read.number(value)
  local n = type(value) ~= "boolean" and tonumber(value)
  if n then return n end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(tostring(value)) }
end

--- Truth, also written as text; nil when it is neither.
function read.boolean(value)
  if value == true or value == "true" then return true end
  if value == false or value == "false" then return false end
  return nil
end

--- Refuses options of an object that are not in a list of names.
-- @return true, or nil and the dialect's error
function read.check_options(object_name, object, known)
  for _, key in ipairs(read.keys(object)) do
    if not known[key] then return problem.unknown_option(object_name, key) end
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
