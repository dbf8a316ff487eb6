local ledger = require "blip.source.ledger"
local store = require "runtime.store"

describe("blip.source.ledger", function()
  local c, rows

  setup(function()
    rows = ledger.new("blip.ledger_spec", "name VARCHAR", { "at_ms BIGINT", "note VARCHAR" })
  end)
  before_each(function() c = store.connection() end)

  it("has no row of what was never saved", function()
    local row, err = rows:load(c, "unknown")
    assert.is_nil(row)
    assert.is_nil(err)
  end)

  it("gives back the row that was saved last", function()
    assert(rows:save(c, { name = "kept", at_ms = 1, note = "first" }))
    assert(rows:save(c, { name = "kept", at_ms = 2 }))
    assert.same({ name = "kept", at_ms = 2 }, rows:load(c, "kept"))
  end)

  it("lists the rows that a condition holds for", function()
    assert(rows:save(c, { name = "early", at_ms = 10, note = "listed" }))
    assert(rows:save(c, { name = "late", at_ms = 20, note = "listed" }))
    local list = rows:list(c, "note = 'listed' AND at_ms > 15")
    assert.same({ { name = "late", at_ms = 20, note = "listed" } }, list)
  end)

  it("forgets a row", function()
    assert(rows:save(c, { name = "gone", at_ms = 1 }))
    assert(rows:delete(c, "gone"))
    assert.is_nil(rows:load(c, "gone"))
  end)

  it("fails in words where the table has other columns", function()
    assert(rows:prepare(c))
    local other = ledger.new("blip.ledger_spec", "name VARCHAR", { "colour VARCHAR" })
    local row, err = other:load(c, "kept")
    assert.is_nil(row)
    assert.is_truthy(err.reason:find("colour", 1, true), err.reason)
  end)
end)
