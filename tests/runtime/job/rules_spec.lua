local engine = require "support.engine"

--- Rows of two hosts with host b ten times as high in bucket `at`.
local function planted(at, buckets)
  return engine.noise { buckets = buckets or at + 5, values = { "a", "b" }, change = function(row, bucket)
    if bucket == at and row.host == "b" then row.value = row.value * 10 end
  end }
end

local function mean(rules)
  return { ["function"] = "mean", field = "value", by = "host", rules = rules }
end

local function record_of(out, host, timestamp)
  for _, record in ipairs(out.record) do
    if record.by_field_value == host and record.timestamp == timestamp then return record end
  end
end

local function run(config, at, buckets)
  local rows, from = planted(at, buckets)
  local out = engine.run(engine.new(config), rows)
  return record_of(out, "b", (from + at * 300) * 1000), out, from
end

describe("runtime.job rules", function()
  it("hide a record whose actual value meets a condition", function()
    local rule = { conditions = { { applies_to = "actual", operator = "gt", value = 500 } } }
    assert.is_nil(run({ detectors = { mean { rule } } }, 100))
    rule.conditions[1].operator = "lt"
    assert.is_table(run({ detectors = { mean { rule } } }, 100))
  end)

  it("compare the difference from what is typical, in either direction", function()
    local function hidden(value)
      local rule = { conditions = { { applies_to = "diff_from_typical", operator = "gte", value = value } } }
      return run({ detectors = { mean { rule } } }, 100) == nil
    end
    assert.is_true(hidden(500))
    assert.is_false(hidden(5000))
  end)

  it("hold when all of their conditions do", function()
    local rule = { conditions = {
      { applies_to = "actual", operator = "gt", value = 500 },
      { applies_to = "time", operator = "lt", value = 1000 },
    } }
    assert.is_table(run({ detectors = { mean { rule } } }, 100))
  end)

  it("reach the values on a filter, or all others", function()
    local function hidden(items, filter_type)
      local rule = { scope = { host = { filter_id = "f", filter_type = filter_type } } }
      return run({ detectors = { mean { rule } }, filters = { f = items } }, 100) == nil
    end
    assert.is_true(hidden({ "x", "b" }, "include"))
    assert.is_false(hidden({ "x", "a" }, "include"))
    assert.is_false(hidden({ "b" }, "exclude"))
    assert.is_true(hidden({ "a" }, "exclude"))
  end)

  it("take a star at either end of an item for any text", function()
    local function matches(item)
      local rule = { scope = { host = { filter_id = "f" } } }
      return run({ detectors = { mean { rule } }, filters = { f = { item } } }, 100) == nil
    end
    assert.is_true(matches "*")
    assert.is_true(matches "b*")
    assert.is_true(matches "*b")
    assert.is_false(matches "a*")
    assert.is_false(matches "bb*")
  end)

  it("match nothing through a filter that does not exist", function()
    local rule = { scope = { host = { filter_id = "none" } } }
    assert.is_table(run({ detectors = { mean { rule } } }, 100))
  end)

  it("change from the next bucket on", function()
    local rows, from = planted(100, 105)
    local j = engine.new { detectors = { mean() } }
    engine.post(j, table.move(rows, 1, 99 * 10, 1, {}))
    local rule = { conditions = { { applies_to = "actual", operator = "gt", value = 500 } } }
    assert(j:update { rules = { { rule } } })
    engine.post(j, table.move(rows, 99 * 10 + 1, #rows, 1, {}))
    for _, record in ipairs(engine.only(engine.documents(j), "record")) do
      assert.are_not.equal((from + 100 * 300) * 1000, record.timestamp)
    end
  end)

  it("keep what an update does not name", function()
    local rows, from = planted(100, 105)
    local rule = { scope = { host = { filter_id = "f" } } }
    local j = engine.new { detectors = { mean { rule } }, filters = { f = { "a" } } }
    assert(j:update { filters = { f = { "b" } } })
    local out = engine.run(j, rows)
    assert.is_nil(record_of(out, "b", (from + 100 * 300) * 1000))
  end)

  it("keep a value from being learned, and its record", function()
    local function typical(actions)
      local rows = engine.noise { buckets = 200, values = { "b" }, change = function(row, bucket)
        if bucket >= 100 then row.value = row.value + 60 end
      end }
      local condition = { applies_to = "actual", operator = "gt", value = 130 }
      local rule = { actions = actions, conditions = { condition } }
      local out = engine.run(engine.new { detectors = { mean { rule } } }, rows)
      local last = out.record[#out.record]
      return last and last.typical[1], #out.record
    end
    local unlearned, records = typical { "skip_model_update" }
    assert.is_true(records > 90)
    assert.is_true(math.abs(unlearned - 100) < 5)
  end)

  it("refuse a scope over a field that the detector has not", function()
    local job = require "runtime.job"
    local rule = { scope = { region = { filter_id = "f" } } }
    local _, err = job.new(engine.config { detectors = { mean { rule } } })
    assert.equal("invalid", err.kind)
    assert.matches("region", err.reason)
  end)
end)

describe("runtime.job events", function()
  local function event(from, first, last, more)
    local e = { description = "sale", start_s = from + first * 300 + 10, end_s = from + last * 300 + 10 }
    for name, value in pairs(more or {}) do e[name] = value end
    return e
  end

  it("silence every bucket that they touch, and are named in it", function()
    local rows, from = planted(100)
    local out = engine.run(engine.new { detectors = { mean() }, events = { event(from, 99, 100) } }, rows)
    for _, record in ipairs(out.record) do
      local second = record.timestamp // 1000 - from
      assert.is_true(second < 99 * 300 or second >= 101 * 300)
    end
    for i, bucket in ipairs(out.bucket) do
      local inside = i - 1 == 99 or i - 1 == 100
      assert.same(inside and { "sale" } or nil, bucket.scheduled_events)
      if inside then assert.equal(0, bucket.anomaly_score) end
    end
  end)

  it("can be added while a job runs", function()
    local rows, from = planted(100)
    local j = engine.new { detectors = { mean() } }
    engine.post(j, table.move(rows, 1, 500, 1, {}))
    assert(j:update { events = { event(from, 100, 101) } })
    engine.post(j, table.move(rows, 501, #rows, 1, {}))
    for _, record in ipairs(engine.only(engine.documents(j), "record")) do
      assert.are_not.equal((from + 100 * 300) * 1000, record.timestamp)
    end
  end)

  it("may leave results as they are", function()
    local rows, from = planted(100)
    local shown = event(from, 100, 101, { skip_result = false })
    local j = engine.new { detectors = { mean() }, events = { shown } }
    assert.is_table(record_of(engine.run(j, rows), "b", (from + 100 * 300) * 1000))
  end)
end)
