-- luacheck: no max line length
local feed_state = require "blip.job.feed_state"
local state = require "blip.job.state"
local store = require "runtime.store"

describe("blip.job.state", function()
  local c

  before_each(function() c = store.connection() end)

  it("is closed for a job that was never opened", function()
    local row = assert(state.load(c, "s-new"))
    assert.same({ "s-new", "closed", 0, 0 }, { row.job, row.state, row.seq, row.saved_seq })
    assert.is_nil(row.opened_ms)
  end)

  it("comes back as it was stored", function()
    local row = state.load(c, "s-kept")
    row.state, row.opened_ms, row.seq, row.snapshot_id = "opened", 5, 7, "1400000000"
    assert(state.save(c, row))
    assert.same(row, state.load(c, "s-kept"))
    row.state, row.opened_ms = "closed", nil
    assert(state.save(c, row))
    assert.same(row, state.load(c, "s-kept"))
    assert.equal("closed", state.all(c)["s-kept"].state)
  end)

  it("goes back with its transaction", function()
    local row = state.load(c, "s-back")
    row.seq = 1
    assert(c:begin())
    assert(state.save(c, row))
    c:rollback()
    assert.equal(0, state.load(c, "s-back").seq)
  end)

  it("refuses a job that is not open in the dialect's words", function()
    local row, err = state.check_open(state.load(c, "s-shut"))
    assert.is_nil(row)
    assert.same({ 409, "status_exception",
                  "Cannot perform requested action because job [s-shut] is not open" },
      { err.status, err.type, err.reason })
  end)

  it("is forgotten", function()
    local row = state.load(c, "s-gone")
    row.seq = 3
    assert(state.save(c, row))
    assert(state.delete(c, "s-gone"))
    assert.equal(0, state.load(c, "s-gone").seq)
  end)
end)

describe("blip.job.feed_state", function()
  local c
  local feed = { datafeed_id = "f", job_id = "j" }

  before_each(function()
    c = store.connection()
    assert(feed_state.delete(c, "f"))
  end)

  it("is stopped for a datafeed that never ran", function()
    local row = assert(feed_state.load(c, feed))
    assert.same({ "f", "j", "stopped", 0, 0.0 }, {
      row.datafeed, row.job, row.state, row.search_count, row.search_ms,
    })
  end)

  it("comes back as it was stored, and among those that run", function()
    local row = feed_state.load(c, feed)
    row.state, row.start_ms, row.position_ms, row.is_real_time, row.intervals = "started", 0, 77, true, 16
    assert(feed_state.save(c, row))
    assert.same(row, feed_state.load(c, feed))
    local started = {}
    for _, one in ipairs(feed_state.started(c)) do started[one.datafeed] = one.position_ms end
    assert.equal(77, started.f)
    row.state = "stopped"
    assert(feed_state.save(c, row))
    for _, one in ipairs(feed_state.started(c)) do assert.not_equal("f", one.datafeed) end
  end)
end)
