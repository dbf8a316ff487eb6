--- Lengths of time as detectors write them: `{"period":{"interval":5,"unit":"Minutes"}}`
-- (opensearch-ad.md 4.2).
-- @module blip.api.opensearch.periods
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"

-- What the parser takes for a unit of time, and how it is said; only two of them are supported.
local UNITS = {
  NANOS = "Nanos",
  MICROS = "Micros",
  MILLIS = "Millis",
  SECONDS = "Seconds",
  MINUTES = "Minutes",
  HOURS = "Hours",
  HALF_DAYS = "HalfDays",
  DAYS = "Days",
  WEEKS = "Weeks",
  MONTHS = "Months",
  YEARS = "Years",
  DECADES = "Decades",
  CENTURIES = "Centuries",
  MILLENNIA = "Millennia",
  ERAS = "Eras",
  FOREVER = "Forever",
}
local MILLISECONDS = { Seconds = 1000, Minutes = 60000 }

local periods = {}

--- A period of so many `Minutes` or `Seconds`.
function periods.new(interval, unit)
  return { period = json.ordered({ interval = interval, unit = unit }, { "interval", "unit" }) }
end

--- The period's length in milliseconds.
function periods.ms(period)
  return period.period.interval * MILLISECONDS[period.period.unit]
end

--- The period in words: `5 minutes`.
function periods.words(period)
  return ("%d %s"):format(period.period.interval, period.period.unit:lower())
end

local function unit_named(text)
  local name = text:upper()
  return UNITS[name] or refuse.argument("No enum constant java.time.temporal.ChronoUnit.%s", name)
end

local function read_period(reader)
  local interval, unit = 0, nil
  reader:each(function(name)
    if name == "interval" then
      interval = reader:long()
    elseif name == "unit" then
      unit = unit_named(reader:text())
    else
      reader:skip()
    end
  end)
  return interval, unit
end

--- Reads the period at which the reader stands.
-- @tparam string issue the field, for `_validate`
-- @tparam string label how a refusal of a negative number calls it, such as `Detection interval`
function periods.read(reader, issue, label)
  local interval, unit, kind
  reader:expect "START_OBJECT"
  reader:each(function(name)
    kind = name
    if name == "period" then
      reader:expect "START_OBJECT"
      interval, unit = read_period(reader)
    else
      reader:skip()
    end
  end)
  if kind ~= "period" then
    refuse.argument "Find no schedule definition"
  elseif interval < 0 then
    refuse.validation(issue, "%s must be a positive integer", label)
  elseif not MILLISECONDS[unit] then
    refuse.argument("Time unit %s is not supported", unit or "null")
  end
  return periods.new(interval, unit)
end

return periods
