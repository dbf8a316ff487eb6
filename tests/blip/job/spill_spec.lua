local spill = require "blip.job.spill"
local store = require "runtime.store"

local function opened()
  return assert(store.open {})
end

describe("blip.job.spill", function()
  it("gives back what it was given, under its number", function()
    local c = opened()
    local keeper = spill.keeper(c, "web")
    assert(keeper.put(7, "a\0b"))
    assert.equal("a\0b", keeper.get(7))
    c:close()
  end)

  it("says so when there is nothing, and knows jobs apart", function()
    local c = opened()
    assert(spill.keeper(c, "web").put(7, "a"))
    local _, err = spill.keeper(c, "other").get(7)
    assert.equal("not_found", err.kind)
    c:close()
  end)

  it("forgets what the models have released, and all of a job", function()
    local c = opened()
    local keeper = spill.keeper(c, "web")
    assert(keeper.put(1, "a"))
    assert(keeper.put(2, "b"))
    assert(spill.forget(c, "web", { take_released = function() return { 1 } end }))
    assert.is_nil(keeper.get(1))
    assert.equal("b", keeper.get(2))
    assert(spill.delete(c, "web"))
    assert.is_nil(keeper.get(2))
    c:close()
  end)
end)
