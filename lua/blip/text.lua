--- Numbers, times and durations as people read them.
-- @module blip.text
local time = require "runtime.time"

local text = {}

local function grouped(digits)
  local rest = #digits % 3
  local head = digits:sub(1, rest)
  local groups = digits:sub(rest + 1):gsub("%d%d%d", ",%0")
  return head == "" and groups:sub(2) or head .. groups
end

--- A number in at most four significant digits, more when its whole part has them.
--     39197 -> "39,197"    0.132 -> "0.132"    1234.56 -> "1,235"    6.02e23 -> "6.02e+23"
function text.number(x)
  if x ~= x then return "-" end
  local size = math.abs(x)
  if size ~= 0 and (size >= 1e15 or size < 1e-4) then return ("%.3g"):format(x) end
  local decimals = size >= 1000 and 0 or size == 0 and 0 or 3 - math.floor(math.log(size, 10))
  local digits = ("%." .. math.min(decimals, 7) .. "f"):format(size)
  local whole, fraction = digits:match "^(%d+)%.?(%d*)$"
  fraction = fraction:gsub("0+$", "")
  local sign = x < 0 and digits:find "[1-9]" and "-" or ""
  return sign .. grouped(whole) .. (fraction ~= "" and "." .. fraction or "")
end

--- A time as "2014-11-02 01:00"; with seconds when the interval is shorter than a minute.
-- @tparam integer ms since 1970
-- @tparam[opt] integer interval_ms between rows
function text.time(ms, interval_ms)
  local date, minutes, seconds = time.format(ms):match "^(.-)T(%d+:%d+):(%d+%.%d+)"
  if not date then return time.format(ms) end
  if (interval_ms or 60000) % 60000 == 0 then return date .. " " .. minutes end
  return ("%s %s:%s"):format(date, minutes, interval_ms % 1000 == 0 and seconds:sub(1, 2) or seconds)
end

--- "1 row", "2,500 rows".
function text.count(n, noun)
  return ("%s %s%s"):format(text.number(n), noun, n == 1 and "" or "s")
end

--- A number in few characters: "547M", "1.25k", "0.132".
function text.short(x)
  local size = math.abs(x)
  for _, unit in ipairs { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } } do
    if size >= unit[1] and size < 1e15 then return ("%.3g%s"):format(x / unit[1], unit[2]) end
  end
  return text.number(x)
end

local UNITS = { { "day", 86400000 }, { "hour", 3600000 }, { "minute", 60000 }, { "second", 1000 } }

--- A duration in its two largest units: "30 minutes", "7 days 15 hours", "1 second", "250 ms".
function text.duration(ms)
  local parts = {}
  for _, unit in ipairs(UNITS) do
    if ms >= unit[2] and #parts < 2 then
      parts[#parts + 1] = text.count(ms // unit[2], unit[1])
      ms = ms % unit[2]
    elseif #parts == 1 then
      break
    end
  end
  return #parts > 0 and table.concat(parts, " ") or ("%d ms"):format(ms)
end

return text
