local aggregate = require "blip.query.aggregate"
local documents = require "blip.index.documents"
local filter = require "blip.query.filter"
local source = require "blip.source.store"

local MINUTE, T0 = 60000, 1767571200000

--- Stores one document a minute for two hosts.
local function fill(index, minutes)
  for i = 0, minutes - 1 do
    for _, host in ipairs { "a", "b" } do
      assert(documents.put(index, nil, { at = T0 + i * MINUTE + 1000, host = host, load = i,
                                         tags = host == "a" and { "x", "y" } or { "x" } }))
    end
  end
end

local function mapped(index)
  local mapping = { properties = { at = { type = "date" }, host = { type = "keyword" },
                                   load = { type = "double" }, tags = { type = "keyword" } } }
  assert(require "blip.index.catalog".create(index, { mapping = mapping }))
end

local function scan(plan)
  plan.time = plan.time or { field = "at" }
  plan.interval_ms = plan.interval_ms or MINUTE
  return source.scan(plan)
end

describe("blip.source.store", function()
  lazy_setup(function()
    mapped "scan-one"
    fill("scan-one", 3)
  end)

  it("answers a plan with a frame by time and category", function()
    local f = assert(scan { indices = { "scan-one" }, category = { "host" },
                            features = { { name = "load", expr = aggregate.avg "load" } } })
    assert.same({ "time", "host", "rows", "load" }, f:columns())
    local times = {}
    for i, time in ipairs(f:column "time") do times[i] = (time - T0) // MINUTE end
    assert.same({ 0, 0, 1, 1, 2, 2 }, times)
    assert.same({ "a", "b", "a", "b", "a", "b" }, f:column "host")
    assert.same({ 0, 0, 1, 1, 2, 2 }, f:column "load")
  end)

  it("groups by each value of a field with several", function()
    local f = assert(scan { indices = { "scan-one" }, category = { "tags" },
                            time = { field = "at", to = T0 + MINUTE } })
    assert.same({ "x", "y" }, f:column "tags")
    assert.same({ 2, 1 }, f:column "rows")
  end)

  it("keeps the filter and the time range", function()
    local f = assert(scan { indices = { "scan-*" }, filter = filter.term("host", "a"),
                            time = { field = "at", from = T0 + MINUTE, to = T0 + 2 * MINUTE } })
    assert.same({ T0 + MINUTE }, f:column "time")
    assert.same({ 1 }, f:column "rows")
  end)

  it("has no rows where a pattern finds no index", function()
    assert.equal(0, assert(scan { indices = { "nothing-*" } }):rows())
  end)

  it("names an index that is not there", function()
    local f, err = scan { indices = { "scan-missing" } }
    assert.is_nil(f)
    assert.equal("no such index [scan-missing]", err.reason)
  end)

  it("refuses a plan without an interval", function()
    local _, err = source.scan { indices = { "scan-one" }, time = { field = "at" } }
    assert.equal("invalid", err.kind)
  end)
end)
