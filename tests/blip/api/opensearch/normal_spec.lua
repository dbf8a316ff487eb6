-- luacheck: no max line length
local json = require "runtime.json"
local normal = require "blip.api.opensearch.normal"

local function node(text)
  return normal.aggregate(assert(json.decode(text)))
end

-- A stored detector with some fields changed.
local function stored(changes)
  local detector = {
    name = "orders",
    description = "",
    time_field = "ts",
    indices = { "orders" },
    filter_query = { match_all = { boost = 1.0 } },
    window_delay = { period = { interval = 30, unit = "Seconds" } },
    detection_interval = { period = { interval = 5, unit = "Minutes" } },
    shingle_size = 4,
    recency_emphasis = 100,
    history = 40,
    feature_attributes = {
      {
        feature_id = "id",
        feature_name = "amount",
        feature_enabled = true,
        aggregation_query = { x = { sum = { field = "amount" } } },
      },
    },
    rules = {},
  }
  for name, value in pairs(changes or {}) do
    detector[name] = value
  end
  return detector
end

describe("blip.api.opensearch.normal", function()
  it("makes a number of each single-value metric", function()
    for _, kind in ipairs { "avg", "sum", "min", "max", "value_count", "cardinality", "median_absolute_deviation" } do
      local made = node(('{"x":{"%s":{"field":"a"}}}'):format(kind))
      assert.same({ kind, "a" }, { made.op, made.field })
    end
  end)

  it("makes a mean whose weights are another field", function()
    local made = node '{"x":{"weighted_avg":{"weight":{"field":"n"},"value":{"field":"ms"}}}}'
    assert.same({ "weighted_avg", "ms", "n" }, { made.op, made.field, made.weight })
  end)

  it("takes the first of several percentiles, and a value for missing ones", function()
    assert.equal(95, node('{"x":{"percentiles":{"field":"a","percents":[95,99]}}}').percent)
    assert.equal(3, node('{"x":{"avg":{"field":"a","missing":3}}}').missing)
  end)

  it("looks only at the rows of a bucket around the metric", function()
    local made = node '{"x":{"filter":{"term":{"s":"paid"}},"aggregations":{"v":{"avg":{"field":"a"}}}}}'
    assert.same({ "avg", "term", "s", "paid" }, { made.op, made.filter.op, made.filter[1], made.filter[2] })
  end)

  it("names what Blip does not run", function()
    local cases = {
      ['{"x":{"avg":{"script":{"source":"1"}}}}'] = "[script] of aggregation [avg] is not supported",
      ['{"x":{"weighted_avg":{}}}'] = "[value] of aggregation [weighted_avg] must name a field",
      ['{"x":{"stats":{"field":"a"}}}'] = "aggregation [stats] is not supported",
      ['{"x":{"global":{},"aggregations":{"v":{"avg":{"field":"a"}}}}}'] = "aggregation [global] is not supported",
    }
    for query, reason in pairs(cases) do
      assert.equal(reason, select(2, node(query)).reason)
    end
  end)

  it("carries times, model, history and filter over", function()
    local d = assert(normal.definition("id", stored { filter_query = { term = { s = { value = "paid" } } } }, 3))
    assert.same({ 300000, 30000, 300000, 40, "3" }, { d.interval_ms, d.delay_ms, d.frequency_ms, d.history, d.version })
    assert.same({ "forest", 4, 100 }, { d.model.kind, d.model.shingle, d.model.recency })
    assert.equal("term", d.filter.op)
  end)

  it("leaves out features that are off and rules without conditions", function()
    local detector = stored { rules = { { action = "IGNORE_ANOMALY", conditions = {} } } }
    detector.feature_attributes[2] = {
      feature_id = "off",
      feature_name = "off",
      feature_enabled = false,
      aggregation_query = { x = { weighted_avg = {} } },
    }
    local d = assert(normal.definition("id", detector))
    assert.same({ 1, 0 }, { #d.features, #d.rules })
  end)

  it("carries imputation over", function()
    local d = assert(normal.definition("id", stored {
      imputation_option = { method = "FIXED_VALUES", default_fill = { { feature_name = "amount", data = 2.5 } } },
    }))
    assert.same({ method = "fixed", fixed = { amount = 2.5 } }, d.impute)
  end)
end)
