local json = require "runtime.json"
local source_filter = require "blip.query.source_filter"

local SOURCE = '{"a":1,"size":{"w":3,"h":4},"list":[{"x":1,"y":2},{"x":3}],"empty":{}}'

--- What a `_source` leaves of the document above.
local function apply(wanted)
  local filter = assert(source_filter.read(assert(json.decode(wanted))))
  return json.decode(json.encode(source_filter.apply(filter, SOURCE)))
end

describe("blip.query.source_filter", function()
  it("leaves the source as it was sent when nothing is left out", function()
    assert.equal(SOURCE, json.encode(source_filter.apply(source_filter.read(true), SOURCE)))
  end)

  it("keeps names, objects and what lies below", function()
    assert.same({ a = 1 }, apply '"a"')
    assert.same({ size = { w = 3, h = 4 } }, apply '["size"]')
    assert.same({ size = { w = 3 } }, apply '["size.w"]')
  end)

  it("keeps patterns", function()
    assert.same({ size = { w = 3, h = 4 } }, apply '["s*"]')
    assert.same({ size = { w = 3 } }, apply '["*.w"]')
  end)

  it("looks into lists of objects", function()
    assert.same({ list = { { x = 1 }, { x = 3 } } }, apply '["list.x"]')
  end)

  it("leaves out", function()
    assert.same({ size = { w = 3 } }, apply '{"includes":["size"],"excludes":["size.h"]}')
    assert.same({ a = 1, list = { { y = 2 }, {} }, empty = {} }, apply '{"excludes":["size","list.x"]}')
  end)

  it("refuses what is neither", function()
    local filter, err = source_filter.read(5)
    assert.is_nil(filter)
    assert.equal("Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [VALUE_NUMBER]", err.reason)
  end)
end)
