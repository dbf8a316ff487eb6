local season = require "runtime.season"
local random = require "support.random"

local DAY, WEEK = 86400, 604800
local START = 1767571200 -- Monday, 5 January 2026

--- A window of `count` values of a function of time and noise.
local function window(seed, count, step, value)
  local r = random.new(seed * 7919)
  for _ = 1, 20 do r:uniform() end
  local values = {}
  for i = 1, count do values[i] = value(START + (i - 0.5) * step, r, i) end
  return values
end

local function found(values, step) return season.choose(values, START, step) end

--- How many of 100 seeds show a season in windows of two lengths.
local function false_alarms(make)
  local alarms = 0
  for seed = 1, 100 do
    local hit = #found(window(seed, 336, 900, make()), 900) + #found(window(seed, 336, 3600, make()), 3600)
    if hit > 0 then alarms = alarms + 1 end
  end
  return alarms
end

describe("runtime.season choose", function()
  it("finds a day in three days of half hours", function()
    local values = window(1, 144, 1800, function(t, r)
      return 10 * math.sin(2 * math.pi * t / DAY) + r:normal()
    end)
    assert.same({ "1 day" }, found(values, 1800))
  end)

  it("finds a period that no calendar has", function()
    local values = window(2, 336, 300, function(t, r)
      return 8 * math.sin(2 * math.pi * t / (7 * 3600)) + r:normal()
    end)
    assert.same({ "7 hours" }, found(values, 300))
  end)

  it("finds a job that runs once a day", function()
    local values = window(3, 336, 3600, function(t, r)
      return r:normal() + (t % DAY < 3600 and 20 or 0)
    end)
    assert.same({ "1 day" }, found(values, 3600))
  end)

  it("tells weekdays from weekends", function()
    local values = window(4, 336, 3600, function(t, r)
      local weekend = (t - START) % WEEK >= 5 * DAY
      return (weekend and 20 or 60) * math.exp(-(t % DAY / 3600 - 13) ^ 2 / 18) + r:normal()
    end)
    assert.same({ "1 day (weekend)", "1 day (weekdays)" }, found(values, 3600))
  end)

  it("finds a week whose days are all different", function()
    local values = window(5, 252, 7200, function(t, r)
      return 10 * math.sin(2 * math.pi * t / WEEK) + r:normal()
    end)
    assert.same({ "1 week" }, found(values, 7200))
  end)

  it("finds a day with outliers and gaps in it", function()
    local values = window(6, 336, 900, function(t, r, i)
      if i % 17 == 0 then return false end
      return 10 * math.sin(2 * math.pi * t / DAY) + r:normal() + (r:uniform() < 0.03 and 80 or 0)
    end)
    assert.same({ "1 day" }, found(values, 900))
  end)

  it("finds nothing in a constant, in nothing and in two values", function()
    assert.same({}, found(window(1, 336, 900, function() return 5 end), 900))
    assert.same({}, found({}, 900))
    assert.same({}, found({ 1, 2 }, 900))
    assert.same({}, found(window(1, 336, 900, function() return false end), 900))
  end)

  it("finds no season in noise, in at most one of 100 series", function()
    assert.is_true(false_alarms(function() return function(_, r) return r:normal() end end) <= 1)
  end)

  it("finds no season in a random walk, in at most one of 100 series", function()
    assert.is_true(false_alarms(function()
      local level = 0
      return function(_, r)
        level = level + r:normal()
        return level
      end
    end) <= 1)
  end)

  it("finds no season in one long bump, in at most one of 100 series", function()
    assert.is_true(false_alarms(function()
      local at, width
      return function(_, r, i)
        at = at or r:uniform() * 336
        width = width or 20 + r:uniform() * 100
        return r:normal() + 40 * math.exp(-((i - at) / width) ^ 2)
      end
    end) <= 1)
  end)

  it("finds no season in a step, in at most one of 100 series", function()
    assert.is_true(false_alarms(function()
      local at
      return function(_, r, i)
        at = at or r:uniform() * 336
        return r:normal() + (i > at and 40 or 0)
      end
    end) <= 1)
  end)
end)
