-- What must not change the results of a job (elastic-model 14.5), and what interim results may say.
local engine = require "support.engine"

local WEEK = 7 * 86400

local function mean() return { ["function"] = "mean", field = "value", partition = "host" } end
local function sum() return { ["function"] = "sum", field = "value" } end

local function rows_of(change)
  return engine.noise { buckets = 120, values = { "a", "b" }, change = function(row, bucket)
    if bucket == 100 and row.host == "a" then row.value = row.value * 4 end
    if change then return change(row, bucket) end
  end }
end

--- What records say, in order, with times relative to the first bucket.
local function told(detector, rows)
  local out = engine.run(engine.new { detectors = { detector } }, rows)
  local list = {}
  for i, r in ipairs(out.record) do
    list[i] = { at = r.timestamp - out.bucket[1].timestamp, host = r.partition_field_value,
      p = r.probability, score = r.record_score, typical = r.typical[1], actual = r.actual[1] }
  end
  return list
end

local function assert_near(expected, found, tolerance)
  assert.equal(#expected, #found)
  for i, e in ipairs(expected) do
    assert.equal(e.at, found[i].at)
    assert.equal(e.host, found[i].host)
    assert.near(math.log(e.p), math.log(found[i].p), tolerance * math.abs(math.log(e.p)))
    assert.near(e.typical, found[i].typical, tolerance * math.abs(e.typical))
  end
end

describe("runtime.job results", function()
  it("are the same when all times are a week later", function()
    local later = rows_of()
    for _, row in ipairs(later) do row.time = row.time + WEEK end
    local expected = told(mean(), rows_of())
    assert.is_true(#expected > 0)
    assert_near(expected, told(mean(), later), 1e-9)
  end)

  it("are the same whatever the order of a bucket's rows", function()
    local rows = rows_of()
    local turned = {}
    for first = 1, #rows, 10 do
      -- The first row stays: it says that the bucket is a whole one.
      turned[first] = rows[first]
      for i = 1, 9 do turned[first + i] = rows[first + 10 - i] end
    end
    assert_near(told(sum(), rows), told(sum(), turned), 1e-9)
  end)

  it("are the same for a sum when each record becomes two halves", function()
    local halves = {}
    for _, row in ipairs(rows_of()) do
      for _ = 1, 2 do
        halves[#halves + 1] = { time = row.time, host = row.host, value = row.value / 2 }
      end
    end
    assert_near(told(sum(), rows_of()), told(sum(), halves), 1e-9)
  end)

  it("say the same of values in another unit", function()
    local scaled = rows_of(function(row) row.value = row.value * 1000 end)
    local expected, found = told(mean(), rows_of()), told(mean(), scaled)
    local largest = function(list)
      local worst
      for _, r in ipairs(list) do
        if not worst or r.p < worst.p then worst = r end
      end
      return worst
    end
    local a, b = largest(expected), largest(found)
    assert.equal(a.at, b.at)
    assert.near(1000 * a.typical, b.typical, 0.01 * b.typical)
    assert.near(math.log(a.p), math.log(b.p), 0.1 * math.abs(math.log(a.p)))
  end)

  it("are the same in one body and in many", function()
    local rows = rows_of()
    local whole, parts = engine.new { detectors = { mean() } }, engine.new { detectors = { mean() } }
    engine.post(whole, rows)
    for i = 1, #rows, 7 do
      engine.post(parts, table.move(rows, i, math.min(i + 6, #rows), 1, {}))
    end
    local a, b = engine.documents(whole), engine.documents(parts)
    assert.equal(#a, #b)
    for i = 1, #a do
      a[i].processing_time_ms, b[i].processing_time_ms, a[i].log_time, b[i].log_time = nil, nil, nil, nil
      assert.same(a[i], b[i])
    end
  end)
end)

describe("runtime.job interim results", function()
  it("do not call a bucket low that has only begun", function()
    for _, name in ipairs { "count", "low_count", "sum" } do
      local field = name == "sum" and "value" or nil
      local j = engine.new { detectors = { { ["function"] = name, field = field } } }
      local rows = engine.noise { buckets = 200, noise = 1 }
      engine.post(j, table.move(rows, 1, #rows - 4, 1, {}))
      j:take_results()
      j:flush { calc_interim = true }
      local documents = engine.documents(j)
      assert.equal(1, #engine.only(documents, "bucket"))
      assert.same({}, engine.only(documents, "record"))
    end
  end)

  it("do call it high when it already is", function()
    local j = engine.new()
    local rows, from = engine.noise { buckets = 200 }
    for i = 1, 200 do rows[#rows + 1] = { time = from + 200 * 300, host = "a", value = i } end
    engine.post(j, rows)
    j:take_results()
    j:flush { calc_interim = true }
    local record = engine.only(engine.documents(j), "record")[1]
    assert.is_true(record.is_interim)
    assert.same({ 200.0 }, record.actual)
  end)

  it("cover a bucket that nothing has reached yet, and only buckets that were asked for", function()
    local j = engine.new()
    local rows, from = engine.noise { buckets = 20 }
    engine.post(j, rows)
    local done = from + 20 * 300
    j:take_results()
    j:flush { advance_ms = done * 1000, calc_interim = true }
    local buckets = engine.only(engine.documents(j), "bucket")
    assert.is_true(buckets[#buckets].is_interim)
    assert.equal(done * 1000, buckets[#buckets].timestamp)
    assert.equal(0, buckets[#buckets].event_count)
    j:flush { calc_interim = true, start_ms = (done + 300) * 1000, end_ms = (done + 600) * 1000 }
    assert.same({}, engine.only(engine.documents(j), "bucket"))
  end)

  it("name the event that goes on", function()
    local rows, from = engine.noise { buckets = 20 }
    local j = engine.new { events = { { description = "sale", start_s = from, end_s = from + 1e6 } } }
    engine.post(j, rows)
    j:take_results()
    j:flush { calc_interim = true }
    assert.same({ "sale" }, engine.only(engine.documents(j), "bucket")[1].scheduled_events)
  end)
end)
