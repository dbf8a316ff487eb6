local engine = require "support.engine"
local job = require "runtime.job"

local PERSONS = {}
for i = 1, 60 do PERSONS[i] = "p" .. i end

local function rows_of(buckets, change)
  return engine.noise { buckets = buckets, values = PERSONS, field = "user", change = change }
end

local function config(more)
  local c = engine.config { detectors = { { ["function"] = "mean", field = "value", over = "user" } } }
  for name, value in pairs(more or {}) do c[name] = value end
  return c
end

describe("runtime.job population", function()
  it("is not owned by one person who is busier than all others", function()
    -- p1 is different, and has a hundred times as many rows as anybody else
    local rows = {}
    for _, row in ipairs(rows_of(40)) do
      if row.user == "p1" then row.value = row.value + 900 end
      for i = 1, row.user == "p1" and 20 or 1 do
        rows[#rows + 1] = { time = row.time, user = row.user, value = row.value + i / 100 }
      end
    end
    local out = engine.run(assert(job.new(config())), rows)
    local worst = engine.worst(out.record)
    assert.equal("p1", worst.over_field_value)
    assert.is_true(math.abs(worst.causes[1].typical[1] - 100) < 15)
  end)

  it("goes on after a save and a load as if nothing had been", function()
    local rows = rows_of(30, function(row, bucket)
      if bucket == 25 and row.user == "p7" then row.value = row.value * 5 end
    end)
    local half = #rows // 2
    local one, two = assert(job.new(config())), assert(job.new(config()))
    engine.post(one, rows)
    engine.post(two, { table.unpack(rows, 1, half) })
    local first = two:take_results()
    two = assert(job.load(config(), two:save()))
    engine.post(two, { table.unpack(rows, half + 1) })
    local function timeless(text)
      return (text:gsub('"processing_time_ms":%d+', ""):gsub('"log_time":%d+', ""))
    end
    assert.is_true(timeless(one:take_results()) == timeless(first .. two:take_results()))
  end)

  it("does not depend on the order of the rows of a bucket", function()
    local rows, mixed = rows_of(30), {}
    for i = 1, #rows, 60 do
      for k = 59, 0, -1 do mixed[#mixed + 1] = rows[i + k] end
    end
    local function probabilities(list)
      local out, all = engine.run(assert(job.new(config())), list), {}
      for i, bucket in ipairs(out.bucket) do all[i] = bucket.bucket_influencers[1].probability end
      return all
    end
    local one, other = probabilities(rows), probabilities(mixed)
    assert.equal(#one, #other)
    for i, p in ipairs(one) do assert.is_true(math.abs(p - other[i]) < 1e-9) end
  end)

  it("finds the extreme of its members as often as chance would have it", function()
    local out, low, high = engine.run(assert(job.new(config())), rows_of(100)), 0, 0
    for _, bucket in ipairs(out.bucket) do
      local p = bucket.bucket_influencers[1].probability
      if p < 0.1 then low = low + 1 end
      if p > 0.5 then high = high + 1 end
    end
    assert.is_true(low <= 20, low .. " of 100 buckets below 0.1")
    assert.is_true(high >= 30, high .. " of 100 buckets above 0.5")
  end)
end)
