local season = require "runtime.season"
local random = require "support.random"

local DAY = 86400
local START = 1767571200 -- Monday, 5 January 2026

local function generator(seed)
  local r = random.new(seed)
  for _ = 1, 20 do r:uniform() end
  return r
end

--- Learns buckets [from, to) of a function of time and noise; returns what was told, with days.
local function learn(d, span, from, to, value, r)
  local told = {}
  for i = from, to - 1 do
    local t = START + (i + 0.5) * span
    local news = d:learn(t, value(t, r, i))
    d:age(span)
    for _, text in ipairs(news and news.texts or {}) do
      told[#told + 1] = { day = i * span / DAY, text = text, news = news }
    end
  end
  return told
end

local function told_of(told, pattern)
  for _, one in ipairs(told) do
    if one.text:find(pattern) then return one end
  end
end

local function sine(t, r) return 100 + 10 * math.sin(2 * math.pi * t / DAY) + r:normal() end

describe("runtime.season decomposition", function()
  it("expects 0, without width, before it has found anything", function()
    local d, r = season.new(300), generator(1)
    learn(d, 300, 0, 500, function() return 50 + r:normal() end)
    assert.same({ 0, 0, 0 }, { d:predict(START + DAY, 0.5) })
    assert.equal(1, d:scale(START, 1))
    assert.equal(0, d:components())
  end)

  it("finds a daily sine of five-minute buckets at 3.5 days", function()
    local told = learn(season.new(300), 300, 0, 5 * 288, sine, generator(7))
    local found = told_of(told, "component")
    assert.equal("Detected seasonal component with period 1 day", found.text)
    assert.equal(3.5, found.day)
    assert.is_true(found.news.relearn and found.news.seasonal)
  end)

  it("predicts a sine's amplitude within 5 %", function()
    local d = season.new(300)
    learn(d, 300, 0, 8 * 288, sine, generator(7))
    local high, low = -math.huge, math.huge
    for i = 0, 287 do
      local mean = d:predict(START + 8 * DAY + i * 300)
      high, low = math.max(high, mean), math.min(low, mean)
    end
    assert.is_true(math.abs((high - low) / 20 - 1) < 0.05)
  end)

  it("refills the residuals with the deviation of single values", function()
    local told = learn(season.new(300), 300, 0, 5 * 288, sine, generator(9))
    local residuals = told_of(told, "component").news.residuals
    local squares = 0
    for _, r in ipairs(residuals) do squares = squares + r[2] ^ 2 end
    assert.equal(336, #residuals)
    assert.is_true(math.abs(math.sqrt(squares / 336) - 1) < 0.1)
  end)

  it("finds weekdays and weekends after two weeks", function()
    local told = learn(season.new(1800), 1800, 0, 15 * 48, function(t, r)
      local weekend = (t - START) % (7 * DAY) >= 5 * DAY
      return 10 + (weekend and 20 or 60) * math.exp(-(t % DAY / 3600 - 13) ^ 2 / 18) + 2 * r:normal()
    end, generator(3))
    assert.equal(14, told_of(told, "weekend").day)
    assert.equal(14, told_of(told, "weekdays").day)
  end)

  it("removes a season that has ended", function()
    local d = season.new(1800)
    learn(d, 1800, 0, 48 * 20, sine, generator(4))
    assert.equal(1, d:components())
    local told = learn(d, 1800, 48 * 20, 48 * 90, function(_, r) return 100 + r:normal() end, generator(5))
    assert.is_truthy(told_of(told, "^Removed all seasonality$"))
    assert.equal(0, d:components())
  end)

  it("follows a straight line once it is one beyond doubt", function()
    local d = season.new(1800)
    local told = learn(d, 1800, 0, 48 * 4, function(_, r, i) return i + r:normal() end, generator(6))
    assert.is_truthy(told_of(told, "^Detected trend$"))
    local mean = d:predict(START + 48 * 4 * 1800)
    assert.is_true(math.abs(mean - 192) < 1.5)
  end)

  it("never expects less than nothing of values that never were", function()
    local d = season.new(1800)
    learn(d, 1800, 0, 48 * 8, function(t, r)
      return math.max(0, 10 * math.sin(2 * math.pi * t / DAY) + r:normal())
    end, generator(8))
    for i = 0, 47 do
      local mean, lower = d:predict(START + 8 * DAY + i * 1800, 0.5)
      assert.is_true(mean >= 0 and lower >= 0)
    end
  end)

  it("scales by where in the day values scatter more", function()
    local d = season.new(1800)
    learn(d, 1800, 0, 48 * 20, function(t, r)
      local noon = t % DAY >= DAY / 2
      return 100 + 20 * math.sin(2 * math.pi * t / DAY) + (noon and 4 or 1) * r:normal()
    end, generator(10))
    local loud, calm = d:scale(START + 20.75 * DAY, 8.5), d:scale(START + 20.25 * DAY, 8.5)
    assert.is_true(loud > 1.4 and calm < 0.7)
    assert.equal(1, d:scale(START + 20.25 * DAY, 8.5, 1))
  end)

  it("answers the same after all times were shifted by a week", function()
    local here, later = season.new(1800), season.new(1800)
    local r = generator(11)
    for i = 0, 48 * 16 do
      local t = START + (i + 0.5) * 1800
      local value = sine(t, r)
      here:learn(t, value)
      later:learn(t + 7 * DAY, value)
    end
    local a, b = here:predict(START + 17 * DAY), later:predict(START + 24 * DAY)
    assert.equal(1, here:components())
    assert.is_true(math.abs(a - b) < 1e-4)
  end)

  it("moves and stretches its answers with the data", function()
    local plain, moved = season.new(1800), season.new(1800)
    local r = generator(12)
    for i = 0, 48 * 8 do
      local t = START + (i + 0.5) * 1800
      local value = sine(t, r)
      plain:learn(t, value)
      moved:learn(t, 3 * value - 1000)
    end
    local a, b = plain:predict(START + 9 * DAY), moved:predict(START + 9 * DAY)
    assert.is_true(math.abs(3 * a - 1000 - b) < 1e-3)
  end)

  it("saves and loads at any bucket as if it had not been", function()
    local straight, r = season.new(1800), generator(13)
    local broken = season.new(1800)
    for i = 0, 48 * 30 do
      local t = START + (i + 0.5) * 1800
      local value = sine(t, r) + 20 * ((t // DAY) % 7 >= 5 and 1 or 0)
      straight:learn(t, value)
      broken:learn(t, value)
      straight:age(1800)
      broken:age(1800)
      if i % 7 == 0 then broken = assert(season.load(broken:save())) end
    end
    assert.is_true(straight:components() > 0)
    assert.equal(straight:save(), broken:save())
    assert.same({ straight:predict(START + 31 * DAY, 0.5) }, { broken:predict(START + 31 * DAY, 0.5) })
  end)

  it("refuses bytes that are cut off or damaged", function()
    local d = season.new(1800)
    learn(d, 1800, 0, 48 * 8, sine, generator(14))
    local bytes = d:save()
    for size = 0, #bytes - 1, 61 do
      local loaded, err = season.load(bytes:sub(1, size))
      assert.is_nil(loaded)
      assert.equal("invalid", err.kind)
    end
  end)

  it("survives values and times that nobody would send", function()
    local d = season.new(300)
    for i, value in ipairs { 1e308, -1e308, 0, 1e-308, 5e307 } do
      d:learn(START + i * 300, value)
    end
    d:learn(253402300799, 1)
    d:learn(-1e9, 2)
    local mean, lower, upper = d:predict(START, 0.5)
    assert.is_true(mean == mean and lower == lower and upper == upper)
  end)

  it("stays within six kilobytes with a day and a week", function()
    local d = season.new(300)
    learn(d, 300, 0, 288 * 15, function(t, r)
      return sine(t, r) + 20 * ((t - START) % (7 * DAY) >= 5 * DAY and 1 or 0)
    end, generator(15))
    assert.is_true(d:components() > 0)
    assert.is_true(d:bytes() <= 6144)
  end)
end)

describe("runtime.season change", function()
  local CHANGE = 30 -- day
  --- Learns 36 days of half hours; values far from what is expected are believed little, as the
  -- model of a series would have it.
  local function change(value)
    local d, r, told, last = season.new(1800), generator(7), {}, 0
    for i = 0, 36 * 48 - 1 do
      local t, after = START + (i + 0.5) * 1800, i >= CHANGE * 48
      local v = value(t, r, after, i)
      local error = math.abs(v - d:predict(t))
      local outlier = (error < 4 or i < 21 * 48) and 1 or math.max(0.01, 0.5 * d:derate(t))
      local news = d:learn(t, v, 1, outlier)
      d:age(1800)
      if error > 5 then last = i / 48 end
      for _, text in ipairs(news and news.texts or {}) do
        if after then told[#told + 1] = { text = text, hours = (i - CHANGE * 48) / 2, news = news } end
      end
    end
    return told, last, d
  end

  it("tells a level shift of ten deviations between 30 and 50 hours, then is quiet", function()
    local told, last = change(function(t, r, after) return sine(t, r) + (after and 10 or 0) end)
    assert.equal(1, #told)
    assert.is_truthy(told[1].text:find("^Detected level shift by "))
    assert.is_true(math.abs(tonumber(told[1].text:match("[%d.]+$")) - 10) < 1)
    assert.is_true(told[1].hours >= 29 and told[1].hours <= 50)
    assert.is_true(told[1].news.relearn)
    assert.is_true(last < CHANGE + 50 / 24)
  end)

  it("tells a clock that was moved by an hour, and is quiet within two days", function()
    local told, last = change(function(t, r, after)
      local at = t + (after and 3600 or 0)
      return sine(at, r) + 10 * math.sin(4 * math.pi * at / DAY)
    end)
    assert.equal("Detected time shift by -3600 seconds", told[1].text)
    assert.is_true(last < CHANGE + 2)
  end)

  it("tells seasons that grew", function()
    local told, last = change(function(t, r, after)
      return 100 + (after and 20 or 10) * math.sin(2 * math.pi * t / DAY) + r:normal()
    end)
    local scale = told[1].text:match("^Detected linear scale by (.*)$")
    assert.is_true(math.abs(tonumber(scale) - 2) < 0.2)
    assert.is_true(last < CHANGE + 50 / 24)
  end)

  it("tells nothing of a day that passes", function()
    local told = change(function(t, r, after, i)
      return sine(t, r) + (after and i < (CHANGE + 1) * 48 and 10 or 0)
    end)
    assert.same({}, told)
  end)

  it("trusts outliers more for three days after a change", function()
    local _, _, d = change(function(t, r, after) return sine(t, r) + (after and 10 or 0) end)
    assert.is_true(d:derate(START + (CHANGE + 2) * DAY) > 0.5)
    assert.equal(0, d:derate(START + (CHANGE + 6) * DAY))
  end)
end)

describe("runtime.season calendar", function()
  --- Half a year and more of two-hour buckets, with something on days that `special` names.
  local function year(days, special)
    local d, r, found = season.new(7200), generator(21), {}
    for i = 0, days * 12 - 1 do
      local t = START + (i + 0.5) * 7200
      local extra = special(os.date("!*t", math.floor(t))) and 20 or 0
      local value = 100 + 5 * math.sin(2 * math.pi * t / DAY) + r:normal() + extra
      local news = d:learn(t, value, 1, extra > 0 and 0.05 or 1)
      d:age(7200)
      for _, text in ipairs(news and news.texts or {}) do
        if text:find "calendar" then found[#found + 1] = text end
      end
    end
    return found, d
  end

  it("finds the first day of the month, and expects it from then on", function()
    local found, d = year(300, function(date) return date.day == 1 end)
    assert.same({ "Detected calendar feature: 1st day of month" }, found)
    local first = os.time { year = 2026, month = 11, day = 1, hour = 12 }
    assert.is_true(d:predict(first) - d:predict(first + DAY) > 15)
  end)

  it("finds the last Friday of the month", function()
    local found = year(220, function(date)
      local later = os.time { year = date.year, month = date.month, day = date.day + 7, hour = 12 }
      return date.wday == 6 and os.date("!*t", later).month ~= date.month
    end)
    assert.same({ "Detected calendar feature: last Friday of month" }, found)
  end)

  it("finds nothing in noise", function()
    assert.same({}, (year(300, function() return false end)))
  end)

  it("saves and loads what it found", function()
    local _, d = year(250, function(date) return date.day == 1 end)
    local loaded = assert(season.load(d:save()))
    assert.equal(d:save(), loaded:save())
    assert.equal(d:components(), loaded:components())
  end)
end)
