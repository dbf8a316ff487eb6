local parts = require "runtime.kind_parts"
local series = { seed = 7 }

--- A normal deviate, seeded.
local function noise()
  local sum = 0
  for _ = 1, 12 do
    series.seed = (series.seed * 1103515245 + 12345) % 2147483648
    sum = sum + series.seed / 2147483648
  end
  return sum - 6
end

local DAY, HOUR = 86400, 3600

--- Learns a day's events around these hours, for so many days.
local function habits(days, hours, spread_s, period)
  local t = parts.time_of(period or DAY)
  for day = 0, days - 1 do
    local events = {}
    for i, hour in ipairs(hours) do events[i] = (hour * HOUR + noise() * spread_s) % DAY end
    t:learn(day * DAY, events)
  end
  return t
end

describe("runtime.model time_of", function()
  before_each(function() series.seed = 7 end)

  it("alerts at night", function()
    local t = habits(60, { 9, 12, 17 }, 1800)
    assert.is_true(t:probability(60 * DAY, { 12.3 * HOUR }) > 0.1)
    assert.is_true(t:probability(60 * DAY, { 3 * HOUR }) < 1e-4)
  end)

  it("knows several busy hours apart", function()
    local t = habits(60, { 6, 20 }, 900)
    assert.is_true(t:probability(60 * DAY, { 13 * HOUR }) < 1e-4)
    assert.is_true(math.abs(t:typical(7 * HOUR) - 6 * HOUR) < 900)
    assert.is_true(math.abs(t:typical(19 * HOUR) - 20 * HOUR) < 900)
  end)

  it("has no border at midnight", function()
    local t = habits(60, { 0 }, 1200)
    assert.is_true(t:probability(60 * DAY, { 23.9 * HOUR }) > 0.2)
    assert.is_true(t:probability(60 * DAY, { 0.1 * HOUR }) > 0.2)
    assert.is_true(t:probability(60 * DAY, { 12 * HOUR }) < 1e-4)
    local typical = t:typical(23 * HOUR)
    assert.is_true(typical < 0.2 * HOUR or typical > 23.8 * HOUR)
  end)

  it("finds nothing strange in events all around the clock", function()
    local hours = {}
    for hour = 0, 23 do hours[hour + 1] = hour + 0.5 end
    local t = habits(20, hours, 1800)
    for hour = 0, 23.5, 0.5 do
      assert.is_true(t:probability(20 * DAY, { hour * HOUR }) > 0.001, tostring(hour))
    end
  end)

  it("is calibrated: few of the usual events are improbable", function()
    local t, low = habits(200, { 8, 14 }, 2400), 0
    for i = 1, 1000 do
      local at = ((i % 2 == 0 and 8 or 14) * HOUR + noise() * 2400) % DAY
      if t:probability(200 * DAY, { at }) < 0.05 then low = low + 1 end
    end
    assert.is_true(low >= 20 and low <= 80, tostring(low))
  end)

  it("excuses a young model", function()
    local t = parts.time_of(DAY)
    assert.equal(1, t:probability(0, { 5 * HOUR }))
    t:learn(0, { 5 * HOUR })
    assert.is_true(t:probability(6 * HOUR, { 11 * HOUR }) > 0.9)
    for day = 1, 5 do t:learn(day * DAY, { 5 * HOUR }) end
    assert.is_true(t:probability(6 * DAY, { 11 * HOUR }) < 0.01)
  end)

  it("gives many events the probability of one like them", function()
    local t = habits(60, { 9 }, 1800)
    local one, many = t:probability(60 * DAY, { 10 * HOUR }), {}
    for i = 1, 50 do many[i] = 10 * HOUR end
    assert.is_true(math.abs(t:probability(60 * DAY, many) / one - 1) < 1e-9)
    assert.equal(1, t:probability(60 * DAY, {}))
  end)

  it("learns a new habit, but not from its first time", function()
    local t = habits(60, { 9 }, 900)
    t:learn(60 * DAY, { 22 * HOUR })
    assert.is_true(t:probability(60 * DAY, { 22 * HOUR }) < 0.01)
    for day = 61, 180 do t:learn(day * DAY, { 9 * HOUR + noise() * 900, 22 * HOUR + noise() * 900 }) end
    assert.is_true(t:probability(181 * DAY, { 22 * HOUR }) > 0.1)
  end)

  it("tells weekdays from weekends in a week", function()
    local t = parts.time_of(7 * DAY)
    for week = 0, 20 do
      local events = {}
      for day = 0, 4 do events[#events + 1] = day * DAY + 12 * HOUR + noise() * HOUR end
      t:learn(week * 7 * DAY, events)
    end
    assert.is_true(t:probability(21 * 7 * DAY, { 2 * DAY + 12 * HOUR }) > 0.05)
    assert.is_true(t:probability(21 * 7 * DAY, { 6 * DAY }) < 0.001)
  end)

  it("goes on as if it had not been saved", function()
    local t = habits(30, { 9, 17 }, 1800)
    local u = assert(parts.time_of(DAY, t:save()))
    for day = 30, 40 do
      local at = { (9 * HOUR + noise() * 1800) % DAY }
      for _, model in ipairs { t, u } do
        model:age(0.99)
        model:learn(day * DAY, at)
      end
      assert.equal(t:probability(day * DAY, at), u:probability(day * DAY, at))
    end
    assert.equal(t:save(), u:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = habits(10, { 9, 17 }, 1800):save()
    for size = 0, #bytes - 1, 5 do
      local t, err = parts.time_of(DAY, bytes:sub(1, size))
      assert.is_nil(t)
      assert.equal("invalid", err.kind)
    end
  end)
end)
