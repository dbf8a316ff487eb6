local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"

local function given(changes)
  local d = {
    id = "d", origin = "rest", indices = { "logs" }, time_field = "ts", interval_ms = 60000,
    features = {
      { name = "a", expr = aggregate.count() },
      { id = "f2", name = "b", expr = aggregate.avg "x" },
    },
  }
  for key, value in pairs(changes or {}) do d[key] = value end
  return d
end

local function refused(changes)
  local d, err = definition.new(given(changes))
  assert.is_nil(d)
  assert.equal("invalid", err.kind)
  return err.reason
end

describe("blip.detector.definition", function()
  it("fills in what a REST detector leaves out", function()
    local d = assert(definition.new(given()))
    assert.equal("forest", d.model.kind)
    assert.equal(8, d.model.shingle)
    assert.equal(40, d.history)
    assert.equal(60000, d.frequency_ms)
    assert.equal("missing", d.empty)
    assert.is_false(d.aligned)
    assert.same({ "a", "f2" }, { d.features[1].id, d.features[2].id })
    assert.is_true(definition.is_single(d))
  end)

  it("gives a forest the rules of the plugin, unless there are others", function()
    local d = assert(definition.new(given()))
    assert.same({ feature = "b", type = "EXPECTED_OVER_ACTUAL_RATIO", value = 0.2 }, d.rules[2][2])
    assert.same({}, assert(definition.new(given { rules = {} })).rules)
  end)

  it("fills in what a script leaves out", function()
    local d = assert(definition.new(given { origin = "script" }))
    assert.equal("ensemble", d.model.kind)
    assert.equal("value", d.empty)
    assert.is_true(d.aligned)
    assert.same({}, d.rules)
  end)

  it("sorts category fields and leaves what it was given alone", function()
    local category = { "service", "region" }
    local d = assert(definition.new(given { category = category }))
    assert.same({ "region", "service" }, d.category)
    assert.same({ "service", "region" }, category)
    assert.is_false(definition.is_single(d))
  end)

  it("names what is wrong", function()
    assert.equal("detector 'd': a category field cannot be called 'grade'",
      refused { category = { "grade" } })
    assert.equal("detector 'd' has no time field", refused { time_field = "" })
    assert.equal("detector 'd': indices must name at least one", refused { indices = {} })
    assert.equal("detector 'd': the interval must be above 0, not 0", refused { interval_ms = 0 })
    assert.equal("detector 'd': the delay must not be -1", refused { delay_ms = -1 })
    assert.equal("detector 'd': the frequency must be a multiple of the interval",
      refused { frequency_ms = 90000 })
    assert.equal("detector 'd' needs 1 to 64 features", refused { features = {} })
    assert.equal("detector 'd': there is no model 'oracle'", refused { model = { kind = "oracle" } })
    assert.equal("detector 'd': there is no imputation 'magic'", refused { impute = { method = "magic" } })
    assert.equal("detector 'd': no value is given for a missing 'b'",
      refused { impute = { method = "fixed", fixed = { a = 1 } } })
    assert.equal("detector 'd': a rule names the feature 'c'", refused { rules = { { { feature = "c" } } } })
    assert.equal("detector 'd': a rule has the type 'WORSE'",
      refused { rules = { { { feature = "a", type = "WORSE" } } } })
  end)

  it("names the feature that is wrong", function()
    assert.equal("feature 'a' has no aggregation", refused { features = { { name = "a" } } })
    assert.equal("feature 'a' is a function without inputs",
      refused { features = { { name = "a", compute = print } } })
    assert.equal("detector 'd' has two features 'a'",
      refused { features = { given().features[1], given().features[1] } })
  end)
end)
