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

local UNITS = { { "day", 86400000 }, { "hour", 3600000 }, { "minute", 60000 }, { "second", 1000 } }

--- A duration in its largest fitting unit: "30 minutes", "1 hour", "90 seconds", "250 ms".
function text.duration(ms)
  for _, unit in ipairs(UNITS) do
    if ms >= unit[2] and ms % unit[2] == 0 then
      local count = ms // unit[2]
      return ("%d %s%s"):format(count, unit[1], count == 1 and "" or "s")
    end
  end
  return ("%d ms"):format(ms)
end

--- "1 row", "2,500 rows".
function text.count(n, noun)
  return ("%s %s%s"):format(text.number(n), noun, n == 1 and "" or "s")
end

return text
