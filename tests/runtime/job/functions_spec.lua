local engine = require "support.engine"

local FROM = 1500000000 - 1500000000 % 300

--- Runs one detector over rows of noise that `change` alters in bucket 100.
local function run(detector, change, more)
  local config = { detectors = { detector } }
  for name, value in pairs(more or {}) do config[name] = value end
  local rows = engine.noise { buckets = 110, values = { "a" }, change = function(row, bucket)
    return change(row, bucket == 100, bucket)
  end }
  return engine.run(engine.new(config), rows)
end

local function found(out)
  for _, record in ipairs(out.record) do
    if record.timestamp == (FROM + 100 * 300) * 1000 then return record end
  end
end

local function times(factor)
  return function(row, now) if now then row.value = row.value * factor end end
end

local function without_rows(_, now) return not now end

describe("runtime.job functions:", function()
  for _, name in ipairs { "mean", "median", "sum", "non_null_sum" } do
    it(name .. " watches both sides, its low_ and high_ form one", function()
      local up, down = times(3), times(0.2)
      assert.is_table(found(run({ ["function"] = name, field = "value" }, up)))
      assert.is_table(found(run({ ["function"] = name, field = "value" }, down)))
      assert.is_table(found(run({ ["function"] = "high_" .. name, field = "value" }, up)))
      assert.is_nil(found(run({ ["function"] = "high_" .. name, field = "value" }, down)))
      assert.is_nil(found(run({ ["function"] = "low_" .. name, field = "value" }, up)))
      assert.is_table(found(run({ ["function"] = "low_" .. name, field = "value" }, down)))
    end)
  end

  it("min watches below only, max above only", function()
    assert.is_table(found(run({ ["function"] = "min", field = "value" }, times(0.2))))
    assert.is_nil(found(run({ ["function"] = "min", field = "value" }, times(3))))
    assert.is_table(found(run({ ["function"] = "max", field = "value" }, times(3))))
    assert.is_nil(found(run({ ["function"] = "max", field = "value" }, times(0.2))))
  end)

  it("varp sees a bucket that is wilder than the others", function()
    local second = 0
    local out = run({ ["function"] = "high_varp", field = "value" }, function(row, now)
      second = second + 1
      if now then row.value = row.value + (second % 2 == 0 and 200 or -200) end
    end)
    assert.equal("varp", found(out).function_description)
    assert.equal("high_varp", found(out)["function"])
  end)

  it("metric names the statistic that was strange", function()
    local first = true
    local out = run({ ["function"] = "metric", field = "value" }, function(row, now)
      if now and first then
        row.value = 30
        first = false
      end
    end)
    local record = found(out)
    assert.equal("metric", record["function"])
    assert.equal("min", record.function_description)
    assert.equal(30, record.actual[1])
  end)

  it("count alerts on silence, non_zero_count does not", function()
    assert.same({ 0.0 }, found(run({ ["function"] = "count" }, without_rows)).actual)
    assert.is_nil(found(run({ ["function"] = "non_zero_count" }, without_rows)))
    assert.is_nil(found(run({ ["function"] = "high_count" }, without_rows)))
  end)

  it("sum alerts on silence, non_null_sum does not", function()
    assert.is_table(found(run({ ["function"] = "sum", field = "value" }, without_rows)))
    assert.is_nil(found(run({ ["function"] = "non_null_sum", field = "value" }, without_rows)))
  end)

  it("count by a field knows the values that are silent", function()
    local rows = engine.noise { buckets = 110, values = { "a", "b" }, change = function(row, bucket)
      return not (bucket == 100 and row.host == "b")
    end }
    local j = engine.new { detectors = { { ["function"] = "count", by = "host" } } }
    local record = found(engine.run(j, rows))
    assert.equal("b", record.by_field_value)
    assert.same({ 0.0 }, record.actual)
    assert.same({ "b" }, record.host)
  end)

  it("distinct_count counts different values", function()
    local n = 0
    local out = run({ ["function"] = "high_distinct_count", field = "user" }, function(row, now)
      n = n + 1
      row.user = now and "u" .. n or "u" .. n % 3
    end)
    assert.equal("distinct_count", found(out).function_description)
    assert.same({ 5.0 }, found(out).actual)
    assert.is_true(math.abs(found(out).typical[1] - 3) < 0.5)
  end)

  it("info_content sees strings that are longer and more random", function()
    local n = 0
    local out = run({ ["function"] = "high_info_content", field = "name" }, function(row, now)
      n = n + 1
      row.name = now and ("%x%x%x%x"):format(n * 7919, n * 104729, n * 1299709, n * 15485863) or "www"
    end)
    assert.equal("info_content", found(out).function_description)
  end)

  it("counts are weighed by a summary count", function()
    local out = run({ ["function"] = "high_count" }, function(row, now)
      row.n = now and 100 or 10
    end, { summary_count_field = "n" })
    assert.same({ 500.0 }, found(out).actual)
    assert.equal(500, out.bucket[101].event_count)
  end)

  it("a record without the field counts for nothing in a metric, and as an event", function()
    local out = run({ ["function"] = "mean", field = "value" }, function(row, now)
      if now then row.value = nil end
    end)
    assert.is_nil(found(out))
    assert.equal(5, out.bucket[101].event_count)
  end)
end)

describe("runtime.job populations", function()
  local PERSONS = {}
  for i = 1, 50 do PERSONS[i] = "p" .. i end

  local function population(detector, change)
    local rows = engine.noise { buckets = 40, values = PERSONS, field = "user", change = change }
    return engine.run(engine.new { detectors = { detector }, influencers = { "user" } }, rows)
  end

  it("name the one person that is unlike the others, with causes", function()
    local out = population({ ["function"] = "mean", field = "value", over = "user" }, function(row, bucket)
      if bucket == 30 and row.user == "p7" then row.value = row.value * 8 end
    end)
    local worst = engine.worst(out.record)
    assert.equal((FROM + 30 * 300) * 1000, worst.timestamp)
    assert.equal("p7", worst.over_field_value)
    assert.same({ "p7" }, worst.user)
    assert.is_nil(worst.actual)
    assert.is_nil(worst.multi_bucket_impact)
    assert.is_nil(worst.anomaly_score_explanation)
    assert.equal(1, #worst.causes)
    assert.is_true(worst.causes[1].actual[1] > 600)
    assert.is_true(math.abs(worst.causes[1].typical[1] - 100) < 10)
    assert.equal("mean", worst.causes[1].function_description)
    assert.equal("p7", worst.causes[1].over_field_value)
    assert.equal("p7", worst.influencers[1].influencer_field_values[1])
  end)

  it("compare a person's attributes with the population's, each by itself", function()
    local out = population({ ["function"] = "count", by = "page", over = "user" }, function(row, bucket)
      row.page = row.time % 120 == 0 and "home" or "help"
      if bucket == 30 and row.user == "p7" then row.page = "home" end
    end)
    assert.is_true(#out.record > 0)
    local worst = engine.worst(out.record)
    assert.equal("p7", worst.over_field_value)
    assert.equal("page", worst.by_field_name)
    assert.is_nil(worst.by_field_value)
    assert.equal("home", worst.causes[1].by_field_value)
    assert.same({ 5.0 }, worst.causes[1].actual)
  end)
end)

describe("runtime.job influencers", function()
  local HOSTS = {}
  for i = 1, 10 do HOSTS[i] = "h" .. i end

  local function blamed(detector, change)
    local rows = engine.noise { buckets = 110, values = HOSTS, change = change }
    return found(engine.run(engine.new { detectors = { detector }, influencers = { "host" } }, rows))
  end

  it("name the one of ten hosts that makes a sum rise", function()
    local record = blamed({ ["function"] = "sum", field = "value" }, function(row, bucket)
      if bucket == 100 and row.host == "h3" then row.value = row.value * 20 end
    end)
    assert.same({ "h3" }, record.influencers[1].influencer_field_values)
  end)

  it("name the host of a mean, of a maximum and of a count", function()
    local function rise(row, bucket)
      if bucket == 100 and row.host == "h3" then row.value = row.value * 20 end
    end
    for _, name in ipairs { "mean", "max" } do
      local record = blamed({ ["function"] = name, field = "value" }, rise)
      assert.equal("h3", record.influencers[1].influencer_field_values[1])
      assert.equal(1, #record.influencers[1].influencer_field_values)
    end
  end)

  it("are compared with all the values that were calm", function()
    -- h3 rises in every twentieth bucket, by the same: among forty hosts that is rare
    local hosts = {}
    for i = 1, 40 do hosts[i] = "h" .. i end
    local rows = engine.noise { buckets = 111, values = hosts, change = function(row, bucket)
      if bucket % 20 == 10 and bucket > 20 and row.host == "h3" then row.value = row.value * 20 end
    end }
    local j = engine.new { detectors = { { ["function"] = "mean", field = "value", partition = "host" } },
      influencers = { "host" } }
    local out, last = engine.run(j, rows), nil
    for _, influencer in ipairs(out.influencer) do
      if influencer.influencer_field_value == "h3" then last = influencer end
    end
    assert.equal((FROM + 110 * 300) * 1000, last.timestamp)
    assert.is_true(last.influencer_score > 8, tostring(last.influencer_score))
  end)

  it("name nobody when there is too little", function()
    local record = blamed({ ["function"] = "low_count" }, function(row, bucket)
      return not (bucket == 100 and row.host ~= "h3")
    end)
    assert.is_nil(record.influencers)
  end)
end)
