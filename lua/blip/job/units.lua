--- Lengths of time and sizes as jobs write them: `15m`, `1024mb`.
-- @module blip.job.units
local refuse = require "blip.job.refuse"

local MS = { nanos = 1e-6, micros = 1e-3, ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local DOWNWARD = { "d", "h", "m", "s", "ms" }
local BYTES = {
  b = 1, k = 1 << 10, kb = 1 << 10, m = 1 << 20, mb = 1 << 20, g = 1 << 30, gb = 1 << 30,
  t = 1 << 40, tb = 1 << 40, p = 1 << 50, pb = 1 << 50,
}
-- Beyond this a number of milliseconds is no whole number any more.
local MOST = 2 ^ 53

local units = {}

--- The milliseconds that a length of time stands for.
-- A number without a unit is refused, but for `0` and `-1`.
-- @tparam string text such as `90s`
-- @tparam string name what the refusal calls it
-- @treturn number whole where the text is; raises `illegal_argument_exception`
function units.time_ms(text, name)
  if text == "0" or text == "-1" then return math.tointeger(text) end
  local digits, unit = text:lower():match "^%s*(%-?%d+%.?%d*)%s*(%a+)%s*$"
  local factor = MS[unit]
  if not factor then
    refuse.argument("failed to parse setting [%s] with value [%s] as a time value: "
      .. "unit is missing or unrecognized", name, text)
  end
  local ms = (tonumber(digits) + 0.0) * factor -- whole numbers would wrap around
  if digits:find("%.") or math.abs(ms) > MOST then
    refuse.argument("failed to parse [%s], fractional time values are not supported", text)
  end
  return math.tointeger(ms) or ms
end

--- A length of time in the largest unit in which it is a whole number: 2592000000 is `30d`.
-- @tparam integer ms
function units.time_text(ms)
  if ms == 0 then return "0s" end
  for _, unit in ipairs(DOWNWARD) do
    if ms % MS[unit] == 0 then return ("%d%s"):format(ms // MS[unit], unit) end
  end
  return ("%dms"):format(ms)
end

--- The bytes that a size stands for; nil for what is no size.
-- @tparam string text such as `1gb`
function units.size(text)
  if text == "0" or text == "-1" then return math.tointeger(text) end
  local digits, unit = text:lower():match "^%s*(%-?%d+%.?%d*)%s*(%a+)%s*$"
  local bytes = BYTES[unit] and (tonumber(digits) + 0.0) * BYTES[unit]
  return bytes and math.abs(bytes) < 2 ^ 63 and math.tointeger(bytes // 1) or nil
end

--- The bytes that a size stands for.
-- @tparam string text such as `1gb`
-- @tparam string name what the refusal calls it
-- @treturn integer bytes; raises `parse_exception`
function units.bytes(text, name)
  local bytes = units.size(text)
  if not bytes then
    refuse.unreadable("failed to parse setting [%s] with value [%s] as a size in bytes: "
      .. "unit is missing or unrecognized", name, text)
  end
  return bytes
end

return units
