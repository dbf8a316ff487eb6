-- The vectors are those of elastic-model, chapter 13.
local parts = require "runtime.score_parts"

local HALF_HOUR, FIVE_MINUTES = 1800, 300

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

--- A normaliser that has seen so many zeros.
local function calm(count)
  local n = parts.normalizer(HALF_HOUR)
  n:zeros(count)
  return n
end

describe("runtime.model normalizer: ceilings", function()
  it("puts the probability on a scale from 5 to 100", function()
    local want = {
      [0.05] = 5, [0.035] = 10.452, [0.02] = 19.007, [0.01] = 29.603, [0.005] = 40.199,
      [0.002] = 54.206, [0.001] = 64.801, [5e-4] = 75.397, [2e-4] = 89.404, [1e-4] = 100,
      [1e-20] = 100,
    }
    for p, score in pairs(want) do close(score, parts.probability_ceiling(p), 6e-4) end
  end)

  it("widens a rank by how little was seen", function()
    local rows = {
      [20] = { 57.5, 21.2, 46.1, 40.6, 32.8 }, [100] = { 81.6, 54.8, 54.8, 34.0, 22.2 },
      [500] = { 94.1, 83.4, 54.7, 34.0, 21.8 }, [2000] = { 98.2, 93.8, 52.9, 34.7, 21.1 },
    }
    for n, scores in pairs(rows) do
      for i, rank in ipairs { 1, 1 - 1 / n, 0.99, 0.98, 0.97 } do
        close(scores[i], parts.percentile_ceiling(n, rank), 0.06)
      end
    end
  end)

  it("is bound by the probability where most scores are zero", function()
    for _, first in ipairs { 0, 100 } do
      local n = parts.normalizer(HALF_HOUR)
      local planted = { [50] = 0.02, [110] = 0.01, [190] = 0.006, [220] = 0.01, [290] = 0.015 }
      for i = 0, 499 do n:learn(0, planted[i] or (i < first and 0.0055 or 0)) end
      local want = { [0.02] = 41.628, [0.01] = 32.364, [0.006] = 26.169, [0.015] = 37.687 }
      -- one scope for all: compare below its largest with the largest's ceiling out of reach
      for raw, score in pairs(want) do close(score, n:score(raw * 1000 // 1, raw), 6e-4) end
    end
  end)

  it("is bound by the noise where most scores are alike", function()
    local n = parts.normalizer(HALF_HOUR)
    local planted = { [450] = 0.02, [460] = 0.01, [470] = 0.006, [480] = 0.015 }
    for i = 0, 499 do n:learn(0, planted[i] or (i < 400 and 0.0055 or 0)) end
    close(1.14, n:score(1, 0.02), 1e-9)
    close(1.04, n:score(1, 0.01), 1e-9)
    close(1.09, n:score(1, 0.015), 1e-9)
  end)

  it("compares with the largest of the own scope only", function()
    local n = calm(5000)
    n:learn(1, 40)
    assert.is_true(n:score(2, 20) > 90)
    close(75, n:score(1, 20), 1e-9)
    close(100 * 1.5 * 0.25, n:score(1, 10), 1e-9)
  end)

  it("gives nothing to what is not written", function()
    assert.equal(0, calm(10):score(1, 0))
    assert.equal(0, calm(10):score(1, parts.score(0.04)))
    assert.is_true(calm(100):score(1, parts.score(0.034)) > 0)
  end)

  it("is cautious in a young job and sure in an old, calm one", function()
    local raw = parts.score(1e-6)
    local want = { [20] = 57, [50] = 72, [100] = 82, [200] = 89, [500] = 94, [2000] = 98 }
    for count, score in pairs(want) do close(score, calm(count):score(1, raw), 0.7) end
    assert.is_true(parts.normalizer(HALF_HOUR):score(1, raw) < 50)
  end)

  it("gives the same score before and after it has learnt it", function()
    local n, raw = calm(500), parts.score(1e-8)
    local before = n:score(1, raw)
    n:learn(1, raw)
    close(before, n:score(1, raw), 1e-9)
  end)

  it("presses all but the top scores below 20 as anomalies accumulate", function()
    local n = parts.normalizer(HALF_HOUR)
    for i = 1, 2000 do n:learn(i, i % 10 == 0 and 1 + i / 100 or 0) end
    assert.is_true(n:score(0, 1 + 1000 / 100) < 20)
    assert.is_true(n:score(0, 1 + 1990 / 100) > 80)
  end)
end)

describe("runtime.model normalizer: learning", function()
  it("takes the largest of every few updates", function()
    -- five minutes: six updates make one sample, so six hundred zeros are a hundred
    local n, m = parts.normalizer(FIVE_MINUTES), parts.normalizer(HALF_HOUR)
    n:zeros(600)
    m:zeros(100)
    assert.equal(m:score(1, 5), n:score(1, 5))
  end)

  it("learns many zeros at once like one by one", function()
    local n, m = parts.normalizer(FIVE_MINUTES), parts.normalizer(FIVE_MINUTES)
    n:learn(1, 3)
    m:learn(1, 3)
    for _, count in ipairs { 1, 4, 13, 6, 100, 2 } do
      n:zeros(count)
      for _ = 1, count do m:learn(9, 0) end
    end
    assert.equal(m:save(), n:save())
  end)

  it("says when a largest score rose so much that the one before falls", function()
    local n = calm(1000)
    n:learn(1, 10)
    assert.is_false(n:moved())
    n:learn(1, 10.9)
    assert.is_false(n:moved())
    n:learn(1, 22)
    assert.is_true(n:moved())
    n:age()
    assert.is_false(n:moved())
  end)

  it("does not say so of scores that are low for other reasons", function()
    local n = calm(1000)
    n:learn(1, 0.001)
    n:learn(1, 0.0012)
    assert.is_false(n:moved())
  end)

  it("forgets a scope after fifty buckets without a value", function()
    local n = calm(5000)
    n:learn(1, 40)
    for _ = 1, 50 do n:age() end
    assert.is_true(n:score(1, 10) < 40)
    n:age()
    assert.is_true(n:score(1, 10) > 90)
  end)

  it("remembers a scope that goes on with zeros", function()
    local n = calm(5000)
    n:learn(1, 40)
    for _ = 1, 80 do
      n:age()
      n:learn(1, 0)
    end
    assert.is_true(n:score(1, 10) < 45)
  end)

  it("keeps scopes apart", function()
    local n = calm(100000)
    for i = 1, 100 do n:learn(i, 10 + i % 50) end
    for i = 1, 100 do close(75, n:score(i, (10 + i % 50) / 2), 1e-9) end
  end)

  it("frees the room of thousands of scopes that are forgotten", function()
    local n = parts.normalizer(HALF_HOUR)
    for i = 1, 5000 do n:learn(i * 7919, 1) end
    assert.is_true(#n:save() > 5000 * 28)
    for _ = 1, 51 do n:age() end
    assert.is_true(#n:save() < 1000)
  end)

  it("keeps its size and its top when scores are never the same", function()
    local n = parts.normalizer(HALF_HOUR)
    for i = 1, 5000 do n:learn(0, (i * 7919 % 5000) / 100) end
    assert.is_true(#n:save() < 512 * 12 + 200)
    close(21.1, n:score(1, 48.5), 1)  -- a rank of 0.97
  end)
end)

describe("runtime.model normalizer: saving", function()
  local function used()
    local n = parts.normalizer(FIVE_MINUTES)
    for i = 1, 3000 do
      if i % 50 == 0 then n:age() end
      n:learn(i % 50, i % 97 == 0 and i / 100 or 0)
    end
    return n
  end

  it("goes on as if it had not been saved", function()
    local n = used()
    local m = assert(parts.normalizer(FIVE_MINUTES, n:save()))
    for i = 1, 500 do
      if i % 50 == 0 then n:age() m:age() end
      n:learn(i % 60, i % 31 == 0 and i / 50 or 0)
      m:learn(i % 60, i % 31 == 0 and i / 50 or 0)
      assert.equal(n:score(i % 60, 3), m:score(i % 60, 3))
    end
    assert.equal(n:save(), m:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = used():save()
    for size = 0, #bytes - 1, 7 do
      local n, err = parts.normalizer(FIVE_MINUTES, bytes:sub(1, size))
      assert.is_nil(n)
      assert.equal("invalid", err.kind)
    end
  end)

  it("survives bytes that are damaged", function()
    local bytes = used():save()
    for at = 1, #bytes, 5 do
      local damaged = bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 0xff)
        .. bytes:sub(at + 1)
      local n = parts.normalizer(FIVE_MINUTES, damaged)
      if n then assert.is_true(n:score(1, 5) <= 100) end
    end
  end)
end)
