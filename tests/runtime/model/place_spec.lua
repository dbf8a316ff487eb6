local parts = require "runtime.kind_parts"
local seed

local function noise()
  local sum = 0
  for _ = 1, 12 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    sum = sum + seed / 2147483648
  end
  return sum - 6
end

--- Learns so many points around these places in turn.
local function visits(count, places, spread)
  local p = parts.place()
  for i = 1, count do
    local place = places[i % #places + 1]
    p:learn(place[1] + noise() * spread, place[2] + noise() * spread)
  end
  return p
end

local BERLIN, PARIS, LONDON = { 52.5, 13.4 }, { 48.9, 2.35 }, { 51.5, -0.1 }

describe("runtime.model place", function()
  before_each(function() seed = 11 end)

  it("finds a place far from all usual ones improbable", function()
    local p = visits(200, { BERLIN, PARIS }, 0.1)
    assert.is_true(p:probability(52.52, 13.45) > 0.1)
    assert.is_true(p:probability(48.85, 2.3) > 0.1)
    assert.is_true(p:probability(40.7, -74) < 1e-6)
    assert.is_true(p:probability(50.7, 7.9) < 1e-4)  -- between the two
  end)

  it("names the usual place that is nearest", function()
    local p = visits(300, { BERLIN, PARIS, LONDON }, 0.05)
    local lat, lon = p:typical(51, 0.5)
    assert.is_true(math.abs(lat - 51.5) < 0.2 and math.abs(lon + 0.1) < 0.2)
    lat, lon = p:typical(53, 14)
    assert.is_true(math.abs(lat - 52.5) < 0.2 and math.abs(lon - 13.4) < 0.2)
  end)

  it("is calibrated: few of the usual points are improbable", function()
    local p, low = visits(400, { BERLIN }, 0.2), 0
    for _ = 1, 1000 do
      if p:probability(52.5 + noise() * 0.2, 13.4 + noise() * 0.2) < 0.05 then low = low + 1 end
    end
    assert.is_true(low >= 25 and low <= 75, tostring(low))
  end)

  it("follows the direction in which points spread", function()
    local p = parts.place()
    for _ = 1, 300 do
      local along = noise()
      p:learn(50 + along + noise() * 0.05, 10 + along + noise() * 0.05)
    end
    assert.is_true(p:probability(51, 11) > 10 * p:probability(51, 9))
  end)

  it("has no border at the date line", function()
    local p = visits(100, { { -17, 179.9 }, { -17, -179.9 } }, 0.05)
    assert.is_true(p:probability(-17, 180) > 0.01)
    local _, lon = p:typical(-17, 179.5)
    assert.is_true(math.abs(lon) > 179)
  end)

  it("knows nothing of the first points", function()
    local p = parts.place()
    assert.equal(1, p:probability(1, 2))
    p:learn(1, 2)
    p:learn(1, 2)
    assert.equal(1, p:probability(50, 60))
    p:learn(1, 2)
    assert.is_true(p:probability(50, 60) < 0.05)
  end)

  it("goes on as if it had not been saved", function()
    local p = visits(100, { BERLIN, LONDON }, 0.1)
    local q = assert(parts.place(p:save()))
    for _ = 1, 20 do
      local lat, lon = 52.5 + noise(), 13.4 + noise()
      for _, model in ipairs { p, q } do
        model:age(0.99)
        model:learn(lat, lon)
      end
      assert.equal(p:probability(lat, lon), q:probability(lat, lon))
    end
    assert.equal(p:save(), q:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = visits(20, { BERLIN }, 0.1):save()
    for size = 0, #bytes - 1, 9 do
      local p, err = parts.place(bytes:sub(1, size))
      assert.is_nil(p)
      assert.equal("invalid", err.kind)
    end
  end)
end)
