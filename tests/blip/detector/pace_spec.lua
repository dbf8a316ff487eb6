local pace = require "blip.detector.pace"

local MINUTE = 60000

describe("blip.detector.pace", function()
  local one = { interval_ms = MINUTE, category = {} }
  local many = { interval_ms = MINUTE, category = { "host" } }

  it("begins carefully, most so when there may be many entities", function()
    assert.equal(64 * MINUTE, pace.new(one):stop(0, math.maxinteger))
    assert.equal(4 * MINUTE, pace.new(many):stop(0, math.maxinteger))
  end)

  it("ends where the range does", function()
    assert.equal(7, pace.new(one):stop(0, 7))
  end)

  it("takes as many intervals as have a bounded number of rows", function()
    local p = pace.new(many)
    p:learn(4000, 4 * MINUTE) -- 1,000 an interval
    assert.equal(20 * MINUTE, p:stop(0, math.maxinteger))
    p:learn(1000000, MINUTE)
    assert.equal(MINUTE, p:stop(0, math.maxinteger))
    p:learn(0, MINUTE)
    assert.equal(64000 * MINUTE, p:stop(0, math.maxinteger))
  end)
end)
