local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local replay = require "blip.detector.replay"
local minutes = require "support.minutes"

local function detector(changes)
  local given = {
    id = "d1", origin = "rest", indices = { "spec-run" }, time_field = "ts", interval_ms = minutes.MINUTE,
    features = { { id = "fid", name = "cpu", expr = aggregate.avg "cpu" } },
    model = { kind = "forest", shingle = 4 },
  }
  for key, value in pairs(changes or {}) do given[key] = value end
  return assert(definition.new(given))
end

-- time -> grade of every row with one
local function grades(d, options)
  local found, rows = {}, 0
  for frame in assert(replay.frames(d, minutes.START, minutes.START + 86400000, options)) do
    for row = 1, #frame do
      rows = rows + 1
      local grade = frame:get(row, "grade") or 0
      if grade > 0 then found[(frame:get(row, "time") - minutes.START) // minutes.MINUTE] = grade end
    end
  end
  return found, rows
end

describe("blip.detector.run", function()
  setup(function() minutes.load("spec-run", { minutes = 600, plant = { [500] = 45 } }) end)

  it("finds a planted anomaly, with forest and ensemble", function()
    local found, rows = grades(detector())
    assert.is_true((found[500] or 0) > 0.5)
    assert.equal(599, rows) -- the plugin's clip loses the last interval
    found = grades(detector { origin = "script", model = { kind = "ensemble" } })
    assert.is_true((found[500] or 0) > 0.5)
  end)
end)
