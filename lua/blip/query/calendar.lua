--- Days, months and years of the proleptic Gregorian calendar, in UTC milliseconds since 1970.
-- @module blip.query.calendar
local calendar = {}

local DAY_MS = 86400000

--- Milliseconds of the units that always last as long.
calendar.FIXED_MS = {
  ms = 1, s = 1000, m = 60000, h = 3600000, H = 3600000, d = DAY_MS, w = 7 * DAY_MS,
}

--- Days since 1970 of a date. Months beyond 1 to 12 carry into the year.
-- Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
function calendar.days(year, month, day)
  year = year + (month - 1) // 12
  month = (month - 1) % 12 + 1
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local year_of_era = year - era * 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
end

--- Year, month and day of a number of days since 1970.
function calendar.date(days)
  days = days + 719468
  local era = days // 146097
  local day_of_era = days - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local shifted_month = (5 * day_of_year + 2) // 153
  local month = shifted_month + (shifted_month < 10 and 3 or -9)
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return year, month, day_of_year - (153 * shifted_month + 2) // 5 + 1
end

--- How many days a month has.
function calendar.month_days(year, month)
  return calendar.days(year, month + 1, 1) - calendar.days(year, month, 1)
end

--- Milliseconds of a point in time; month and the rest default to the first, or to zero.
-- @tparam table t `year`, `month`, `day`, `hour`, `minute`, `second`, `ms`
function calendar.time(t)
  local days = calendar.days(t.year, t.month or 1, t.day or 1)
  return days * DAY_MS + (t.hour or 0) * 3600000 + (t.minute or 0) * 60000 + (t.second or 0) * 1000
    + (t.ms or 0)
end

--- The parts of a point in time, as @{time} takes them, and `weekday` (1 = Monday).
function calendar.parts(ms)
  local days, of_day = ms // DAY_MS, ms % DAY_MS
  local year, month, day = calendar.date(days)
  return {
    year = year, month = month, day = day, weekday = (days + 3) % 7 + 1,
    hour = of_day // 3600000, minute = of_day // 60000 % 60, second = of_day // 1000 % 60,
    ms = of_day % 1000,
  }
end

--- The first of a month, `count` months on.
local function month_start(ms, count, step)
  local year, month = calendar.date(ms // DAY_MS)
  month = (month - 1) // step * step + 1
  return calendar.days(year, month + count, 1) * DAY_MS
end

--- The beginning of the unit (`y q M w d h m s`) that a time lies in.
function calendar.floor(ms, unit)
  if unit == "y" then return month_start(ms, 0, 12) end
  if unit == "q" then return month_start(ms, 0, 3) end
  if unit == "M" then return month_start(ms, 0, 1) end
  if unit == "w" then return (ms - 4 * DAY_MS) // (7 * DAY_MS) * 7 * DAY_MS + 4 * DAY_MS end
  local size = calendar.FIXED_MS[unit]
  return ms // size * size
end

--- A time plus a number of units; the 31st falls back to a shorter month's last day.
function calendar.add(ms, count, unit)
  local months = unit == "y" and 12 or unit == "q" and 3 or unit == "M" and 1
  if not months then return ms + count * calendar.FIXED_MS[unit] end
  local year, month, day = calendar.date(ms // DAY_MS)
  month = month + count * months
  day = math.min(day, calendar.month_days(year, month))
  return calendar.days(year, month, day) * DAY_MS + ms % DAY_MS
end

return calendar
