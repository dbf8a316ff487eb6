local frame = require "runtime.frame"
local model = require "runtime.model"
local progress = require "blip.detector.progress"
local snapshots = require "blip.detector.snapshots"
local store = require "runtime.store"

local COLUMNS = { features = { "load" }, entity = { "host" } }

local function new_set()
  return assert(model.set_new { kind = "ensemble", features = 1 })
end

-- A set of `count` entities h1, h2, ... with one row each.
local function filled(count)
  local f, set = frame.new { { "time", "int" }, { "host", "text" }, { "load" } }, new_set()
  for i = 1, count do f:append { { time = 1000, host = "h" .. i, load = i } } end
  assert(set:score(f, COLUMNS))
  return set
end

describe("blip.detector.snapshots", function()
  local c

  setup(function()
    c = store.connection()
    assert(progress.prepare(c))
  end)

  it("saves a bounded number at a time, all in turn", function()
    local set = filled(250)
    assert.equal(100, snapshots.save(c, "sn-turns", set, 1000))
    assert.equal(100, snapshots.save(c, "sn-turns", set, 1000))
    assert.equal(50, snapshots.save(c, "sn-turns", set, 1000))
    assert.equal(250, #c:get_snapshots("sn-turns"))
  end)

  it("loads those that are asked for, in chunks", function()
    local set, wanted = filled(300), {}
    repeat until assert(snapshots.save(c, "sn-some", set, 1000)) == 0
    for i = 1, 280 do wanted[i] = "h" .. i end
    wanted[281] = "never seen"
    local some = new_set()
    assert(snapshots.load(c, "sn-some", some, wanted))
    assert.equal(280, some:count())
    assert(snapshots.load(c, "sn-some", some, {}))
    assert(snapshots.load_all(c, "sn-some", some))
    assert.equal(300, some:count())
  end)

  it("forgets only what is saved", function()
    local set = filled(150)
    snapshots.save(c, "sn-trim", set, 1000)
    snapshots.trim(set, 0)
    assert.equal(50, set:count())
  end)

  it("refuses damaged bytes", function()
    assert(c:put_snapshot("sn-broken", "h1", 0, "not a model"))
    local ok, err = snapshots.load(c, "sn-broken", new_set(), { "h1" })
    assert.is_nil(ok)
    assert.equal("invalid", err.kind)
  end)
end)
