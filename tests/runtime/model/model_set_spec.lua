local frame = require "runtime.frame"
local model = require "runtime.model"
local random = require "support.random"

local MINUTE_MS = 60000
local COLUMNS = { features = { "load", "errors" }, entity = { "host", "region" } }

local function new_set(options)
  options = options or {}
  options.kind, options.features, options.interval_ms = options.kind or "forest", 2, MINUTE_MS
  options.trees = options.kind == "forest" and 10 or nil
  return assert(model.set_new(options))
end

-- `hosts` entities in the intervals first .. last; the same numbers whatever the slicing.
local function rows(first, last, hosts)
  local list = {}
  for i = first, last do
    for h = 1, hosts do
      local noise = random.new(i * 1000 + h)
      list[#list + 1] = { time = i * MINUTE_MS, host = "h" .. h, region = h % 2 == 0 and "eu" or "us",
        load = 50 + 10 * math.sin(i / 5 + h) + noise:uniform(), errors = noise:uniform() < 0.01 and 40 or h }
    end
  end
  return frame.new { { "time", "int" }, { "host", "text" }, { "region", "text" }, { "load" }, { "errors" } }
    :append(list)
end

local function scores(f)
  local words = {}
  for i, score in ipairs(f:column "score") do
    words[i] = ("%a %a"):format(score, f:get(i, "grade") or -1)
  end
  return table.concat(words, " ")
end

local function key(h)
  return "h" .. h .. "\x1f" .. (h % 2 == 0 and "eu" or "us")
end

describe("runtime.model set", function()
  for _, kind in ipairs { "forest", "ensemble" } do
    it("gives the same bits with any number of threads and any slicing: " .. kind, function()
      local whole = rows(1, 120, 40)
      assert(new_set { kind = kind, threads = 1 }:score(whole, COLUMNS))
      local threaded = rows(1, 120, 40)
      assert(new_set { kind = kind, threads = 4 }:score(threaded, COLUMNS))
      assert.equal(scores(whole), scores(threaded))

      local sliced, words = new_set { kind = kind, threads = 3 }, {}
      for first = 1, 120, 40 do
        local f = rows(first, first + 39, 40)
        assert(sliced:score(f, COLUMNS))
        words[#words + 1] = scores(f)
      end
      assert.equal(scores(whole), table.concat(words, " "))
    end)
  end

  it("gives every entity a model of its own", function()
    local set = new_set()
    assert(set:score(rows(1, 40, 3), COLUMNS))
    assert.equal(3, set:count())
    local alone = rows(1, 40, 1)
    assert(new_set():score(alone, COLUMNS))
    local together = rows(1, 40, 3)
    assert(new_set():score(together, COLUMNS))
    assert.equal(alone:get(40, "score"), together:get(118, "score"))
  end)

  it("saves what changed, and a new set goes on from it", function()
    local set, saved = new_set(), {}
    assert(set:score(rows(1, 60, 4), COLUMNS))
    assert.equal(4, set:save(function(entity, bytes) saved[entity] = bytes end))
    assert.equal(0, set:save(function() error "nothing changed" end))
    assert(set:score(rows(61, 61, 2), COLUMNS))
    assert.equal(2, set:save(function() end))

    local resumed = new_set()
    local f = rows(61, 100, 4)
    assert.same({ key(1), key(2), key(3), key(4) }, resumed:absent(f, COLUMNS))
    for entity, bytes in pairs(saved) do assert(resumed:load(entity, bytes)) end
    assert.same({}, resumed:absent(f, COLUMNS))
    assert(resumed:score(f, COLUMNS))
    local whole = rows(1, 100, 4)
    assert(new_set():score(whole, COLUMNS))
    for i = 1, #f do assert.equal(whole:get(240 + i, "score"), f:get(i, "score")) end
  end)

  it("forgets the models that waited longest when memory is short, but none that is unsaved", function()
    local set = new_set()
    assert(set:score(rows(1, 40, 6), COLUMNS))
    assert.equal(0, set:trim(0))
    set:save(function() end)
    assert(set:score(rows(41, 41, 2), COLUMNS))
    set:save(function() end)
    assert.equal(4, set:trim(set:size() // 2))
    assert.same({ key(3), key(4), key(5), key(6) }, set:absent(rows(42, 42, 6), COLUMNS))
  end)

  it("refuses a model that was saved under other options", function()
    local set, bytes = new_set(), nil
    assert(set:score(rows(1, 5, 1), COLUMNS))
    set:save(function(_, saved) bytes = saved end)
    local ok, err = new_set { shingle = 4 }:load("x", bytes)
    assert.is_nil(ok)
    assert.equal("invalid", err.kind)
  end)

  it("names the column that is missing or already there", function()
    local f = rows(1, 1, 1)
    local ok, err = new_set():score(f, { features = { "load", "nothing" }, entity = {} })
    assert.is_nil(ok)
    assert.matches("nothing", err.reason, 1, true)
    f = rows(1, 1, 1)
    assert(new_set():score(f, COLUMNS))
    ok, err = new_set():score(f, COLUMNS)
    assert.is_nil(ok)
    assert.equal("conflict", err.kind)
  end)

  it("is lent to one job at a time, and dropped by one that fails", function()
    assert.equal("not_found", select(2, model.borrow "spec").kind)
    assert(model.give_back("spec", new_set()))
    local set = assert(model.borrow "spec")
    assert.equal("busy", select(2, model.borrow "spec").kind)
    assert(model.give_back("spec", set))
    do
      local _ <close> = assert(model.borrow "spec")
    end
    assert.equal("not_found", select(2, model.borrow "spec").kind)
  end)
end)
