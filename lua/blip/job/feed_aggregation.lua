--- The aggregations of a datafeed: one histogram over time with what is to be told of its buckets
-- inside (elastic-ml.md 8.1).
-- @module blip.job.feed_aggregation
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local units = require "blip.job.units"

local HISTOGRAMS = { date_histogram = true, histogram = true, composite = true }
local CALENDAR_MS = {
  second = 1000, minute = 60000, hour = 3600000, day = 86400000, week = 604800000,
  ["1s"] = 1000, ["1m"] = 60000, ["1h"] = 3600000, ["1d"] = 86400000, ["1w"] = 604800000,
}

local feed_aggregation = {}

-- The aggregations below one, and its kind.
local function parts(definition)
  local kind, subs
  for key in pairs(definition) do
    if key == "aggs" or key == "aggregations" then
      subs = definition[key]
    elseif key ~= "meta" then
      kind = key
    end
  end
  return kind, definition[kind], subs or {}
end

-- The histogram and what is below it; single buckets around it are passed through.
local function find_histogram(definitions)
  local name, definition = next(definitions)
  if not name then refuse.argument "A date_histogram (or histogram) aggregation is required" end
  if next(definitions, name) then
    refuse.argument "The date_histogram (or histogram) aggregation cannot have sibling aggregations"
  end
  local kind, body, subs = parts(definition)
  if HISTOGRAMS[kind] then return kind, body, subs end
  return find_histogram(subs)
end

local function check_no_second(definitions)
  for _, definition in pairs(definitions) do
    local kind, _, subs = parts(definition)
    if HISTOGRAMS[kind] then
      refuse.argument "Aggregations can only have 1 date_histogram or histogram aggregation"
    end
    check_no_second(subs)
  end
end

local function has_max_of(field, definitions)
  for _, definition in pairs(definitions) do
    local kind, body = parts(definition)
    if kind == "max" and body.field == field then return true end
  end
  return false
end

-- The source of a composite aggregation that is a histogram over time.
local function date_source(body)
  local found
  for _, source in ipairs(body.sources or {}) do
    local _, definition = next(source)
    local histogram = type(definition) == "table" and definition.date_histogram
    if histogram and found then
      refuse.argument "Aggregations can only have 1 date_histogram or histogram aggregation"
    end
    found = found or histogram
  end
  return found or refuse.argument "A date_histogram (or histogram) aggregation is required"
end

local function interval_ms(kind, body)
  if kind == "histogram" then return math.tointeger(body.interval) or 0 end
  local text = body.fixed_interval or body.calendar_interval or body.interval
  if type(text) ~= "string" then
    refuse.argument "Invalid interval specified, must be non-null and non-empty"
  end
  if body.fixed_interval == nil and CALENDAR_MS[text] then return CALENDAR_MS[text] end
  if body.calendar_interval then
    refuse.argument("The date_histogram calendar interval [%s] is longer than a week and has no fixed length",
      text)
  end
  return units.time_ms(text, "interval")
end

--- What a datafeed's aggregations are about; raises the dialect's error for those that it cannot use.
-- @tparam table definitions the `aggregations` of the datafeed, known to be readable
-- @treturn table `interval_ms` of the histogram, its `field`, `is_composite`
function feed_aggregation.describe(definitions)
  local kind, body, subs = find_histogram(definitions)
  check_no_second(subs)
  local is_composite = kind == "composite"
  local histogram = is_composite and date_source(body) or body
  local interval = interval_ms(is_composite and "date_histogram" or kind, histogram)
  if interval <= 0 then refuse.argument "Aggregation interval must be greater than 0" end
  if not has_max_of(histogram.field, subs) then
    refuse.argument("Date histogram must have nested max aggregation for time_field [%s]",
      tostring(json.encode(histogram.field)):gsub('^"(.*)"$', "%1"))
  end
  return { interval_ms = interval, field = histogram.field, is_composite = is_composite }
end

return feed_aggregation
