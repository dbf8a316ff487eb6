local frame = require "runtime.frame"
local model = require "runtime.model"

local COLUMNS = { features = { "load" }, entity = { "host" } }

local function new_set()
  return assert(model.set_new { kind = "ensemble", features = 1, interval_ms = 60000 })
end

-- Rows of `hosts` entities in the intervals first .. last.
local function rows(first, last, hosts)
  local f = frame.new { { "time", "int" }, { "host", "text" }, { "load" } }
  for i = first, last do
    for h = 1, hosts do
      f:append { { time = i * 60000, host = "h" .. h, load = math.sin(i / 7 + h) + i % 3 } }
    end
  end
  return f
end

local function scores(f)
  return table.concat(f:column "score", " ")
end

describe("runtime.model set, resumed", function()
  it("passes over rows that a loaded model knows, and goes on as before", function()
    local whole = new_set()
    whole:score(rows(1, 200, 1), COLUMNS)
    local saved
    whole:save(function(_, bytes) saved = bytes end)
    local expected = rows(201, 300, 1)
    whole:score(expected, COLUMNS)

    local resumed = new_set():load("h1", saved, 200 * 60000)
    local again = rows(101, 300, 1)
    resumed:score(again, COLUMNS)
    assert.is_nil(again:get(100, "score"))
    assert.equal(expected:get(1, "score"), again:get(101, "score"))
    assert.equal(expected:get(100, "score"), again:get(200, "score"))
  end)

  it("saves a few models at a time, all in turn", function()
    local set, seen = new_set(), {}
    for i = 1, 3 do
      set:score(rows(i, i, 6), COLUMNS)
      local count = set:save(function(key) seen[#seen + 1] = key end, 1)
      assert.equal(1, count)
      set:save(function(key) seen[#seen + 1] = key end, 1)
    end
    assert.same({ "h1", "h2", "h3", "h4", "h5", "h6" }, seen)
  end)

  it("tells from when on rows are in no saved model", function()
    local set = new_set()
    assert.is_nil(set:unsaved_from())
    set:score(rows(5, 6, 2), COLUMNS)
    assert.equal(5 * 60000, set:unsaved_from())
    set:save(function() end)
    assert.is_nil(set:unsaved_from())
    set:score(rows(7, 8, 2), COLUMNS)
    assert.equal(6 * 60000 + 1, set:unsaved_from())
  end)

  it("names its entities", function()
    local set = new_set()
    set:score(rows(1, 1, 3), COLUMNS)
    assert.same({ "h1", "h2", "h3" }, set:keys())
  end)

  it("stops saving when the keeper fails", function()
    local set = new_set()
    set:score(rows(1, 1, 3), COLUMNS)
    local count, err = set:save(function() return nil, "full" end)
    assert.is_nil(count)
    assert.equal("full", err)
    assert.equal(60000, set:unsaved_from())
  end)

  it("scores the same with one thread and with four", function()
    local one = assert(model.set_new { kind = "ensemble", features = 1, threads = 1 })
    local four = assert(model.set_new { kind = "ensemble", features = 1, threads = 4 })
    local a, b = rows(1, 100, 40), rows(1, 100, 40)
    one:score(a, COLUMNS)
    four:score(b, COLUMNS)
    assert.equal(scores(a), scores(b))
  end)
end)
