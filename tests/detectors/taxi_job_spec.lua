local job = require "runtime.job"
local json = require "runtime.json"
local series = require "runtime.series"
local time = require "runtime.time"

local START_S, SPAN_S, TWO_MONTHS = 1404172800, 1800, 62 * 48 -- 1 July 2014; half hours

-- The windows that the Numenta benchmark labels, with what happened there.
local EVENTS = {
  { "2014-10-30T15:30", "2014-11-03T22:30", "marathon and the end of summer time" },
  { "2014-11-25T12:00", "2014-11-29T19:00", "Thanksgiving" },
  { "2014-12-23T11:30", "2014-12-27T18:30", "Christmas" },
  { "2014-12-29T21:30", "2015-01-03T04:30", "New Year" },
  { "2015-01-24T20:30", "2015-01-29T03:30", "snow storm" },
}

local function rides()
  local values = {}
  for line in io.lines "detectors/demo/nyc_taxi.csv" do
    values[#values + 1] = tonumber(line:match "^[^,]+,([%d.]+)")
  end
  return values
end

-- The buckets of a job over all rides.
local function buckets(values)
  local j = assert(job.new {
    job_id = "taxi", bucket_span_s = SPAN_S, time_field = "timestamp", time_format = "epoch_ms",
    detectors = { { ["function"] = "high_mean", field = "value" },
      { ["function"] = "low_mean", field = "value" } },
  })
  local lines, found = {}, {}
  for i, value in ipairs(values) do
    lines[i] = ('{"timestamp":%d,"value":%d}'):format((START_S + (i - 1) * SPAN_S) * 1000, value)
  end
  assert(j:post(table.concat(lines, "\n")))
  assert(j:flush { advance_ms = (START_S + #values * SPAN_S) * 1000 })
  for line in j:take_results():gmatch "[^\n]+" do
    local document = json.decode(line)
    if document.result_type == "bucket" then found[#found + 1] = document end
  end
  return found
end

-- The worst bucket of each day, the worst days first.
local function days(found)
  table.sort(found, function(a, b) return a.anomaly_score > b.anomaly_score end)
  local seen, list = {}, {}
  for _, bucket in ipairs(found) do
    local day = bucket.timestamp // 86400000
    if not seen[day] then list[#list + 1] = time.format(bucket.timestamp) end
    seen[day] = true
  end
  return list
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

describe("a job over the taxi rides", function()
  it("finds all five labelled events among its ten highest-scored days", function()
    local list = days(buckets(rides()))
    for _, event in ipairs(EVENTS) do
      local seen = false
      for i = 1, 10 do seen = seen or (list[i] >= event[1] and list[i] <= event[2]) end
      assert.is_true(seen, event[3])
    end
  end)

  it("expects rides more exactly than the same half hour a week before", function()
    local values, model, week = rides(), {}, {}
    local s = series.new { bucket_span_s = SPAN_S }
    for i, value in ipairs(values) do
      local start_s = START_S + (i - 1) * SPAN_S
      s:learn { start_s = start_s, value = value }
      if i > #values - TWO_MONTHS then
        model[#model + 1] = math.abs(value - s:typical(start_s + SPAN_S / 2))
        week[#week + 1] = math.abs(value - values[i - 7 * 48])
      end
    end
    assert.is_true(median(model) < median(week), ("%g %g"):format(median(model), median(week)))
  end)
end)
