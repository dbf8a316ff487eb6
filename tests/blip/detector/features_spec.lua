local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local features = require "blip.detector.features"
local frame = require "runtime.frame"

local function detector(list, origin)
  return assert(definition.new {
    id = "d", origin = origin or "script", indices = { "logs" }, time_field = "ts", interval_ms = 60000,
    features = list,
  })
end

local function pressure(bucket)
  return bucket.calls and bucket.calls * 2 + (bucket.retries or 0)
end

local function computed()
  return detector {
    { name = "errors", expr = aggregate.count() },
    {
      name = "pressure",
      inputs = { calls = aggregate.count(), retries = aggregate.max "r" },
      compute = pressure,
    },
  }
end

describe("blip.detector.features", function()
  it("names columns by place, inputs by place and key", function()
    local names = {}
    for i, scanned in ipairs(features.scanned(computed())) do names[i] = scanned.name end
    assert.same({ "f1", "f2.calls", "f2.retries" }, names)
    assert.same({ "f1", "f2" }, features.columns(computed()))
  end)

  it("computes functions bucket by bucket; nil is no value", function()
    local f = frame.new { { "time", "int" }, { "f1" }, { "f2.calls" }, { "f2.retries" } }
    f:append { { time = 0, ["f2.calls"] = 3, ["f2.retries"] = 1 } }
    f:append { { time = 1, ["f2.calls"] = 4 }, { time = 2 } }
    assert(features.compute(computed(), f))
    assert.equal(7, f:get(1, "f2"))
    assert.equal(8, f:get(2, "f2"))
    assert.is_nil(f:get(3, "f2"))
  end)

  it("knows what an aggregate comes to over no rows", function()
    local count, sum = aggregate.count(), aggregate.sum "x"
    assert.equal(0, features.when_empty(count))
    assert.equal(3, features.when_empty(sum + 3))
    assert.is_nil(features.when_empty(aggregate.avg "x"))
    assert.is_nil(features.when_empty(count / count))
    assert.is_nil(features.when_empty(aggregate.avg "x" * 2))
  end)

  it("gives empty intervals values for scripts alone", function()
    local list = { { name = "n", expr = aggregate.count() }, { name = "a", expr = aggregate.avg "x" } }
    assert.same({ { "f1", 0 } }, features.empty_values(detector(list)))
    assert.same({}, features.empty_values(detector(list, "rest")))
  end)
end)
