local pace = require "blip.pace"

describe("blip.pace", function()
  it("begins with what it is told", function()
    assert.equal(300, pace.new(100, { first = 3 }):stop(0, 10000))
  end)

  it("ends where the range does", function()
    assert.equal(7, pace.new(100, { first = 3 }):stop(0, 7))
  end)

  it("takes as many intervals as have the rows that are wanted", function()
    local p = pace.new(100, { first = 1, rows = 1000 })
    assert.equal(50, p:learn(20, 100))
    assert.equal(5000, p:stop(0, 100000))
    assert.equal(1, p:learn(5000, 100))
    assert.equal(64000, pace.new(1, { first = 1, rows = 1000000 }):learn(0, 1))
  end)
end)
