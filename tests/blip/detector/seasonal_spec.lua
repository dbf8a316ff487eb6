-- luacheck: no max line length
local anomaly = require "blip.result.anomaly"
local frames = require "runtime.frame"
local models = require "blip.detector.models"
local random = require "support.random"
local script = require "blip.detector.script"
local seasonal = require "blip.detector.seasonal"

local START, STEP = 1767225600000, 600000

-- A definition over ten-minute intervals of hosts, with a model said in the words of scripts.
local function definition(model, more)
  local text = ([[return detector "latency" {
    source = "logs", time = "@timestamp", category = { "host" }, interval = "10m",
    features = { feature("took", avg("took")) }, model = seasonal %s, %s }]]):format(model, more or "")
  local loaded, err = script.read(text, "latency.lua")
  return loaded and loaded.detectors[1], err
end

local function refused(reason, model, more)
  local d, err = definition(model, more)
  if d then
    d, err = seasonal.config(d)
  end
  assert.is_nil(d)
  assert.truthy(err.reason:find(reason, 1, true), err.reason)
end

-- Rows of intervals [from, to) of some hosts around 100; `change(interval, host, value)` may say another value.
local function rows(d, from, to, change)
  local frame = frames.new { { "time", "int" }, { "host", "text" }, { "rows", "int" }, { "f1" } }
  for interval = from, to - 1 do
    for i, host in ipairs { "a", "b", "test-c" } do
      local noise = random.new(interval * 7 + i)
      local value = 100 + 5 * noise:normal()
      value = change and change(interval, host, value) or value
      frame:append { { time = START + interval * STEP, host = host, rows = 3, f1 = value } }
    end
  end
  return frame, d
end

local function score(d, set, frame)
  assert(set:score(frame, { features = { "f1" }, entity = d.category }))
  return anomaly.rows(d, frame)
end

-- What a model finds in ten days of hosts.
local function found(d, change)
  local set = assert(models.new_set(d))
  local list = score(d, set, rows(d, 0, 1440, change))
  set:close()
  return list
end

local function worst(list)
  local best
  for _, one in ipairs(list) do
    if not best or one.grade > best.grade then best = one end
  end
  return best
end

local function spike(at, host, height)
  return function(interval, name) return interval == at and name == host and height or nil end
end

describe("blip.detector.seasonal", function()
  it("finds what is strange, with what was expected and who is to blame", function()
    local d = assert(definition '{ "high_mean", influencers = { "host" } }')
    local one = worst(found(d, spike(1200, "a", 400)))
    assert.same({ START + 1200 * STEP, "a", "took" }, { one.time, one.entity.host, one.cause })
    assert.is_true(one.grade > 0.5)
    assert.is_true(math.abs(one.expected.took - 100) < 5)
    assert.same({ host = { "a" } }, one.influencers)
  end)

  it("looks at the side that its function names", function()
    local d = assert(definition '{ "low_mean" }')
    for _, one in ipairs(found(d, spike(1200, "a", 400))) do assert.not_equal(START + 1200 * STEP, one.time) end
    assert.equal(START + 1200 * STEP, worst(found(d, spike(1200, "a", 10))).time)
  end)

  it("may have a function for each feature", function()
    local d = assert(definition '{ functions = { took = "max" } }')
    assert.equal("max", assert(seasonal.config(d)).detectors[1]["function"])
  end)

  it("compares the hosts with each other as a population", function()
    local d = assert(definition '{ "high_mean", over = "host" }')
    local one = worst(found(d, spike(1200, "b", 900)))
    assert.same({ START + 1200 * STEP, "b" }, { one.time, one.entity.host })
  end)

  it("heeds rules", function()
    local d = assert(definition '{ "mean", rules = { rule { only = { host = filter { "test-*" } } } } }')
    for _, one in ipairs(found(d, spike(1200, "test-c", 900))) do assert.not_equal("test-c", one.entity.host) end
    d = assert(definition '{ "mean", rules = { rule { actual = { gt = 300 } } } }')
    for _, one in ipairs(found(d, spike(1200, "a", 900))) do assert.not_equal(900, one.values.took) end
  end)

  it("heeds calendars", function()
    local d = assert(definition '{ "mean", calendars = calendar("deploy", "2026-01-09T08:00:00Z", "2026-01-09T09:00:00Z") }')
    local function planted(interval, host) return interval >= 1200 and interval < 1206 and host == "a" and 900 or nil end
    for _, one in ipairs(found(d, planted)) do
      assert.is_false(one.time >= START + 1200 * STEP and one.time < START + 1206 * STEP)
    end
  end)

  it("goes on after it was saved as if it had not been", function()
    local d = assert(definition '{ "mean" }')
    local change = spike(1200, "a", 400)
    local whole = found(d, change)
    local first, bytes = assert(models.new_set(d)), nil
    score(d, first, rows(d, 0, 1100, change))
    assert.equal(START, first:unsaved_from())
    assert.equal(1, first:save(function(_, saved) bytes = saved return true end))
    assert.is_nil(first:unsaved_from())
    first:close()
    local second = assert(models.new_set(d))
    assert(second:load("", bytes, START + 1099 * STEP))
    local after = score(d, second, rows(d, 1100, 1440, change))
    second:close()
    local later = {}
    for _, one in ipairs(whole) do
      if one.time >= START + 1100 * STEP then later[#later + 1] = one end
    end
    assert.is_true(#later > 0)
    assert.same(later, after)
  end)

  it("is not saved with every interval", function()
    local d = assert(definition '{ "mean" }')
    local set = assert(models.new_set(d))
    score(d, set, rows(d, 0, 10))
    assert.equal(0, set:save(function() error "saved" end))
    assert.equal(START, set:unsaved_from())
    set:close()
  end)

  it("finds the same however its rows are cut", function()
    local d = assert(definition '{ "mean" }')
    local change = spike(1200, "a", 400)
    local set, list = assert(models.new_set(d)), {}
    for from = 0, 1439, 100 do
      for _, one in ipairs(score(d, set, rows(d, from, math.min(from + 100, 1440), change))) do list[#list + 1] = one end
    end
    set:close()
    assert.same(found(d, change), list)
  end)

  it("needs a part for every category field", function()
    refused("the category field 'zone' has no part in the model", '{ "mean" }', 'category = { "host", "rack", "zone" }')
    refused("by = 'url' is none of its category fields", '{ "mean", by = "url" }')
    refused("the influencer 'url' is none of its category fields", '{ "mean", influencers = { "url" } }')
  end)

  it("refuses functions and words that there are none of", function()
    refused("Unknown function 'mean_of'", '{ "mean_of" }')
    refused("seasonal has no key 'overr' (did you mean 'over'?)", '{ overr = "host" }')
    refused("a rule has no key 'actua' (did you mean 'actual'?)", '{ rules = rule { actua = { lt = 5 } } }')
    refused("has the bound 'less'; there are gt, gte, lt and lte", '{ rules = rule { actual = { less = 5 } } }')
    refused("is no list of rule { ... }", '{ rules = 5 }')
    refused('has host = "a", no filter { ... }', '{ rules = rule { only = { host = "a" } } }')
  end)
end)
