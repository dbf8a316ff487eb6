local engine = require "support.engine"
local job = require "runtime.job"

local FROM = 1500000000 - 1500000000 % 300

--- Rows of one bucket: one of each host `first` .. `last`.
local function bucket(number, first, last)
  local rows = {}
  for i = first, last do
    rows[#rows + 1] = { time = FROM + number * 300, host = "host" .. i, value = i % 10 }
  end
  return rows
end

local function by_host(more)
  local config = { detectors = { { ["function"] = "mean", field = "value", partition = "host" } } }
  for name, value in pairs(more) do config[name] = value end
  return config
end

describe("runtime.job memory", function()
  it("turns new series away at the limit, counts the bucket, and goes on with the old ones", function()
    local j = engine.new(by_host { memory_limit_bytes = 2 << 20, spill = false })
    for n = 0, 9 do engine.post(j, bucket(n, n * 500 + 1, (n + 1) * 500)) end
    engine.post(j, bucket(10, 1, 500))
    j:flush { advance_ms = (FROM + 11 * 300) * 1000 }
    local stats = j:size_stats()
    assert.equal(2 << 20, stats.model_bytes_memory_limit)
    assert.is_true(stats.bucket_allocation_failures_count > 0)
    assert.is_true(stats.model_bytes <= 2.2 * (1 << 20))
    assert.is_true(stats.total_partition_field_count >= 300)
    assert.is_true(stats.total_partition_field_count < 2000)
    local buckets = engine.only(engine.documents(j), "bucket")
    assert.equal(500, buckets[11].event_count)
  end)

  it("does not take the persons of a population, or rare values, for series", function()
    for _, detector in ipairs { { ["function"] = "mean", field = "value", over = "host" },
      { ["function"] = "rare", by = "host" } } do
      local j = engine.new { detectors = { detector }, memory_limit_bytes = 4 << 20 }
      engine.post(j, bucket(0, 1, 4000))
      j:flush { advance_ms = (FROM + 300) * 1000 }
      local stats = j:size_stats()
      assert.equal(0, stats.bucket_allocation_failures_count)
      assert.equal(4000, stats.total_over_field_count + stats.total_by_field_count)
    end
  end)

  it("says hard_limit, and writes that when it changes", function()
    local j = engine.new(by_host { memory_limit_bytes = 1 << 20, spill = false })
    for n = 0, 5 do engine.post(j, bucket(n, n * 500 + 1, (n + 1) * 500)) end
    assert.equal("hard_limit", j:size_stats().memory_status)
    local stats = engine.only(engine.documents(j), "model_size_stats")
    assert.equal("hard_limit", stats[#stats].memory_status)
  end)

  it("stays within its means when a minute has very many values", function()
    local j = engine.new(by_host { memory_limit_bytes = 4 << 20 })
    for n = 0, 2 do engine.post(j, bucket(n, n * 50000, n * 50000 + 49999)) end
    assert.is_true(j:size_stats().model_bytes < 5 << 20)
  end)

  it("forgets series that were not seen for the prune window", function()
    local j = engine.new(by_host { prune_window_s = 3000 })
    engine.post(j, bucket(0, 1, 20))
    for n = 1, 15 do engine.post(j, bucket(n, 1, 5)) end
    assert.equal(5, j:size_stats().total_partition_field_count)
  end)

  it("has no status but ok without a limit", function()
    local j = engine.new(by_host {})
    for n = 0, 3 do engine.post(j, bucket(n, 1, 2000)) end
    assert.equal("ok", j:size_stats().memory_status)
  end)
end)

describe("runtime.job spill", function()
  --- Posts a wave of new hosts per bucket, then the first wave again.
  local function waves(j)
    for n = 0, 9 do engine.post(j, bucket(n, n * 200 + 1, (n + 1) * 200)) end
    for n = 10, 14 do engine.post(j, bucket(n, 1, 200)) end
    j:flush { advance_ms = (FROM + 15 * 300) * 1000 }
  end

  local function shelf()
    local kept = {}
    return kept, {
      put = function(number, bytes)
        assert.is_nil(kept[number])
        kept[number] = bytes
        return true
      end,
      get = function(number) return kept[number], { kind = "not_found", reason = "gone" } end,
    }
  end

  local SMALL = by_host { memory_limit_bytes = 2900000, model_plot = { enabled = true, terms = "host7" } }

  it("moves cold series to the keeper and brings them back as they were", function()
    local kept, keeper = shelf()
    local j = engine.new(SMALL)
    j:keep(keeper)
    waves(j)
    local spilled = engine.only(engine.documents(j), "model_plot")
    local roomy = engine.new(by_host { model_plot = SMALL.model_plot })
    waves(roomy)
    local expected = engine.only(engine.documents(roomy), "model_plot")
    assert.is_true(#kept > 200)
    assert.same(expected[#expected], spilled[#spilled])
    local stats = j:size_stats()
    assert.is_true(stats.spilled_model_count > 0)
    assert.equal(0, stats.bucket_allocation_failures_count)
    assert.equal(2000, stats.total_partition_field_count)
  end)

  it("moves models that are no numeric series too", function()
    local kept, keeper = shelf()
    local detectors = { { ["function"] = "time_of_day", by = "host" } }
    local j = engine.new { detectors = detectors, memory_limit_bytes = 4000000 }
    local roomy = engine.new { detectors = detectors }
    j:keep(keeper)
    waves(j)
    waves(roomy)
    assert.is_true(#kept > 200)
    assert.equal(0, j:size_stats().bucket_allocation_failures_count)
    local spilled = engine.only(engine.documents(j), "bucket")
    local expected = engine.only(engine.documents(roomy), "bucket")
    assert.equal(#expected, #spilled)
    for i, bucket_of in ipairs(expected) do
      assert.same(bucket_of.bucket_influencers, spilled[i].bucket_influencers)
    end
  end)

  it("says which it does not need any more, and saves which it has", function()
    local kept, keeper = shelf()
    local j = engine.new(SMALL)
    j:keep(keeper)
    waves(j)
    local released = j:take_released()
    assert.is_true(#released > 0)
    for _, number in ipairs(released) do kept[number] = nil end
    j:take_results()
    local count = 0
    for _ in pairs(kept) do count = count + 1 end
    local stats = assert(job.load(engine.config(SMALL), j:save())):size_stats()
    assert.equal(count, stats.spilled_model_count)
  end)

  it("fails when a series that is needed is not to be had", function()
    local _, keeper = shelf()
    local j = engine.new(SMALL)
    keeper.get = function() return nil, { kind = "failed", reason = "a broken disk" } end
    j:keep(keeper)
    for n = 0, 9 do engine.post(j, bucket(n, n * 200 + 1, (n + 1) * 200)) end
    engine.post(j, bucket(10, 1, 200))
    local _, err = j:flush { advance_ms = (FROM + 11 * 300) * 1000 }
    assert.equal("failed", err.kind)
    assert.matches("a broken disk", err.reason)
  end)

  it("does not happen without a keeper, or when it is off", function()
    local kept, keeper = shelf()
    local off = by_host { memory_limit_bytes = 2500000, spill = false }
    local j = engine.new(off)
    j:keep(keeper)
    waves(j)
    assert.same({}, kept)
    assert.is_true(j:size_stats().bucket_allocation_failures_count > 0)
  end)
end)

describe("runtime.job threads", function()
  it("change nothing but the time it takes", function()
    local function results(threads)
      local j, lines = engine.new(by_host { threads = threads, influencers = { "host" } }), {}
      for n = 0, 12 do
        local rows = bucket(n, 1, 5000)
        if n == 12 then rows[17].value = 1000 end
        engine.post(j, rows)
      end
      j:flush { advance_ms = (FROM + 13 * 300) * 1000 }
      for line in j:take_results():gmatch "[^\n]+" do
        lines[#lines + 1] = line:gsub('"processing_time_ms":%d+', ""):gsub('"log_time":%d+', "")
      end
      return table.concat(lines, "\n"), j:save()
    end
    local one, saved_one = results(1)
    local eight, saved_eight = results(8)
    assert.is_true(one == eight)
    assert.is_true(saved_one == saved_eight)
  end)
end)

describe("runtime.job plots", function()
  local function plotted(plot)
    local rows = engine.noise { buckets = 30, values = { "a", "b" } }
    local config = by_host { model_plot = plot }
    return engine.run(engine.new(config), rows).model_plot
  end

  it("show bounds around what was, for every series and bucket", function()
    local plots = plotted { enabled = true }
    assert.equal(60, #plots)
    local last = plots[#plots]
    assert.is_true(last.model_lower < last.model_median and last.model_median < last.model_upper)
    assert.is_true(math.abs(last.model_median - 100) < 15)
    assert.is_number(last.actual)
    assert.equal("'arithmetic mean value by person'", last.model_feature)
    assert.equal("host", last.partition_field_name)
    assert.equal(0, last.detector_index)
  end)

  it("show only the terms that were asked for, and nothing when they are off", function()
    local plots = plotted { enabled = true, terms = "x,b" }
    assert.equal(30, #plots)
    assert.equal("b", plots[1].partition_field_value)
    assert.equal(0, #plotted { enabled = false })
    assert.equal(0, #plotted(nil))
  end)

  it("show what was expected of a series that was silent", function()
    local rows = engine.noise { buckets = 30, values = { "a" }, change = function(_, n) return n ~= 20 end }
    local plots = engine.run(engine.new(by_host { model_plot = { enabled = true } }), rows).model_plot
    assert.equal(30, #plots)
    assert.is_nil(plots[21].actual)
    assert.is_number(plots[21].model_median)
  end)
end)

describe("runtime.job annotations", function()
  -- Two weeks of hours with a day in them.
  local function found(plot)
    local rows = {}
    for hour = 0, 14 * 24 do
      rows[#rows + 1] = { time = FROM - FROM % 86400 + hour * 3600, host = "a",
        value = 100 + 50 * math.sin(hour / 24 * 2 * math.pi) + (hour * 7919 % 13) / 13 }
    end
    local j = engine.new(by_host { bucket_span_s = 3600, model_plot = plot })
    engine.post(j, rows)
    return j:take_annotations()
  end

  it("say which seasons a model has found", function()
    local lines = found(nil)
    assert.matches('"annotation":"Detected seasonal', lines)
    assert.matches('"event":"model_change"', lines)
    assert.matches('"partition_field_value":"a"', lines)
    assert.matches('{"index":{"_id":"j_annotation_', lines, 1, true)
  end)

  it("are not written when the job does not want them", function()
    assert.equal("", found { enabled = false, annotations = false })
  end)
end)
