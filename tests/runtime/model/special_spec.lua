local special = require "runtime.special"

-- Within a relative error of 1e-10, or the one given.
local function near(want, got, error)
  local scale = math.max(math.abs(want), 1e-300)
  assert.is_true(math.abs(got - want) <= (error or 1e-10) * scale,
    ("want %.15g, got %.15g"):format(want, got))
end

describe("runtime.model special functions", function()
  it("agree with tables of the normal distribution", function()
    near(0.0013498980316300946, special.normal_above(3))
    near(1.959963984540054, special.normal_quantile(0.975))
    near(-1.959963984540054, special.normal_quantile(0.025))
    near(0.8413447460685429, special.normal_below(1))
  end)

  it("give the logarithm of normal tails far below the smallest double", function()
    near(-804.6084420137538, special.ln_normal_above(40))
    near(-5e6 - math.log(math.sqrt(2e7 * math.pi)), special.ln_normal_above(math.sqrt(1e7)))
    near(math.log(0.5), special.ln_normal_above(0))
  end)

  it("join the exact normal tail and its asymptotic series without a step", function()
    local slope = special.ln_normal_above(29.999999) - special.ln_normal_above(30.000001)
    near(30.0332226 * 2e-6, slope, 1e-4)
  end)

  it("invert the normal tail over its whole range", function()
    for _, z in ipairs { -8, -1, 0.5, 3, 10, 30, 38, 60, 1000 } do
      near(z, special.ln_normal_quantile_above(special.ln_normal_above(z)), 1e-7)
    end
  end)

  it("agree with closed forms of the gamma distribution", function()
    near(math.exp(-3), special.gamma_above(1, 3))
    near(1 - math.exp(-3), special.gamma_below(1, 3))
    near(-5000, special.ln_gamma_above(1, 5000))
    near(-5000 + math.log(5001), special.ln_gamma_above(2, 5000))
    near(200 * math.log(1e-5) - special.ln_gamma(201), special.ln_gamma_below(200, 1e-5), 1e-7)
    near(3, special.gamma_quantile_above(1, math.exp(-3)))
  end)

  it("agree with closed forms of the beta distribution", function()
    near(0.2 ^ 3, special.beta_below(3, 1, 0.2))
    near(3000 * math.log(0.2), special.ln_beta_below(3000, 1, 0.2))
    near(4000 * math.log(1e-3), special.ln_beta_above(1, 4000, 1 - 1e-3, 1e-3))
    near(0.2, special.beta_quantile(3, 1, 0.2 ^ 3))
    near(special.ln_beta_below(300, 2000, 0.01), special.ln_beta_above(2000, 300, 0.99, 0.01))
  end)

  it("agree with closed forms of Student's t", function()
    near(0.25, 1 - special.t_below(1, 1))
    near(math.log(1 / (math.pi * 1e200)), special.ln_t_above(1, 1e200))
    near(special.ln_normal_above(5), special.ln_t_above(1e9, 5), 1e-6)
    near(12.706204736174698, special.t_quantile(1, 0.975))
  end)

  it("agree with the beta integral for t of few and many degrees, near and far", function()
    for _, freedom in ipairs { 0.5, 1, 1.7, 3.3, 9, 19.99, 20, 50, 250, 1000, 20000 } do
      for t = 0.25, 12, 0.75 do
        local beta = special.beta_below(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
        local tail = math.exp(special.ln_t_above(freedom, t))
        assert.is_true(math.abs(tail / beta - 1) < 5e-9, ("%g %g: %g"):format(freedom, t, tail / beta - 1))
        near(tail, special.t_below(freedom, -t))
      end
    end
  end)

  it("give the logarithm of t tails far below the smallest double", function()
    -- P(T > t) of 2 degrees is (1 - t / sqrt(2 + t^2)) / 2; of many, t^-n times a constant.
    local ln10 = special.ln_t_above(200, 1e5) - special.ln_t_above(200, 1e6)
    near(200 * math.log(10), ln10, 1e-6)
    near(-20 * math.log(10), special.ln_t_above(2, math.sqrt(0.5) * 1e10), 1e-6)
  end)

  it("agree with the constants of the digamma function", function()
    near(-0.5772156649015329, special.digamma(1))
    near(math.pi ^ 2 / 6, special.trigamma(1))
    near(math.log(math.pi), 2 * special.ln_gamma(0.5))
    near(-math.log(1e9), special.ln_beta(1, 1e9))
  end)

  it("answer NaN outside their domain", function()
    for _, got in ipairs { special.normal_quantile(2), special.gamma_above(-1, 1),
      special.beta_below(1, 1, 2), special.t_quantile(0, 0.5) } do
      assert.is_true(got ~= got)
    end
  end)
end)
