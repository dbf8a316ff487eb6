--- Points in time as the search dialect writes them: `now-1d/d`, `2026-01-06||+1M/d`.
--
--     anchor   now, or a date and ||
--     steps    +1d  -3h  /d       units y M w d h H m s; / goes to the unit's beginning
--
-- @module blip.query.date_math
local calendar = require "blip.query.calendar"
local date_format = require "blip.query.date_format"
local fail = require "blip.fail"
local time = require "runtime.time"
local zone = require "blip.query.zone"

local date_math = {}

--- Units, and about how long they are.
local UNIT_MS = { y = 3.2e10, M = 2.7e9, w = 6.1e8, d = 8.7e7, h = 3.6e6, H = 3.6e6, m = 6e4, s = 1e3 }
local PARTS = { "month", "day", "hour", "minute", "second", "ms" }
local PART_UNIT = { month = "y", day = "M", hour = "d", minute = "h", second = "m", ms = "s" }

--- The last millisecond of the unit that a time lies in.
local function last_ms(ms, unit)
  return calendar.add(calendar.floor(ms, unit), 1, unit) - 1
end

--- UTC of parts written in a zone; with `up`, parts that are not named are the last ones.
local function anchor(t, options)
  if t.epoch_ms then return t.epoch_ms end
  local ms = calendar.time(t)
  if options.round_up then
    for _, part in ipairs(PARTS) do
      if not t[part] then
        ms = last_ms(ms, PART_UNIT[part])
        break
      end
    end
  end
  return t.offset_ms and ms - t.offset_ms or zone.to_utc(options.zone, ms)
end

--- Applies the steps of an expression to a time.
local function walk(ms, steps, options)
  local at = 1
  while at <= #steps do
    local sign, digits, unit = steps:match("^([+%-/])(%d*)(%a)", at)
    if not sign or not UNIT_MS[unit] or (sign == "/" and digits ~= "" and digits ~= "1") then
      return fail.invalid("unit [%s] not supported for date math [%s]", unit or steps:sub(-1), steps)
    end
    at = at + #sign + #digits + #unit
    local wall = zone.to_local(options.zone, ms)
    if sign == "/" then
      wall = options.round_up and last_ms(wall, unit) or calendar.floor(wall, unit)
    else
      local count = math.tointeger(tonumber(digits)) or 1
      if math.abs(wall) + count * UNIT_MS[unit] > date_format.FURTHEST_MS then
        return fail.invalid("date math [%s] leads too far", steps)
      end
      wall = calendar.add(wall, sign == "-" and -count or count, unit)
    end
    ms = zone.to_utc(options.zone, wall)
  end
  return ms
end

--- The point in time that a text or number names.
-- @param value a text, or milliseconds since 1970 (seconds where the format says so)
-- @tparam[opt] table options `format` of the anchor, `zone` it is written in and rounded in
-- (default UTC), `round_up` to take the last millisecond of what is left open or rounded,
-- `now` in milliseconds
-- @treturn integer milliseconds since 1970, or nil and an `invalid` error
function date_math.resolve(value, options)
  options = options or {}
  local text = math.type(value) == "float" and ("%.0f"):format(value) or tostring(value)
  local steps = text:match "^now(.*)$"
  if steps then return walk(options.now or time.now_ms(), steps, options) end
  local date, after = text:match "^(.-)||(.*)$"
  local t, err = date_format.read(date or text, options.format)
  if not t then return nil, err end
  local whole = date and { zone = options.zone } or options  -- steps decide what rounds up
  return walk(anchor(t, whole), after or "", options)
end

return date_math
