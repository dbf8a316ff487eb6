local anomaly = require "blip.result.anomaly"
local script = require "blip.detector.script"
local time = require "runtime.time"
local trial = require "blip.detector.trial"

-- The windows that the Numenta benchmark labels, with what happened there.
local EVENTS = {
  { "2014-10-30T15:30", "2014-11-03T22:30", "marathon and the end of summer time" },
  { "2014-11-25T12:00", "2014-11-29T19:00", "Thanksgiving" },
  { "2014-12-23T11:30", "2014-12-27T18:30", "Christmas" },
  { "2014-12-29T21:30", "2015-01-03T04:30", "New Year" },
  { "2015-01-24T20:30", "2015-01-29T03:30", "snow storm" },
}

-- What a detector finds in the rides, the highest grade first.
local function findings(path)
  local d, found = assert(script.load(path)).detectors[1], {}
  local ready = assert(trial.open(d, "detectors/demo/nyc_taxi.csv"))
  assert(trial.run(ready, function(frame)
    for _, each in ipairs(anomaly.rows(d, frame)) do found[#found + 1] = each end
  end))
  table.sort(found, function(a, b) return a.grade > b.grade end)
  return found
end

-- Asserts that every event's window holds one of some times.
local function holds_events(times)
  for _, event in ipairs(EVENTS) do
    local seen = false
    for _, at in ipairs(times) do seen = seen or (at >= event[1] and at <= event[2]) end
    assert.is_true(seen, event[3])
  end
end

describe("detectors/demo/taxi_seasonal", function()
  it("finds all five labelled events among its fifteen worst days", function()
    local times, days = {}, {}
    for _, found in ipairs(findings "detectors/demo/taxi_seasonal.lua") do
      local at = time.format(found.time)
      if not days[at:sub(1, 10)] and #times < 15 then times[#times + 1] = at end
      days[at:sub(1, 10)] = true
    end
    holds_events(times)
  end)
end)

describe("detectors/demo/taxi", function()
  it("finds all five labelled events among its ten highest grades", function()
    local times = {}
    for i, found in ipairs(findings "detectors/demo/taxi.lua") do
      if i <= 10 then times[i] = time.format(found.time) end
    end
    holds_events(times)
  end)
end)
