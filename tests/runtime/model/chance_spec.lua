-- The vectors are those of elastic-model, chapter 13.
local parts = require "runtime.score_parts"

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

--- Equal to so many of the digits that a vector gives.
local function near(want, got) close(want, got, math.abs(want) * 5e-6 + 1e-12) end

describe("runtime.model chance: raw score", function()
  it("follows the published points", function()
    local points = {
      { 0.05, 0 }, { 0.02, 0.003006 }, { 0.01, 0.008016 },
      { 0.001, 0.098196 }, { 1e-4, 1 }, { 1e-5, 2.065217 }, { 1e-6, 3.130435 },
      { 1e-10, 7.391304 }, { 1e-20, 18.043478 }, { 1e-50, 50 }, { 1e-100, 59.702986 },
      { 1e-200, 79.108957 }, { 2.2250738585072014e-308, 100 },
    }
    for _, point in ipairs(points) do close(point[2], parts.score(point[1]), 5e-7) end
    close(0.000859, parts.score(0.035), 5e-7)
  end)

  it("follows the normal deviates", function()
    close(0.035110, parts.score(0.0026997960632602), 5e-7)
    close(1.211238, parts.score(6.33424836662398e-5), 5e-7)
    close(3.387808, parts.score(5.73303143758389e-7), 5e-7)
    close(6.011671, parts.score(1.97317529007540e-9), 5e-7)
    close(12.616316, parts.score(1.24419211485436e-15), 5e-7)
  end)

  it("is 0 for what is likely and 100 below the smallest double", function()
    assert.equal(0, parts.score(1))
    assert.equal(0, parts.score(0.06))
    assert.equal(100, parts.score(0))
  end)

  it("is undone by its inverse", function()
    for _, p in ipairs { 0.03, 0.001, 1e-4, 1e-5, 1e-20, 1e-50, 1e-100, 1e-300 } do
      local back = parts.inverse(parts.score(p))
      close(0, math.log(back / p), 1e-9)
    end
    assert.equal(0.525, parts.inverse(0))
    close(1 / (20 + 9980 * 0.5), parts.inverse(0.5), 1e-15)
  end)
end)

describe("runtime.model chance: many as one", function()
  it("joins independent probabilities", function()
    near(0.00131371, math.exp(parts.joint { 0.01, 0.01 }))
    near(0.00920342, math.exp(parts.joint { 0.05, 0.05, 0.05 }))
    near(4.11451e-4, math.exp(parts.joint { 0.5, 1e-4 }))
  end)

  it("leaves a single probability alone", function()
    for _, p in ipairs { 0.9, 0.05, 1e-10, 1e-200 } do
      close(math.log(p), parts.joint { p }, 1e-9 * -math.log(p))
    end
  end)

  it("weighs: a probability of weight two counts as two", function()
    close(parts.joint { 0.01, 0.01, 0.3 }, parts.joint({ 0.01, 0.3 }, { 2, 1 }), 1e-12)
  end)

  it("goes on below the smallest double", function()
    local ln_p = parts.joint { 1e-300, 1e-300, 1e-300 }
    assert.is_true(ln_p < -1900 and ln_p > -2100, ("%g"):format(ln_p))
  end)

  it("finds the chance of the smallest of n", function()
    near(9.99550e-4, math.exp(parts.extreme(1e-4, 10)))
    near(9.99501e-4, math.exp(parts.extreme(1e-6, 1000)))
    close(math.log(1e-300 * 7), parts.extreme(1e-300, 7), 1e-9)
    assert.equal(0, parts.extreme(1, 3))
  end)

  it("agrees with counting for the two smallest of three", function()
    -- 3 uniforms, the smallest at most a, the second at most b: by inclusion and exclusion
    local a, b = 0.1, 0.3
    local none_below_a = (1 - a) ^ 3
    local second_above_b = (1 - b) ^ 3 + 3 * b * (1 - b) ^ 2
    local both = (1 - b) ^ 3 + 3 * (b - a) * (1 - b) ^ 2
    close(1 - none_below_a - second_above_b + both, math.exp(parts.smallest({ a, b }, 3)), 1e-12)
  end)

  it("finds the smallest one of n like the extreme", function()
    close(parts.extreme(0.01, 20), parts.smallest({ 0.01 }, 20), 1e-12)
  end)

  it("is certain when all thresholds are one", function()
    assert.equal(0, parts.smallest({ 1, 1, 1 }, 3))
  end)

  it("combines two correlated probabilities", function()
    local rho = parts.window_correlation(12)
    local vectors = {
      { 0.01, 0.01, 0.010441 }, { 1e-4, 1, 7.2092e-5 }, { 1e-4, 1e-4, 3.02019e-5 },
      { 1e-6, 0.5, 1.40653e-6 }, { 1e-6, 1e-6, 7.15866e-8 }, { 0.5, 0.5, 0.731394 },
    }
    for _, v in ipairs(vectors) do close(v[3], parts.pair(v[1], v[2], rho), v[3] * 5e-5) end
  end)

  it("knows how the newest bucket correlates with its window", function()
    local want = { [2] = 0.743294, [6] = 0.514570, [9] = 0.472815, [12] = 0.454389 }
    for n, rho in pairs(want) do close(rho, parts.window_correlation(n), 5e-7) end
  end)
end)

describe("runtime.model chance: aggregation", function()
  local function raw(...)
    local _, score = parts.aggregate("attributes", { ... })
    return score
  end

  it("gives the published scores of attributes", function()
    close(0.078557, raw(0.001), 5e-7)
    close(0.002405, raw(0.02), 5e-7)
    assert.equal(0, raw(0.1))
    close(0.318231, raw(.11, .13, .12, .22, .14, .09, .01, .13, .15, .14, .11, .13, .12, .22,
      .09, .01), 5e-7)
    close(0.137591, raw(.21, .52, .13, .67, .89, .32, .46, .222, .35, .93, .89, .32, .46,
      .000021), 5e-7)
    close(0.029413, raw(.21, .52, .0058, .13, .67, .89, .32, .03, .46, .222, .35, .93, .01, .89,
      .32, .46, .0021), 5e-7)
    close(86.996, raw(1e-100, 1.7e-20, 1.6e-150, 2.2e-150, 1.3e-180, 1.35e-95, 1.7e-180,
      1.21e-300), 0.02)
  end)

  it("gives four fifths of its score to a single child", function()
    local p, score = parts.aggregate("detectors", { 1e-4 })
    close(0.8, score, 1e-9)
    close(1e-4, p, 1e-12)
  end)

  it("weighs the joint and the extreme of two detectors", function()
    local p, score = parts.aggregate("detectors", { 1e-4, 0.5 })
    close(0.296219, score, 5e-7)
    near(2.69155e-4, p)
  end)

  it("looks at people's extreme alone", function()
    local children = { 1e-6 }
    for i = 2, 1000 do children[i] = 0.04 end
    local p = parts.aggregate("people", children)
    near(9.99501e-4, p)
  end)

  it("does not score children that are all likely", function()
    local p, score = parts.aggregate("attributes", { 0.6, 0.7 })
    assert.equal(0, score)
    assert.is_true(p > 0.035 and p <= 1)
  end)

  it("does not depend on the order of the children", function()
    local p = parts.aggregate("attributes", { 0.3, 0.001, 0.02, 0.9, 0.04, 0.5, 0.01 })
    local q = parts.aggregate("attributes", { 0.01, 0.5, 0.9, 0.04, 0.02, 0.001, 0.3 })
    close(1, p / q, 1e-12)
  end)

  it("is certain of nothing", function()
    local p, score = parts.aggregate("people", {})
    assert.equal(1, p)
    assert.equal(0, score)
  end)
end)
