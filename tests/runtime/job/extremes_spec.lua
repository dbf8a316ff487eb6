-- Records that nobody expects: the job goes on, and what it writes stays readable.
local engine = require "support.engine"
local job = require "runtime.job"

local FROM = 1500000000 - 1500000000 % 300
local FUNCTIONS = { "mean", "sum", "median", "min", "max", "varp", "metric", "high_mean", "non_null_sum" }

--- Every record has a probability and a score, every bucket a score; then the job can be saved.
local function assert_sane(j, config)
  for _, document in ipairs(engine.documents(j)) do
    if document.result_type == "bucket" then
      assert.is_true(document.anomaly_score >= 0 and document.anomaly_score <= 100)
    elseif document.result_type == "record" then
      assert.is_true(document.probability > 0 and document.probability <= 1)
      assert.is_true(document.record_score >= 0 and document.record_score <= 100)
    end
  end
  local bytes = j:save()
  assert.is_true(bytes == assert(job.load(engine.config(config), bytes)):save())
end

local function configured(name, over)
  return { influencers = { "host" }, model_plot = { enabled = true }, detectors = {
    { ["function"] = name, field = "value", by = not over and "host" or nil, over = over and "host" or nil },
  } }
end

describe("runtime.job with", function()
  for _, name in ipairs(FUNCTIONS) do
    it("values near the largest double, " .. name .. ", goes on", function()
      for _, over in ipairs { false, true } do
        local config = configured(name, over)
        local j = engine.new(config)
        local extremes = { 1e308, -1e308, 1e-308, 0, 1.7e308, -0.0, 1e154, 5 }
        local rows = engine.noise { buckets = 60, values = { "a", "b" }, change = function(row, bucket)
          if bucket > 30 then row.value = extremes[(bucket + #row.host) % #extremes + 1] end
        end }
        engine.post(j, rows)
        j:flush { calc_interim = true }
        assert_sane(j, config)
      end
    end)
  end

  it("values that are no numbers goes on without them", function()
    local config = configured("mean")
    local j = engine.new(config)
    local lines = {}
    for i = 0, 200 do
      local value = ({ '"NaN"', '"inf"', '"x"', "null", "[]", "1e999", "12" })[i % 7 + 1]
      lines[#lines + 1] = ('{"time":%d,"host":"a","value":%s}'):format(FROM + i * 60, value)
    end
    assert(j:post(table.concat(lines, "\n")))
    assert_sane(j, config)
  end)

  it("times in the year 9999 and before 1970 goes on", function()
    local config = configured("mean")
    local j = engine.new(config)
    for _, time in ipairs { -86400 * 365 * 60, -1, 0, 1, FROM, FROM + 1, 253402300799 } do
      engine.post(j, { { time = time, host = "a", value = 1 } })
      j:take_results()
    end
    assert_sane(j, config)
    assert.is_true(j:position_ms() > FROM * 1000)
  end)

  it("a clock that jumps ahead and back keeps its order", function()
    local config = configured("mean")
    local j = engine.new(config)
    engine.post(j, { { time = FROM, host = "a", value = 1 }, { time = FROM + 86400, host = "a", value = 1 } })
    local counts = engine.post(j, { { time = FROM + 60, host = "a", value = 1 } })
    assert.equal(1, counts.out_of_order_timestamp_count)
    assert.equal((FROM + 86400) * 1000, j:position_ms())
    assert.equal(288, #engine.only(engine.documents(j), "bucket"))
  end)

  it("very long values and names of fields goes on", function()
    local config = configured("count")
    local j = engine.new(config)
    for n = 0, 4 do
      engine.post(j, { { time = FROM + n * 300, host = ("x"):rep(1 << 18) .. n, value = 1 } })
    end
    assert_sane(j, config)
  end)
end)
