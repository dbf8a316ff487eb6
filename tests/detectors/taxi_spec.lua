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

describe("detectors/demo/taxi", function()
  it("finds all five labelled events among its ten highest grades", function()
    local d, found = assert(script.load "detectors/demo/taxi.lua").detectors[1], {}
    local ready = assert(trial.open(d, "detectors/demo/nyc_taxi.csv"))
    assert(trial.run(ready, function(frame)
      for _, each in ipairs(anomaly.rows(d, frame)) do found[#found + 1] = each end
    end))
    table.sort(found, function(a, b) return a.grade > b.grade end)
    for _, event in ipairs(EVENTS) do
      local seen = false
      for i = 1, 10 do
        local at = time.format(found[i].time)
        seen = seen or (at >= event[1] and at <= event[2])
      end
      assert.is_true(seen, event[3])
    end
  end)
end)
