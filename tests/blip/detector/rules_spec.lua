local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local frame = require "runtime.frame"
local rules = require "blip.detector.rules"

local function detector(list)
  return assert(definition.new {
    id = "d", origin = "rest", indices = { "logs" }, time_field = "ts", interval_ms = 60000, rules = list,
    features = { { name = "a", expr = aggregate.count() }, { name = "b", expr = aggregate.avg "x" } },
  })
end

-- One anomaly, blamed on feature a.
local function scored(values)
  local f = frame.new {
    { "f1" }, { "f2" }, { "grade" }, { "contribution_1" }, { "contribution_2" },
    { "expected_1" }, { "expected_2" }, { "past_1" }, { "past_2" },
  }
  local row = {
    f1 = 5, f2 = 5, grade = 0.9,
    contribution_1 = 0.8, contribution_2 = 0.2, expected_1 = 3, expected_2 = 3,
  }
  for key, value in pairs(values or {}) do row[key] = value end
  return f:append { row }
end

local function grade_under(list, values)
  local f = scored(values)
  rules.suppress(detector(list), f)
  return f:get(1, "grade")
end

local function over(feature) return { feature = feature, type = "ACTUAL_IS_OVER_EXPECTED" } end
local function below(feature) return { feature = feature, type = "ACTUAL_IS_BELOW_EXPECTED" } end

describe("blip.detector.rules", function()
  it("hand margins and ratios to the model", function()
    local ignored = rules.ignored(detector {
      { { feature = "a", type = "ACTUAL_OVER_EXPECTED_MARGIN", value = 3 } },
      { { feature = "b", type = "EXPECTED_OVER_ACTUAL_RATIO", value = 0.5 }, over "b" },
    })
    assert.same({ { above = 3 }, { below_ratio = 0.5 } }, ignored)
  end)

  it("are a ratio of 0.2 both ways when there are none", function()
    local both = { above_ratio = 0.2, below_ratio = 0.2 }
    assert.same({ both, both }, rules.ignored(detector(nil)))
    assert.same({ {}, {} }, rules.ignored(detector {}))
  end)

  it("take the grade of what they excuse", function()
    assert.equal(0, grade_under { { over "a" } })
    assert.equal(0.9, grade_under { { below "a" } })
  end)

  it("only look at the feature that is to blame", function()
    assert.equal(0.9, grade_under { { over "b" } })
  end)

  it("hold when one of them does, with all its conditions", function()
    assert.equal(0, grade_under { { below "a" }, { over "a" } })
    assert.equal(0.9, grade_under { { over "a", below "a" } })
  end)

  it("compare the past value when the anomaly lies in the past", function()
    assert.equal(0.9, grade_under({ { over "a" } }, { past_1 = 1 }))
    assert.equal(0, grade_under({ { below "a" } }, { past_1 = 1 }))
  end)

  it("leave an anomaly without expected values alone", function()
    assert.equal(0.9, grade_under({ { over "a" } }, { expected_1 = 0 / 0 }))
  end)
end)
