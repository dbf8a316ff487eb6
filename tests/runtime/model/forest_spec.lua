local model = require "runtime.model"
local parts = require "runtime.model_parts"
local random = require "support.random"

local MINUTE_MS = 60000

local function new(options)
  options.kind = "forest"
  options.interval_ms = options.interval_ms or MINUTE_MS
  return assert(model.new(options))
end

-- A daily rhythm with noise; deterministic.
local function wave(noise, i)
  return 100 + 30 * math.sin(i / 8) + noise:normal()
end

local function feed(m, first, last, value)
  local verdict
  for i = first, last do verdict = assert(m:push(i * MINUTE_MS, { value(i) })) end
  return verdict
end

-- All numbers of a verdict, bit for bit; NaN equals NaN.
local function text(verdict)
  local words = {}
  for _, name in ipairs { "score", "grade", "threshold", "confidence", "start_index" } do
    words[#words + 1] = ("%s=%a"):format(name, verdict[name])
  end
  for _, name in ipairs { "expected", "lower", "upper", "contribution", "past" } do
    for _, value in ipairs(verdict[name] or {}) do words[#words + 1] = ("%s=%a"):format(name, value) end
  end
  return table.concat(words, " ")
end

local function trained(options, rows)
  local m, noise = new(options), random.new(11)
  feed(m, 1, rows or 600, function(i) return wave(noise, i) end)
  return m, noise
end

describe("runtime.model forest", function()
  it("agrees with twenty seeds of the Java library over a CPU series", function()
    local seeds, rows = 8, 2400
    local values = {}
    for line in io.lines "tests/runtime/model/golden/cpu.csv" do
      values[#values + 1] = tonumber(line:match ",([^,]+)$")
    end
    local sums, squares, flags = {}, {}, {}
    for i = 1, rows do sums[i], squares[i], flags[i] = 0, 0, 0 end
    for seed = 1, seeds do
      local near = { above_ratio = 0.2, below_ratio = 0.2 } -- the library's default rule
      local m = new { seed = seed, interval_ms = 5 * MINUTE_MS, ignore = { near } }
      for i = 1, rows do
        local verdict = assert(m:push(i * 5 * MINUTE_MS, { values[i] }))
        if verdict.scored then
          sums[i], squares[i] = sums[i] + verdict.score, squares[i] + verdict.score ^ 2
          flags[i] = flags[i] + (verdict.grade > 0 and 1 or 0)
        end
      end
    end
    local difference, z_square, count, flag_difference = 0, 0, 0, 0
    for line in io.lines "tests/runtime/model/golden/forest_cpu.csv" do
      local row, score, deviation, _, flagged = line:match "^(%d+),([^,]+),([^,]+),([^,]+),([^,]+)$"
      local i = row and tonumber(row) + 1
      if i and i > 100 and i <= rows then
        local mean = sums[i] / seeds
        local variance = math.max(0, squares[i] / seeds - mean ^ 2) * seeds / (seeds - 1)
        local error_of_means = math.sqrt(variance / seeds + tonumber(deviation) ^ 2 / 20)
        difference = difference + mean - tonumber(score)
        z_square = z_square + ((mean - tonumber(score)) / error_of_means) ^ 2
        flag_difference = flag_difference + math.abs(flags[i] / seeds - tonumber(flagged))
        count = count + 1
      end
    end
    assert.is_true(math.abs(difference / count) < 0.006, "mean difference " .. difference / count)
    local z = math.sqrt(z_square / count)
    assert.is_true(z > 0.8 and z < 1.35, "z " .. z)
    assert.is_true(flag_difference < 0.5, "flags differ by " .. flag_difference)
  end)

  it("is silent until it has seen 25 rows", function()
    local m = new {}
    for i = 1, 40 do
      local verdict = assert(m:push(i * MINUTE_MS, { i % 7 }))
      assert.equal(i > 25, verdict.scored, "row " .. i)
    end
  end)

  it("finds a spike, says what it expected and by how much the value is off", function()
    local m, noise = trained { seed = 1 }
    local verdict = feed(m, 601, 601, function() return 300 end)
    assert.equal(1, verdict.grade)
    assert.equal(0, verdict.start_index)
    assert.is_true(verdict.score > verdict.threshold)
    assert.is_true(math.abs(verdict.expected[1] - wave(noise, 601)) < 25, verdict.expected[1])
    assert.is_true(verdict.upper[1] < 300)
    assert.same({ 1 }, verdict.contribution)
  end)

  it("reports an anomaly once, though it stays in the shingle", function()
    local m, noise = trained { seed = 1 }
    feed(m, 601, 601, function() return 300 end)
    for i = 602, 620 do
      assert.equal(0, assert(m:push(i * MINUTE_MS, { wave(noise, i) })).grade, "row " .. i)
    end
  end)

  it("blames the feature that was strange", function()
    local m, noise = new { features = 3, seed = 2 }, random.new(3)
    local function row(i) return { wave(noise, i), wave(noise, i + 40), 50 + noise:normal() } end
    for i = 1, 600 do m:push(i * MINUTE_MS, row(i)) end
    local strange = row(601)
    strange[2] = 400
    local verdict = assert(m:push(601 * MINUTE_MS, strange))
    assert.is_true(verdict.grade > 0)
    assert.is_true(verdict.contribution[2] > 0.8)
    local total = verdict.contribution[1] + verdict.contribution[2] + verdict.contribution[3]
    assert.is_true(math.abs(total - 1) < 1e-9)
    assert.equal(strange[1], verdict.expected[1])
  end)

  it("keeps quiet about values that a rule calls near", function()
    local strict = trained { seed = 1 }
    local lenient = trained { seed = 1, ignore = { { above = 150, below = 150 } } }
    local function spike() return 230 end
    assert.is_true(feed(strict, 601, 601, spike).grade > 0)
    assert.equal(0, feed(lenient, 601, 601, spike).grade)
  end)

  it("gives the same verdicts for the same seed, others for another", function()
    local a, b, c = trained { seed = 5 }, trained { seed = 5 }, trained { seed = 6 }
    local function next_row() return 120 end
    local score = feed(a, 601, 601, next_row).score
    assert.equal(score, feed(b, 601, 601, next_row).score)
    assert.not_equal(score, feed(c, 601, 601, next_row).score)
  end)

  it("scores a far point with log2(1 + samples)", function()
    local m = trained({ seed = 1, transform = "none", initial_accept = 1 }, 3000)
    local far = {}
    for i = 1, 8 do far[i] = 1e9 end
    assert.is_true(math.abs(parts.probe(m, far).score - math.log(257, 2)) < 1e-3)
  end)

  it("does not care where zero lies", function()
    local function scores(shift)
      local m, noise, list = new { seed = 3, transform = "none" }, random.new(1), {}
      for i = 1, 300 do
        list[i] = m:push(i * MINUTE_MS, { math.floor(wave(noise, i)) + shift }).score
      end
      return list
    end
    local here, there = scores(0), scores(64)
    for i = 100, 300 do assert.is_true(math.abs(here[i] - there[i]) < 1e-6) end
  end)
end)

describe("runtime.model forest, missing values", function()
  it("fills in a value that is missing and says so", function()
    local m = new { features = 2, seed = 1 }
    for i = 1, 100 do m:push(i * MINUTE_MS, { i % 5, 10 }) end
    local verdict = assert(m:push(101 * MINUTE_MS, { 0 / 0, 10 }))
    assert.is_true(verdict.scored)
    assert.same({ true, false }, verdict.imputed)
  end)

  it("does not score a row without any value, unless zeros stand for it", function()
    local previous, zero = trained { seed = 1 }, trained { seed = 1, impute = "zero" }
    local function nothing() return 0 / 0 end
    assert.is_false(feed(previous, 601, 601, nothing).scored)
    assert.is_true(feed(zero, 601, 601, nothing).grade > 0)
  end)

  it("passes over rows with a missing value when told not to impute", function()
    local m = trained { seed = 1, impute = "none" }
    assert.is_false(feed(m, 601, 601, function() return 0 / 0 end).scored)
  end)

  it("asks the forest for a missing value when told to", function()
    local m, noise = new { features = 2, seed = 4, impute = "forest" }, random.new(9)
    for i = 1, 800 do
      local value = wave(noise, i)
      m:push(i * MINUTE_MS, { value, value / 2 })
    end
    local value = wave(noise, 801)
    local verdict = assert(m:push(801 * MINUTE_MS, { value, 0 / 0 }))
    assert.equal(0, verdict.grade)
    assert.same({ false, true }, verdict.imputed)
  end)

  it("bridges a gap, be it of a million years", function()
    local m = trained { seed = 1 }
    local noise = random.new(5)
    for i, minute in ipairs { 605, 10 ^ 6, 10 ^ 12 // 1, 10 ^ 12 // 1 + 1 } do
      local verdict = assert(m:push(math.tointeger(minute) * MINUTE_MS, { wave(noise, i) }))
      assert.is_true(verdict.scored)
      assert.is_true(verdict.score < 8)
    end
  end)

  it("takes times that stand still or run backwards as the next row", function()
    local m, noise = trained { seed = 1 }, random.new(5)
    for _, minute in ipairs { 600, 599, 3, -10 } do
      assert.is_true(assert(m:push(minute * MINUTE_MS, { wave(noise, 601) })).scored)
    end
  end)
end)

describe("runtime.model forest, hard numbers", function()
  it("refuses infinity and leaves the model as it was", function()
    local a, b = trained { seed = 1 }, trained { seed = 1 }
    local verdict, err = a:push(601 * MINUTE_MS, { math.huge })
    assert.is_nil(verdict)
    assert.equal("invalid", err.kind)
    assert.equal(b:save(), a:save())
  end)

  it("scores a constant series, and the first other value highest", function()
    local m = new { seed = 1 }
    local usual = feed(m, 1, 20000, function() return 7 end)
    assert.equal(0, usual.grade)
    assert.is_true(usual.score > 0 and usual.score < 1)
    local other = feed(m, 20001, 20001, function() return 70 end)
    assert.is_true(other.score > 5)
    assert.is_true(other.grade > 0)
  end)

  it("survives huge, tiny and opposite numbers under every transform", function()
    local hard = { 1e30, -1e30, 1e300, -1e300, 5e-324, -5e-324, 1e-310, 0, -0.0, 1, 1.7e308, -1.7e308 }
    local transforms = { "none", "subtract_mean", "normalize", "difference", "normalize_difference" }
    for _, transform in ipairs(transforms) do
      local m = new { seed = 1, features = 2, transform = transform }
      for i = 1, 400 do
        local row = { hard[i % #hard + 1], hard[i * 5 % #hard + 1] }
        local verdict = assert(m:push(i * MINUTE_MS, row))
        if verdict.scored then
          assert.is_true(verdict.score >= 0 and verdict.score < 8.1, transform .. i)
          assert.is_true(verdict.grade >= 0 and verdict.grade <= 1)
        end
      end
      assert.equal(m:save(), assert(model.load(m:save())):save())
    end
  end)
end)

describe("runtime.model forest, saved", function()
  it("goes on after a load as if nothing had been", function()
    for _, options in ipairs {
      { seed = 1 }, { seed = 2, features = 3, shingle = 4 }, { seed = 3, shingle = 1 },
      { seed = 4, features = 2, shingle = 12, transform = "difference", impute = "forest" },
      { seed = 5, time_decay = 0.01 }, { seed = 6, samples = 512, trees = 10 },
    } do
      local a, noise = new(options), random.new(8)
      local b
      for i = 1, 1300 do
        if i == 5 or i == 60 or i == 1000 then b = assert(model.load((b or a):save())) end
        local row = {}
        for k = 1, options.features or 1 do row[k] = math.floor(wave(noise, i + 9 * k)) end
        if i % 97 == 0 then row[1] = 0 / 0 end
        local first = assert(a:push(i * MINUTE_MS, row))
        if b then assert.equal(text(first), text(assert(b:push(i * MINUTE_MS, row)))) end
      end
      assert.equal(a:save(), b:save())
    end
  end)

  it("refuses bytes with any damage", function()
    local bytes = trained({ seed = 1, trees = 3 }, 300):save()
    local noise = random.new(2)
    for _ = 1, 300 do
      local at = 1 + math.floor(noise:uniform() * #bytes)
      local bit = 1 << math.floor(noise:uniform() * 8)
      local damaged = bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ bit) .. bytes:sub(at + 1)
      local m, err = model.load(damaged)
      assert.is_nil(m)
      assert.equal("invalid", err.kind)
    end
    for _, size in ipairs { 0, 1, 15, 16, 100, #bytes - 1 } do
      assert.is_nil((model.load(bytes:sub(1, size))))
    end
    assert.is_nil((model.load(bytes .. "x")))
  end)

  it("names the option that cannot be", function()
    for name, value in pairs { shingle = 0, trees = 0, samples = 1, time_decay = 0, z_factor = -1 } do
      local m, err = model.new { [name] = value }
      assert.is_nil(m)
      assert.matches(name, err.reason, 1, true)
    end
  end)
end)
