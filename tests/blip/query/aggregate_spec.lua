local aggregate = require "blip.query.aggregate"
local filter = require "blip.query.filter"

describe("blip.query.aggregate", function()
  it("is plain data", function()
    local node = aggregate.avg("ms", filter.term("host", "a"))
    assert.equal("avg", node.op)
    assert.equal("ms", node.field)
    assert.equal("term", node.filter.op)
    assert.is_true(aggregate.is(node))
    assert.is_false(aggregate.is { op = "avg" })
  end)

  it("combines with numbers on either side", function()
    local node = 100 * aggregate.count() / aggregate.sum "n" - 1
    assert.equal("-", node.op)
    assert.equal("/", node[1].op)
    assert.equal("*", node[1][1].op)
    assert.equal(100, node[1][1][1].value)
    assert.equal(1, node[2].value)
    assert.equal("-", (-node).op)
  end)

  it("narrows every part of an expression", function()
    local only = filter.term("host", "a")
    local node = aggregate.where(aggregate.count(filter.exists "n") / (aggregate.sum "n" + 1), only)
    assert.equal("and", node[1].filter.op)
    assert.equal(only, node[2][1].filter)
    assert.equal("constant", node[2][2].op)
  end)

  it("refuses a percentile out of range", function()
    local node, err = aggregate.percentile("ms", 101)
    assert.is_nil(node)
    assert.equal("percentile of 'ms' must be between 0 and 100, not 101", err.reason)
  end)
end)
