local parts = require "runtime.score_parts"

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

--- Two detectors: the first says 1e-8 as often as the second says 1e-4.
local function loud_and_quiet()
  local e = parts.equalizer(2)
  for i = 1, 50 do
    e:learn(1, 10 ^ -(8 + i / 50))
    e:learn(2, 10 ^ -(4 + i / 50))
  end
  return e
end

describe("runtime.model equalizer", function()
  it("makes what is as unusual for each detector equal", function()
    local e = loud_and_quiet()
    local loud, quiet = e:correct(1, 10 ^ -8.5), e:correct(2, 10 ^ -4.5)
    close(0, math.log(loud / quiet), 1e-9)
    close(-6.5, math.log(loud, 10), 1e-6)
  end)

  it("changes nothing until every detector was heard twice", function()
    local e = parts.equalizer(2)
    for _ = 1, 10 do e:learn(1, 1e-9) end
    e:learn(2, 1e-3)
    assert.equal(1e-9, e:correct(1, 1e-9))
    e:learn(2, 1e-3)
    assert.is_true(e:correct(1, 1e-9) > 1e-8)
  end)

  it("changes nothing that is not significant", function()
    local e = loud_and_quiet()
    assert.equal(0.05, e:correct(1, 0.05))
    assert.equal(0.7, e:correct(1, 0.7))
  end)

  it("changes little just below 0.05", function()
    close(0.0499, loud_and_quiet():correct(1, 0.0499), 1e-3)
  end)

  it("changes nothing between detectors that say the same", function()
    local e = parts.equalizer(3)
    for i = 1, 60 do
      for detector = 1, 3 do e:learn(detector, 10 ^ -(2 + i / 20)) end
    end
    for _, p in ipairs { 1e-3, 10 ^ -3.5, 1e-4, 10 ^ -4.2 } do
      close(0, math.log(e:correct(2, p) / p), 1e-9)
    end
  end)

  it("is silent for a job of one detector", function()
    local e = parts.equalizer(1)
    for _ = 1, 10 do e:learn(1, 1e-9) end
    assert.equal(1e-9, e:correct(1, 1e-9))
  end)

  it("keeps at most a hundred points, and the ranks", function()
    local e = parts.equalizer(2)
    for i = 1, 2000 do
      e:learn(1, 10 ^ -(4 + i * 7919 % 2000 / 200))
      e:learn(2, 10 ^ -(4 + i * 7919 % 2000 / 200))
    end
    assert.is_true(#e:save() <= 2 * (12 + 100 * 16))
    close(-9, math.log(e:correct(1, 1e-9), 10), 0.1)
  end)

  it("goes on as if it had not been saved", function()
    local e = loud_and_quiet()
    e:age(0.99)
    local f = assert(parts.equalizer(2, e:save()))
    e:learn(1, 1e-7)
    f:learn(1, 1e-7)
    assert.equal(e:correct(2, 1e-5), f:correct(2, 1e-5))
    assert.equal(e:save(), f:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = loud_and_quiet():save()
    for size = 0, #bytes - 1, 11 do
      local e, err = parts.equalizer(2, bytes:sub(1, size))
      assert.is_nil(e)
      assert.equal("invalid", err.kind)
    end
  end)
end)
