local progress = require "blip.detector.progress"
local store = require "runtime.store"

describe("blip.detector.progress", function()
  local c

  setup(function()
    c = store.connection()
    assert(progress.prepare(c))
    assert(progress.prepare(c)) -- twice is fine
  end)

  it("keeps where a run stands", function()
    assert.is_nil(progress.load(c, "pr-one"))
    local state = {
      run = "pr-one", version = "7", offset_ms = 3, from_ms = 10, emit_ms = 20,
      position_ms = 30, unsaved_ms = 25,
    }
    assert(progress.save(c, state))
    assert.same(state, progress.load(c, "pr-one"))
    state.position_ms, state.stage = 40, "RUNNING"
    assert(progress.save(c, state))
    assert.same(state, progress.load(c, "pr-one"))
    assert.equal(1, #c:query("SELECT * FROM blip.runs WHERE run = 'pr-one'"))
  end)

  it("moves with the transaction", function()
    assert(progress.save(c, { run = "pr-tx", position_ms = 1 }))
    assert(c:begin())
    assert(progress.save(c, { run = "pr-tx", position_ms = 2 }))
    c:rollback()
    assert.equal(1, progress.load(c, "pr-tx").position_ms)
  end)

  it("forgets a run with its snapshots", function()
    assert(progress.save(c, { run = "pr-gone", position_ms = 1 }))
    assert(c:put_snapshot("pr-gone", "", 1, "bytes"))
    assert(progress.delete(c, "pr-gone"))
    assert.is_nil(progress.load(c, "pr-gone"))
    assert.equal(0, #c:get_snapshots("pr-gone"))
  end)
end)
