local residual = require "runtime.residual"
local draws = require "support.draws"
local special = require "runtime.special"

local sample = { 9, 11, 10, 12, 8, 10, 9, 11, 10, 10 }

-- Within a relative error of 1e-5 (the vectors have six digits), or the one given.
local function near(want, got, error)
  local scale = math.max(math.abs(want), 1e-300)
  assert.is_true(math.abs(got - want) <= (error or 1e-5) * scale,
    ("want %.9g, got %.9g"):format(want, got))
end

local function learned(values, options, keep)
  local r = residual.new(options or {})
  for _, value in ipairs(values) do
    r:learn(value)
    if keep then r:age(keep) end
  end
  return r
end

describe("runtime.model residual", function()
  it("learns the normal vector: prior and tails of its Student t", function()
    local r = learned(sample)
    local normal = r:state().normal
    assert.same({ mean = 10, precision = 10, shape = 6, rate = 6 }, normal)
    near(0.0807504, r:of("normal", 12))
    near(4.58368e-4, r:of("normal", 15))
    near(5.97840e-7, r:of("normal", 20))
  end)

  it("takes integers as uniform on their unit", function()
    local normal = learned(sample, { integer = true }):state().normal
    near(10.5, normal.mean)
    near(6.416667, normal.rate)
  end)

  it("takes back the unit when a fraction comes", function()
    local r = learned(sample, { integer = true })
    r:learn(10.5)
    near(learned({ 10.5, table.unpack(sample) }):state().normal.mean, r:state().normal.mean, 1e-3)
  end)

  it("learns the Poisson vector: tails and less likely mass", function()
    local r = learned(sample, { count = true, integer = true })
    assert.same({ shape = 100.1, rate = 10 }, r:state().poisson)
    local p, _, above = r:of("poisson", 15)
    near(0.128783, p)
    near(0.0939604, above)
    p, _, above = r:of("poisson", 20)
    near(0.00609704, p)
    near(0.00537108, above)
  end)

  it("finds the gamma shape of the vector", function()
    local fitted = residual.new {}
    for _, value in ipairs(sample) do fitted:learn(value - 0.1) end  -- its offset is 0.1
    near(90.4281, fitted:state().gamma.shape)
  end)

  it("weighs outliers as the vectors say", function()
    for tail, want in pairs { [1e-3] = { 1, 1 }, [5e-4] = { 0.632788, 0.933440 },
      [1e-4] = { 0.158489, 0.757858 }, [2e-5] = { 0.0253115, 0.575010 },
      [1e-5] = { 0.01, 0.5 }, [1e-30] = { 0.01, 0.5 } } do
      near(want[1], residual.outlier_weight(tail, 0))
      near(want[2], residual.outlier_weight(tail, 1))
    end
  end)

  it("knows nothing before it has learned", function()
    local r = residual.new { count = true, integer = true }
    local p, side = r:probability(1000)
    assert.equal(1, p)
    assert.equal("both", side)
    assert.is_false(r:state().informed)
  end)

  it("comes within two thousandths of the exact logarithms of tails where it expands them", function()
    local r = residual.new {}
    for i, value in ipairs(draws.normal(2, 150, 100, 5)) do
      r:learn(value)
      local normal = r:state().normal
      local scale = math.sqrt((normal.precision + 1) / normal.precision * normal.rate / normal.shape)
      for z = 0.5, i > 20 and 9 or 0, 1.7 do
        local exact = special.ln_t_above(2 * normal.shape, z)
        local _, _, above = r:of("normal", normal.mean + z * scale)
        near(exact, math.log(above), 2e-3)
      end
    end
  end)

  it("doubles the watched tail of a one-sided question", function()
    local r = learned(draws.normal(1, 500, 100, 10))
    local both, side = r:probability(130)
    assert.equal("above", side)
    near(both, (r:probability(130, "above")), 0.05)
    assert.equal(1, (r:probability(130, "below")))
    assert.equal("below", select(2, r:probability(70)))
  end)

  it("finds the family that the data have", function()
    local heavy = learned(draws.log_normal(1, 1000, 3, 1))
    assert.is_true(heavy:state().share.log_normal > 0.9)
    local skew = learned(draws.gamma2(1, 2000, 10))
    assert.is_true(skew:state().share.gamma > 0.9)
    local counts = learned(draws.poisson(1, 1000, 5), { count = true, integer = true })
    assert.is_true(counts:state().share.poisson > 0.9)
  end)

  it("solves quantiles on the averaged distribution", function()
    local r = learned(draws.normal(3, 300, 5, 2))
    for _, p in ipairs { 0.025, 0.25, 0.5, 0.9, 0.975 } do
      local x = r:quantile(p)
      near(math.min(p, 1 - p), r:tail(x), 1e-4)
    end
  end)

  it("widens around what it knows when the variance of a value is larger", function()
    local r = learned(draws.normal(3, 300, 5, 2))
    local usual, seasonal, few = r:probability(11), r:probability(11, "both", 4),
      r:probability(11, "both", 1, 4)
    assert.is_true(seasonal > 10 * usual and few > 10 * usual)
    local p = r:probability(8, "both", 1, 1)
    near(p, (r:probability(11, "both", 4)), 0.15)
  end)

  it("loses certainty but not its mean with age", function()
    local r = learned(draws.normal(3, 300, 50, 2))
    local before, p = r:state().mean, r:probability(58)
    for _ = 1, 3000 do r:age(math.exp(-0.0005 * 4)) end
    near(before, r:state().mean, 1e-3)
    assert.is_true((r:probability(58)) > 5 * p)
  end)

  it("does not let one outlier decide between the families", function()
    local r = learned(draws.normal(5, 400, 20, 2))
    local before = r:state().share.normal
    r:learn(2000)
    assert.is_true(math.abs(r:state().share.normal - before) < 0.05)
  end)

  it("gives a jump of a constant series the probability of the smallest spread", function()
    local r = residual.new {}
    for _ = 1, 100 do r:learn(50.5) end
    assert.is_true((r:probability(50.5)) > 0.5)
    assert.is_true((r:probability(50.6)) < 1e-20)
    assert.is_true((r:probability(50.505)) > 1e-4)
  end)

  it("does not care for the unit of normal data", function()
    local values = draws.normal(7, 300, 50, 5)
    local scaled = {}
    for i, value in ipairs(values) do scaled[i] = 1000 * value + 7 end
    near((learned(values):of("normal", 70)), (learned(scaled):of("normal", 70007)), 1e-9)
  end)

  it("goes on as if it had not been saved and loaded", function()
    local a = residual.new { count = true, integer = true }
    local b = residual.load(a:save())
    for i, value in ipairs(draws.poisson(9, 300, 3)) do
      for _, r in ipairs { a, b } do
        r:learn(value, 1 / 6)
        r:age(0.999)
      end
      if i % 7 == 0 then b = residual.load(b:save()) end
      assert.equal(a:save(), b:save())
    end
    assert.equal((a:probability(9)), (b:probability(9)))
  end)

  it("refuses bytes that are none", function()
    local bytes = learned(sample):save()
    for _, broken in ipairs { "", bytes:sub(1, -2), bytes .. "x", ("\255"):rep(#bytes) } do
      local r, err = residual.load(broken)
      assert.is_nil(r)
      assert.equal("invalid", err.kind)
    end
  end)
end)

describe("calibration of the residual over 20 seeds", function()
  local cases = {
    normal = function(seed, n) return draws.normal(seed, n, 100, 10) end,
    gamma = function(seed, n) return draws.gamma2(seed, n, 10) end,
    ["log-normal"] = function(seed, n) return draws.log_normal(seed, n, 3, 0.8) end,
    Poisson = function(seed, n) return draws.poisson(seed, n, 5) end,
  }
  -- The first buckets are left out: what little is known of the family shows there.
  local function share_below(make, options)
    local below, rare, zero, count = 0, 0, 0, 0
    for seed = 1, 20 do
      local r = residual.new(options)
      for i, value in ipairs(make(seed, 1000)) do
        if i > 100 then
          local p = r:probability(value)
          count = count + 1
          if p < 0.05 then below = below + 1 end
          if p < 1e-3 then rare = rare + 1 end
          if p == 0 then zero = zero + 1 end
        end
        r:learn(value)
        r:age(math.exp(-0.0005))
      end
    end
    return below / count, rare / count, zero
  end

  for name, make in pairs(cases) do
    it("gives " .. name .. " data p < 0.05 in 3 to 6 of 100 buckets", function()
      local counts = name == "Poisson"
      local below, rare, zero = share_below(make, { count = counts, integer = counts })
      assert.is_true(below > 0.03 and below < 0.06, ("share %.4f"):format(below))
      assert.is_true(rare < 0.002, ("share %.5f"):format(rare))
      assert.equal(0, zero)
    end)
  end
end)
