local series = require "runtime.series"
local special = require "runtime.special"
local draws = require "support.draws"

local SPAN, WEEK = 1800, 7 * 86400
local START = 1767571200 -- Monday, 5 January 2026

local function near(want, got, error)
  local scale = math.max(math.abs(want), 1e-300)
  assert.is_true(math.abs(got - want) <= (error or 1e-5) * scale,
    ("want %.9g, got %.9g"):format(want, got))
end

local function new(options)
  options = options or {}
  options.bucket_span_s = options.bucket_span_s or SPAN
  return series.new(options)
end

-- Learns and scores one bucket.
local function step(s, number, value, more)
  local bucket = { start_s = START + number * SPAN, value = value }
  s:learn(bucket)
  for name, field in pairs(more or {}) do bucket[name] = field end
  return s:score(bucket)
end

-- A series that has followed normal data around 100, deviation 10.
local function steady(count, options, seed)
  local s = new(options)
  s:follow(draws.normal(seed or 1, count, 100, 10), START)
  return s
end

describe("runtime.model series", function()
  it("gives the multi-bucket impacts of the vectors", function()
    for _, v in ipairs { { 1e-6, 0.1, -5 }, { 0.1, 1e-6, 5 }, { 0.01, 0.001, 2.5 },
      { 0.02, 0.02, 0 } } do
      near(v[3], series.impact(math.log(v[1]), math.log(v[2])))
    end
  end)

  it("corrects by past anomalies as the vectors say", function()
    for _, v in ipairs { { 1e-4, 0.01, 1e-3 }, { 1e-6, 0.5, 7.07107e-4 },
      { 0.01, 0.001, 0.00490316 }, { 0.05, 0.5, 0.0603428 } } do
      local ln_p = math.log(v[1])
      near(v[3], math.exp(series.correct(ln_p, ln_p, math.log(v[2]))))
    end
  end)

  it("knows nothing at first and says so", function()
    local verdict = step(new(), 0, 1e6)
    assert.equal(1, verdict.probability)
    assert.equal("both", verdict.tail)
  end)

  it("gives a spike of six deviations the tail of Student's t", function()
    local s = steady(500)
    local verdict = step(s, 500, 160)
    local _, median = s:bounds(START + 500 * SPAN)
    local t = special.ln_t_above(2 * 251, (160 - median) / 10) + math.log(2)
    assert.is_true(math.abs(verdict.ln_single - t) < math.abs(t) * 0.2)
    assert.is_true(verdict.probability < 1e-4)
    assert.equal("above", verdict.tail)
  end)

  it("is still surprised by the second spike, and less and less by later ones", function()
    local s = steady(500)
    local p = {}
    for i = 1, 40 do p[i] = math.exp(step(s, 499 + 4 * i, 160).ln_single) end
    assert.is_true(p[1] < 1e-4 and p[2] < 1e-4)
    assert.is_true(p[20] > 100 * p[1])
    assert.is_true(p[40] > 1e-4)
  end)

  it("sees a jump of a constant series at the smallest variation", function()
    local s = new()
    for i = 0, 99 do step(s, i, 50) end
    assert.is_true(step(s, 100, 50).probability > 0.5)
    assert.is_true(step(s, 101, 60).probability < 1e-10)
  end)

  it("sees in twelve buckets what none of them shows", function()
    local s, lone = steady(1000), 1
    local last
    for i = 0, 11 do
      last = step(s, 1000 + i, 118)
      lone = math.min(lone, math.exp(last.ln_single))
    end
    assert.is_true(lone > 0.02)
    assert.is_true(math.exp(last.ln_multi) < 1e-4)
    assert.is_true(last.probability < 1e-3)
    assert.is_true(last.multi_bucket_impact > 2)
  end)

  it("has no last hour until nine of twelve buckets are there", function()
    local s = new()
    for i = 0, 7 do assert.is_false(step(s, i, i % 3).multi_bucket) end
    for i = 40, 200 do step(s, i, i % 3) end
    assert.is_true(step(s, 201, 1).multi_bucket)
    assert.is_false(step(s, 240, 1).multi_bucket)
  end)

  it("watches one side where it is told to", function()
    local low, high = steady(500, { watched = "below" }), steady(500, { watched = "above" })
    assert.is_true(step(low, 500, 160).probability > 0.3)
    assert.is_true(step(high, 500, 160).probability < 1e-4)
    assert.is_true(step(low, 502, 40).probability < 1e-4)
    assert.is_true(step(high, 502, 40).probability > 0.3)
  end)

  it("leaves the series as it is when it scores an interim bucket", function()
    local s = steady(300)
    local before = s:save()
    local verdict = s:score { start_s = START + 300 * SPAN, value = 200, interim = true }
    assert.is_true(verdict.probability < 1e-4)
    assert.equal(before, s:save())
  end)

  it("assumes that what is missing of an incomplete bucket is normal", function()
    local s = steady(300)
    local start_s = START + 300 * SPAN
    local function interim(value, completeness)
      return s:score { start_s = start_s, value = value, completeness = completeness,
        interim = true }
    end
    assert.is_true(interim(30, 1).probability < 1e-4)
    assert.is_true(interim(30, 0.3).probability > 0.2)
    assert.is_true(interim(30, 0.3).value <= 101)
    assert.is_true(interim(0, 0.9).probability < 1e-4)
    assert.equal(200, interim(200, 0.5).value) -- never pulled down past the usual value's side
  end)

  it("forgives few measurements by the count's variance scale", function()
    local s = steady(300)
    local start_s = START + 300 * SPAN
    local whole = s:score { start_s = start_s, value = 130, interim = true }
    local few = s:score { start_s = start_s, value = 130, count_scale = 9, interim = true }
    assert.is_true(math.exp(few.ln_single) > 50 * math.exp(whole.ln_single))
    assert.is_true(s:explain().incomplete_bucket_penalty == false)
  end)

  it("explains what it found", function()
    local s = steady(500)
    step(s, 500, 160)
    local e = s:explain()
    near(100, e.typical, 0.02)
    near(e.typical, e.typical_value)
    near(80, e.lower, 0.05)
    near(120, e.upper, 0.05)
    assert.equal(5, e.single_bucket_impact)
    assert.equal("above", e.type)
    assert.equal(1, e.length)
    step(s, 501, 160)
    assert.equal(2, s:explain().length)
  end)

  it("explains nothing about what is usual", function()
    local s = steady(500)
    step(s, 500, 101)
    local e = s:explain()
    near(100, e.typical, 0.02)
    assert.is_true(e.lower ~= e.lower and e.typical_value ~= e.typical_value)
    assert.equal(0, e.single_bucket_impact)
    assert.equal(0, e.length)
  end)

  it("does not learn what a rule keeps from it", function()
    local s, other = steady(300), steady(300)
    for i = 300, 360 do
      s:learn { start_s = START + i * SPAN, value = 200, weight = 0.005 }
      other:learn { start_s = START + i * SPAN, value = 200 }
    end
    assert.is_true(s:typical(START + 361 * SPAN) < 105)
    assert.is_true(other:typical(START + 361 * SPAN) > 105)
  end)

  it("bounds counts at zero", function()
    local s = new { count = true }
    s:follow(draws.poisson(1, 500, 0.5), START)
    local lower, median, upper = s:bounds(START + 500 * SPAN)
    assert.is_true(lower == 0 and median >= 0 and upper >= 1 and upper <= 4)
    assert.is_true(s:typical(START + 500 * SPAN) >= 0)
  end)

  it("alerts on silence of a count", function()
    local s = new { count = true }
    s:follow(draws.poisson(1, 500, 40), START)
    local verdict = step(s, 500, 0)
    assert.is_true(verdict.probability < 1e-4)
    assert.equal("below", verdict.tail)
  end)

  it("learns the samples of one bucket with the bucket's weight", function()
    local one, many = new(), new()
    for i, value in ipairs(draws.normal(4, 300, 50, 5)) do
      local start_s = START + i * SPAN
      one:learn { start_s = start_s, value = value }
      many:learn { start_s = start_s, samples = { { start_s + 600, value, 0.5 },
        { start_s + 1200, value, 0.5 } } }
    end
    near(one:typical(START + 301 * SPAN), many:typical(START + 301 * SPAN), 1e-3)
    local a = { one:bounds(START + 301 * SPAN) }
    local b = { many:bounds(START + 301 * SPAN) }
    near(a[3] - a[1], b[3] - b[1], 0.1)
  end)

  it("compares influence by tails, doubled", function()
    local s = steady(2000)
    local at = START + 2000 * SPAN
    near(0.617075, math.exp(s:ln_tail(at, 105, "above")), 0.1)
    near(math.log(5.73303e-7), s:ln_tail(at, 150, "above"), 0.1)
    assert.equal(0, s:ln_tail(at, 45, "above"))
  end)

  it("says when it last had a sample", function()
    local s = steady(10)
    assert.equal(START + 9 * SPAN, s:last_s())
  end)
end)

describe("a series whose level moves by ten deviations", function()
  for _, span in ipairs { 300, 1800 } do
    it("alerts at once, tells it between 29 and 50 hours and is quiet then: spans of " .. span, function()
      local per_hour = 3600 // span
      local s, first, told, loud = new { bucket_span_s = span }, nil, nil, 0
      local noise, change = draws.normal(3, 24 * per_hour * 16, 100, 10), 24 * per_hour * 12
      for i, value in ipairs(noise) do
        local bucket = { start_s = START + i * span, value = value + (i > change and 100 or 0) }
        local texts = s:learn(bucket)
        local p, hours = s:score(bucket).probability, (i - change) / per_hour
        if i == change + 1 then first = p end
        for _, text in ipairs(texts) do told = text:match "level shift" and hours or told end
        if told and p < 1e-4 then loud = loud + 1 end
      end
      assert.is_true(first < 1e-4)
      assert.is_true(told and told >= 29 and told <= 50, tostring(told))
      assert.equal(0, loud)
    end)
  end
end)

describe("a series with a day", function()
  local function day(i, noise)
    return 100 + 40 * math.sin(2 * math.pi * i / 48) + 0.3 * noise
  end

  it("is quiet after its season was found, and sees a missing peak", function()
    local s, noise, found = new(), draws.normal(5, 48 * 12, 0, 10), nil
    local loud = 0
    for i = 1, #noise do
      local texts = s:learn { start_s = START + i * SPAN, value = day(i, noise[i]) }
      local verdict = s:score { start_s = START + i * SPAN, value = day(i, noise[i]) }
      if found and verdict.probability < 1e-5 then loud = loud + 1 end
      for _, text in ipairs(texts) do found = found or text:match "1 day" and i end
    end
    assert.is_true(found and found <= 48 * 4)
    assert.equal(0, loud)
    local peak = #noise + 12
    near(140, s:typical(START + peak * SPAN + SPAN / 2), 0.05)
    assert.is_true(step(s, peak, 100).probability < 1e-4)
    assert.equal("below", step(s, peak + 1, 100).tail)
  end)
end)

describe("a series with edges", function()
  -- Follows five-minute buckets for so many days; returns when the season was found, in days, and
  -- how many buckets were loud in the last half.
  local function follow(days, value)
    local s, r = series.new { bucket_span_s = 300, count = true }, draws.poisson(4, 288 * days, 4)
    local found, loud = nil, 0
    for i = 1, #r do
      local bucket = { start_s = START + i * 300, value = value(i, r[i]) }
      for _, text in ipairs((s:learn(bucket))) do
        if text:match "seasonal" then found = found or i / 288 end
      end
      if s:score(bucket).probability < 1e-4 and i > #r / 2 then loud = loud + 1 end
    end
    return found, loud
  end

  it("finds office hours after three and a half days", function()
    local found, loud = follow(10, function(i, noise)
      return (i % 288 > 100 and i % 288 < 220 and 60 or 3) + noise
    end)
    assert.is_true(found and found <= 3.6, tostring(found))
    assert.is_true(loud <= 3, tostring(loud)) -- of 1440, at the edges
  end)

  it("takes the period of an hourly job for an hour, and expects its minute days later", function()
    local s, noise = series.new { bucket_span_s = 60 }, draws.normal(3, 1440 * 5, 20, 2)
    for i = 1, #noise do
      s:learn { start_s = START + i * 60, value = noise[i] + (i % 60 == 0 and 80 or 0) }
    end
    near(100, s:typical(START + 1440 * 5 * 60 + 30), 0.05)
    near(20, s:typical(START + (1440 * 5 + 1) * 60 + 30), 0.15)
  end)

  it("finds an hourly job after a day", function()
    local found, loud = follow(6, function(i, noise) return (i % 12 == 0 and 100 or 0) + noise end)
    assert.is_true(found and found <= 1.3, tostring(found))
    assert.equal(0, loud)
  end)
end)

describe("what changes nothing of a series", function()
  it("is an affine change of normal data", function()
    local values, scaled = draws.normal(7, 400, 1000, 10), {}
    for i, value in ipairs(values) do scaled[i] = 4 * value + 100 end
    local a, b = new(), new()
    local p, q = a:follow(values, START), b:follow(scaled, START)
    for i = 100, 400 do
      assert.is_true(math.abs(math.log(p[i]) - math.log(q[i])) < 0.15 + 0.05 * -math.log(p[i]))
    end
    near(4 * a:typical(START + 401 * SPAN) + 100, b:typical(START + 401 * SPAN), 1e-3)
  end)

  it("is a shift of all times by a week", function()
    local values = draws.normal(8, 1000, 50, 5)
    assert.same(new():follow(values, START), new():follow(values, START + WEEK))
  end)

  it("is being saved and loaded at any bucket", function()
    for _, options in ipairs { { count = true }, {}, { population = true },
      { watched = "below", bucket_span_s = 300 } } do
      options.bucket_span_s = options.bucket_span_s or SPAN
      local span, a, b = options.bucket_span_s, series.new(options), series.new(options)
      for i, value in ipairs(draws.poisson(3, 800, 20)) do
        if i % 17 ~= 0 then
          local bucket = { start_s = START + i * span, value = i % 100 == 0 and 90 or value }
          a:learn(bucket)
          b:learn(bucket)
          assert.same(a:score(bucket), b:score(bucket))
          assert.equal(a:save(), b:save())
        end
        b = assert(series.load(b:save()))
      end
    end
  end)
end)

describe("bytes that are no series", function()
  local bytes = steady(50):save()

  it("are refused wherever they are cut off", function()
    for size = 0, #bytes - 1 do
      local s, err = series.load(bytes:sub(1, size))
      assert.is_nil(s)
      assert.equal("invalid", err.kind)
    end
  end)

  it("are refused or harmless when they are damaged", function()
    local random = require("support.random").new(42)
    local loaded = 0
    for _ = 1, 2000 do
      local at = 1 + math.floor(random:uniform() * #bytes)
      local byte = string.char(math.floor(random:uniform() * 256))
      local s = series.load(bytes:sub(1, at - 1) .. byte .. bytes:sub(at + 1))
      if s then
        loaded = loaded + 1
        local p = step(s, 51, 120).probability
        assert.is_true(p > 0 and p <= 1, ("%g, byte %d"):format(p, at))
      end
    end
    assert.is_true(loaded > 0)
  end)
end)

describe("values that are too large", function()
  it("are cut off before they overflow", function()
    local s = steady(100)
    for i, value in ipairs { 1e308, -1e308, 1e300, 5 } do
      local p = step(s, 100 + i, value).probability
      assert.is_true(p > 0 and p <= 1)
      assert.is_truthy(series.load(s:save()))
    end
  end)
end)

describe("calibration of a series over 20 seeds of 5000 buckets", function()
  -- Without the last hour, as populations are; of uniform integers each is a tenth of all.
  local cases = {
    { "normal", function(seed) return draws.normal(seed, 5000, 100, 10) end, 0.03 },
    { "gamma", function(seed) return draws.gamma2(seed, 5000, 10) end, 0.03 },
    { "log-normal", function(seed) return draws.log_normal(seed, 5000, 3, 0.8) end, 0.03 },
    { "Poisson", function(seed) return draws.poisson(seed, 5000, 5) end, 0.03, true },
    { "uniform integer", function(seed) return draws.integer(seed, 5000, 9) end, 0, true },
  }
  for _, case in ipairs(cases) do
    it("gives " .. case[1] .. " data p < 0.05 in 3 to 6 of 100 buckets, hardly p < 0.001", function()
      local below, rare, zero, count = 0, 0, 0, 0
      for seed = 1, 20 do
        local s = new { count = case[4], population = true }
        for _, p in ipairs(s:follow(case[2](seed), START)) do
          count = count + 1
          if p < 0.05 then below = below + 1 end
          if p < 1e-3 then rare = rare + 1 end
          if p <= 0 then zero = zero + 1 end
        end
      end
      assert.is_true(below / count >= case[3] and below / count < 0.06, tostring(below / count))
      assert.is_true(rare / count < 0.002, tostring(rare / count))
      assert.equal(0, zero)
    end)
  end

  it("keeps normal data with the last hour below one score of 75 in a thousand buckets", function()
    local rare, count = 0, 0
    for seed = 1, 20 do
      for _, p in ipairs(new():follow(draws.normal(seed, 5000, 100, 10), START)) do
        count = count + 1
        if p < 1e-4 then rare = rare + 1 end
      end
    end
    assert.is_true(rare / count < 0.001, tostring(rare / count))
  end)
end)
