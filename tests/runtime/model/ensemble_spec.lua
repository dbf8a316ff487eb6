local model = require "runtime.model"
local frame = require "runtime.frame"
local random = require "support.random"

local HOUR_MS = 3600 * 1000
local START_MS = 1577836800 * 1000 -- 2020-01-01 00:00 UTC

--- Times and values of a CSV file of `timestamp,value`.
local function read_series(path)
  local times, values = {}, {}
  for line in io.lines(path) do
    local y, mo, d, h, mi, s, value = line:match "^(%d+)-(%d+)-(%d+) (%d+):(%d+):(%d+),(.+)$"
    if y then
      -- os.time() speaks local time; the difference of two of them does not
      local day = os.time { year = y, month = mo, day = d, hour = 12 }
        - os.time { year = 1970, month = 1, day = 1, hour = 12 }
      times[#times + 1] = (math.floor(day / 86400 + 0.5) * 86400 + h * 3600 + mi * 60 + s) * 1000
      values[#values + 1] = tonumber(value)
    end
  end
  return times, values
end

--- Rows of a reference file: row number -> { score=, grade=, expected=, lower=, upper= }.
local function read_reference(path)
  local rows = {}
  for line in io.lines(path) do
    local row, score, grade, expected, lower, upper =
      line:match "^(%d+),([^,]+),([^,]+),([^,]+),([^,]+),([^,]+)$"
    if row then
      rows[tonumber(row)] = { score = tonumber(score), grade = tonumber(grade), expected = tonumber(expected),
        lower = tonumber(lower), upper = tonumber(upper) }
    end
  end
  return rows
end

local function assert_near(want, got, what)
  if got ~= got then got = 0 end -- the reference writes 0 where there is no score yet
  local size = math.max(math.abs(want), math.abs(got), 1e-3)
  if math.abs(want - got) > 1e-4 * size then
    error(("%s: expected %.9g, got %.9g"):format(what, want, got), 2)
  end
end

local function assert_agrees(times, values, reference)
  local m = assert(model.new { kind = "ensemble", features = 1 })
  for i, value in ipairs(values) do
    local verdict = assert(m:push(times[i], { value }))
    local want = reference[i - 1]
    if want then
      local at = "row " .. i - 1
      assert_near(want.score, verdict.score, at .. " score")
      assert_near(want.grade, verdict.grade, at .. " grade")
      assert_near(want.expected, verdict.expected[1], at .. " expected")
      assert_near(want.lower, verdict.lower[1], at .. " lower")
      assert_near(want.upper, verdict.upper[1], at .. " upper")
    elseif verdict.grade > 0 then
      error(("row %d has a grade of %g, the reference none"):format(i - 1, verdict.grade))
    end
  end
end

--- The first column of the specification's test vectors.
local function daily(t)
  if t >= 450 and t <= 461 then return 0 end
  local x = 10 + 5 * math.sin(2 * math.pi * t / 24) + (7919 * t % 13) / 10
  return t == 300 and x + 12 or x
end

local function second(t)
  if t >= 500 and t <= 519 then return 9 end
  local x = 3 + 2 * math.cos(2 * math.pi * t / 24) + (104729 * t % 11) / 20
  return t == 300 and x + 8 or x
end

--- Pushes `rows` rows made by `row(t)`; returns the verdicts by t from 0.
local function run(m, rows, row, from)
  local verdicts = {}
  for t = from or 0, rows - 1 do
    verdicts[t] = assert(m:push(START_MS + HOUR_MS * t, row(t)))
  end
  return verdicts
end

local function sums(verdicts)
  local score, grade, alerts = 0, 0, {}
  for t = 0, #verdicts do
    local v = verdicts[t]
    score = score + (v.scored and v.score or 0)
    grade = grade + v.grade
    if v.grade >= 0.5 then alerts[#alerts + 1] = t end
  end
  return score, grade, alerts
end

describe("runtime/model/ensemble, one feature", function()
  local function one(options)
    options = options or {}
    options.kind, options.features = "ensemble", 1
    return assert(model.new(options))
  end

  it("agrees with the reference over a year of taxi rides", function()
    local times, values = read_series "detectors/demo/nyc_taxi.csv"
    assert_agrees(times, values, read_reference "tests/runtime/model/golden/ensemble_taxi.csv")
  end)

  it("agrees with the reference over a coarse series in long tails", function()
    local times, values = read_series "tests/runtime/model/golden/cpu.csv"
    assert_agrees(times, values, read_reference "tests/runtime/model/golden/ensemble_cpu.csv")
  end)

  it("agrees with the specification's test vector", function()
    local wanted = {
      { 99, 0.063926, 0, 14.635534 }, { 100, 0.066587, 0, 14.330127 },
      { 200, 0.231797, 0, 15.230127 },
      { 299, 0.433144, 0, 12.494095 }, { 300, 2.051706, 0.850928, 10.300000 },
      { 301, 2.040107, 0, 10.100000 },
      { 400, 0.460711, 0, 6.369873 }, { 450, 0.840359, 0.497091, 5.300000 },
      { 451, 1.231156, 0, 5.670371 },
      { 455, 2.576646, 0, 8.500000 }, { 461, 4.650910, 0, 13.500000 }, { 500, 2.497306, 0, 6.869873 },
    }
    local verdicts = run(one(), 600, function(t) return { daily(t) } end)
    for _, want in ipairs(wanted) do
      local got, at = verdicts[want[1]], "row " .. want[1]
      assert_near(want[2], got.score, at .. " score")
      assert_near(want[3], got.grade, at .. " grade")
      assert_near(want[4], got.expected[1], at .. " expected")
    end
    local score, grade, alerts = sums(verdicts)
    assert_near(473.799403, score, "sum of scores")
    assert_near(1.899478, grade, "sum of grades")
    assert.same({ 300, 456 }, alerts)
  end)

  it("names the strongest head and its numbers", function()
    local verdicts = run(one(), 600, function(t) return { daily(t) } end)
    local spike = verdicts[300]
    assert.equal(4, spike.cause) -- point: not near what is usual at this time of day
    assert.equal(1, spike.cause_feature)
    assert.is_true(spike.cause_amount > 8 and spike.cause_distance > 8)
    assert.same({ 1 }, spike.contribution)
    assert.equal(0, verdicts[301].cause)
  end)

  it("scores from the second length of its shortest window on, and grades from row 100", function()
    local verdicts = run(one(), 110, function(t) return { t == 90 and 100 or daily(t) } end)
    assert.is_false(verdicts[62].scored)
    assert.is_true(verdicts[63].scored)
    for t = 0, 99 do
      assert.equal(0, verdicts[t].grade)
    end
  end)

  it("gives a prefix the verdicts of the whole", function()
    local function row(t) return { daily(t) } end
    local whole, prefix = run(one(), 600, row), run(one(), 320, row)
    for t = 0, 319 do
      assert.same(whole[t].scored and whole[t].score, prefix[t].scored and prefix[t].score)
      assert.equal(whole[t].grade, prefix[t].grade)
      assert.same(whole[t].expected, prefix[t].expected)
    end
  end)

  it("alerts for a new level once, then accepts it", function()
    local rng = random.new(7)
    local verdicts = run(one(), 2000, function(t)
      return { (t < 1000 and 10 or 30) + rng:normal() }
    end)
    local _, _, alerts = sums(verdicts)
    assert.equal(1000, alerts[#alerts])
  end)

  it("is as sensitive as it is told", function()
    local function row(t) return { daily(t) } end
    local _, calm = sums(run(one { sensitivity = 4 }, 600, row))
    local _, usual = sums(run(one(), 600, row))
    assert.is_true(calm < usual)
  end)

  it("leaves the time of day out when rows have no time", function()
    local m = one()
    local spike
    for t = 0, 320 do
      local verdict = assert(m:push(nil, { daily(t) }))
      if t == 300 then spike = verdict end
    end
    assert.equal(1, spike.cause) -- value
    assert.is_true(spike.grade > 0.5)
  end)
end)

describe("runtime/model/ensemble, several features", function()
  local function row(t) return { daily(t), second(t), t >= 520 and 1 or 0 } end
  local function three() return assert(model.new { kind = "ensemble", features = 3 }) end

  it("agrees with the specification's test vector", function()
    local wanted = {
      { 100, 0.138519, 0 }, { 255, 0.403928, 0 }, { 256, 0.402209, 0 }, { 299, 0.534417, 0 },
      { 300, 5.449362, 0.816153 }, { 310, 4.461474, 0 }, { 450, 1.319522, 0.168389 }, { 460, 6.175935, 0 },
      { 500, 2.448808, 0 }, { 510, 6.065176, 0 }, { 520, 5.321890, 0 }, { 599, 1.028199, 0 },
    }
    local verdicts = run(three(), 600, row)
    for _, want in ipairs(wanted) do
      assert_near(want[2], verdicts[want[1]].score, "row " .. want[1] .. " score")
      assert_near(want[3], verdicts[want[1]].grade, "row " .. want[1] .. " grade")
    end
    local score, grade, alerts = sums(verdicts)
    assert_near(729.050769, score, "sum of scores")
    assert_near(1.998894, grade, "sum of grades")
    assert.same({ 300, 453 }, alerts)
  end)

  it("shares the blame among the features", function()
    local spike = run(three(), 320, row)[300]
    local total = 0
    for _, share in ipairs(spike.contribution) do
      total = total + share
    end
    assert.is_true(math.abs(total - 1) < 1e-12)
    assert.equal(0, spike.contribution[3])
    assert.equal(5, spike.cause) -- shape
    assert.equal(16, spike.cause_rows)
  end)

  it("scores many features with the same verdicts from a frame", function()
    local f = frame.new { { "time", "int" }, { "a" }, { "b" }, { "c" } }
    for t = 0, 599 do
      local values = row(t)
      f:append { { time = START_MS + HOUR_MS * t, a = values[1], b = values[2], c = values[3] } }
    end
    local set = assert(model.set_new { kind = "ensemble", features = 3 })
    assert(set:score(f, { features = { "a", "b", "c" }, entity = {} }))
    local alone = run(three(), 600, row)
    for t = 100, 599 do
      assert.equal(alone[t].score, f:get(t + 1, "score"))
      assert.equal(alone[t].grade, f:get(t + 1, "grade"))
      assert.equal(alone[t].cause_lag, f:get(t + 1, "cause_lag"))
    end
  end)
end)

describe("runtime/model/ensemble, saved and loaded", function()
  --- A series with gaps, long gaps, spikes and a late third feature.
  local function rough(features)
    local rng = random.new(3)
    local rows = {}
    for t = 0, 899 do
      local row = {}
      for q = 1, features do
        local gap = (t > 400 and t < 560) or rng:uniform() < 0.02 or (q == 3 and t < 20)
        row[q] = gap and 0 / 0 or q * daily(t) + rng:normal() + (rng:uniform() < 0.01 and 50 or 0)
      end
      rows[t] = row
    end
    return function(t) return rows[t] end
  end

  for _, features in ipairs { 1, 3 } do
    it(("goes on to the last bit with %d features"):format(features), function()
      local row = rough(features)
      local m = assert(model.new { kind = "ensemble", features = features, history = 256 })
      local twin = assert(model.new { kind = "ensemble", features = features, history = 256 })
      for t = 0, 899 do
        if t % 7 == 0 or (t > 395 and t < 410) then
          local bytes = assert(twin:save())
          twin = assert(model.load(bytes))
          assert.equal(bytes, twin:save())
        end
        local time = START_MS + HOUR_MS * t
        m:push(time, row(t))
        twin:push(time, row(t))
      end
      assert.equal(m:save(), twin:save())
    end)
  end

  it("refuses what is not a saved model", function()
    local m = assert(model.new { kind = "ensemble", features = 1 })
    run(m, 200, function(t) return { daily(t) } end)
    local bytes = m:save()
    local damaged = bytes:sub(1, 500) .. "x" .. bytes:sub(502)
    for _, bad in ipairs { "", "x", bytes:sub(1, -2), bytes .. "x", damaged } do
      local loaded, err = model.load(bad)
      assert.is_nil(loaded)
      assert.equal("invalid", err.kind)
    end
  end)
end)

describe("runtime/model/ensemble, bad numbers", function()
  local function one() return assert(model.new { kind = "ensemble", features = 1 }) end

  local function assert_finite(v)
    assert.is_true(v.grade >= 0 and v.grade <= 1)
    if v.scored then assert.is_true(v.score >= 0 and v.score < math.huge) end
    if v.expected then assert.is_true(v.expected[1] == v.expected[1]) end
  end

  it("fills a missing value with the expected one and does not score the row", function()
    local verdicts = run(one(), 300, function(t)
      return { t == 200 and 0 / 0 or daily(t) }
    end)
    assert.is_false(verdicts[200].scored)
    assert.equal(0, verdicts[200].grade)
    assert.is_true(verdicts[200].imputed[1])
    assert.is_true(verdicts[201].scored)
    local without = run(one(), 300, function(t) return { daily(t) } end)
    assert.is_true(math.abs(verdicts[250].score - without[250].score) < 0.3)
  end)

  it("starts its windows anew after a long gap", function()
    local verdicts = run(one(), 700, function(t)
      return { t >= 300 and t < 450 and 0 / 0 or daily(t % 288) }
    end)
    assert.is_false(verdicts[455].scored)
    assert.is_true(verdicts[520].scored)
    for t = 450, 699 do
      assert.is_true(verdicts[t].grade < 0.5)
    end
  end)

  it("survives values that begin late, or never", function()
    local verdicts = run(one(), 300, function(t) return { t < 200 and 0 / 0 or daily(t) } end)
    assert.is_false(verdicts[199].scored)
    assert.is_true(verdicts[280].scored)
    run(one(), 300, function() return { 0 / 0 } end)
  end)

  it("refuses infinity and is unchanged", function()
    local m = one()
    run(m, 150, function(t) return { daily(t) } end)
    local before = m:save()
    local verdict, err = m:push(START_MS, { math.huge })
    assert.is_nil(verdict)
    assert.equal("invalid", err.kind)
    assert.equal(before, m:save())
  end)

  it("says nothing about a constant", function()
    local score, grade = sums(run(one(), 500, function() return { 42 } end))
    assert.equal(0, score)
    assert.equal(0, grade)
  end)

  it("notices when a constant changes", function()
    local verdicts = run(one(), 500, function(t) return { t == 400 and 43 or 42 } end)
    assert.is_true(verdicts[400].grade > 0.5)
  end)

  it("stays finite with enormous, tiny and denormal values", function()
    local odd = { 1e308, -1e308, 1e-308, 5e-324, 0, -0.0, 1e154, 3e38, 1e-40 }
    local m = one()
    for t = 0, 699 do
      local value = t > 150 and t % 5 == 0 and odd[t % #odd + 1] or daily(t)
      assert_finite(assert(m:push(START_MS + HOUR_MS * t, { value })))
    end
    assert(model.load(m:save()))
  end)

  it("works in any unit", function()
    local plain = run(one(), 600, function(t) return { daily(t) } end)
    for _, unit in ipairs { 2.0 ^ -300, 2.0 ^ 300 } do
      local scaled = run(one(), 600, function(t) return { daily(t) * unit } end)
      for _, t in ipairs { 200, 300, 456, 599 } do
        assert_near(plain[t].score, scaled[t].score, "score in another unit")
        assert_near(plain[t].grade, scaled[t].grade, "grade in another unit")
      end
    end
  end)

  it("takes repeated, reversed and absurd times as they come", function()
    local m = one()
    for t = 0, 299 do
      local time = ({ START_MS, START_MS - HOUR_MS * t, math.maxinteger, math.mininteger + 1 })[t % 4 + 1]
      assert_finite(assert(m:push(time, { daily(t) })))
    end
  end)

  it("refuses options it cannot work with", function()
    for _, options in ipairs { { history = 10 }, { history = 1000000 }, { sensitivity = 0 } } do
      options.kind, options.features = "ensemble", 1
      local m, err = model.new(options)
      assert.is_nil(m)
      assert.equal("invalid", err.kind)
    end
  end)
end)
