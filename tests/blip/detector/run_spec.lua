local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local new_frame = require "runtime.frame".new
local replay = require "blip.detector.replay"
local minutes = require "support.minutes"
local run = require "blip.detector.run"
local script = require "blip.detector.script"

local function detector(changes)
  local given = {
    id = "d1", origin = "rest", indices = { "spec-run" }, time_field = "ts", interval_ms = minutes.MINUTE,
    features = { { id = "fid", name = "cpu", expr = aggregate.avg "cpu" } },
    model = { kind = "forest", shingle = 4 },
  }
  for key, value in pairs(changes or {}) do given[key] = value end
  return assert(definition.new(given))
end

local SCRIPT = [[
  return detector "d1" {
    source = "spec-run", time = "ts", interval = "1m",
    model = forest { shingle = 4 },
    features = { feature("cpu", avg("cpu")) },
  }
]]

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

  it("grades a script as the same detector of the REST dialect", function()
    local scripted = assert(script.read(SCRIPT, "d1.lua")).detectors[1]
    local of_rest, of_script = grades(detector()), grades(scripted)
    assert.is_true(next(of_rest) ~= nil)
    for minute, grade in pairs(of_rest) do
      assert.is_true(math.abs(grade - (of_script[minute] or 0)) <= 1e-9, minute)
    end
  end)

  it("gives the same grades however many threads score", function()
    local many = detector { category = { "host" } }
    assert.same(grades(many, { threads = 1 }), grades(many, { threads = 4 }))
  end)

  it("takes any source that answers plans", function()
    local seen
    local source = { scan = function(plan)
      seen = plan
      return new_frame({ { "time", "int" }, { "rows", "int" }, { "f1" } }):append {
        { time = 0, rows = 1, f1 = 1 }, { time = 120000, rows = 2, f1 = 3 },
      }
    end }
    local r = assert(run.open(detector(), { source = source }))
    local scored = assert(r:stretch(0, 180000))
    assert.equal(3, #scored)
    assert.equal(0, scored:get(2, "rows"))
    assert.equal(180000, seen.time.to)
    assert.equal("f1", seen.features[1].name)
  end)

  it("gives the error of its source", function()
    local broken = { scan = function() return nil, { kind = "failed", reason = "gone" } end }
    local frames, err = replay.frames(detector(), 0, 1, { source = broken })
    assert.is_nil(frames)
    assert.equal("gone", err.reason)
  end)
end)
