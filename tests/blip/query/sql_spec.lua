local aggregate = require "blip.query.aggregate"
local filter = require "blip.query.filter"
local plan = require "blip.query.plan"
local sql = require "blip.query.sql"
local tables = require "support.tables"

local MINUTE = 60000

local function logs()
  return tables.new():create("logs",
    { { "ts", "date" }, { "host", "keyword" }, { "ms", "double" }, { "status", "long" },
      { "tag", "keyword", list = true } },
    {
      { ts = 0, host = "a", ms = 1, status = 200, tag = { "x", "y" } },
      { ts = 1000, host = "a", ms = 3, status = 500, tag = "x" },
      { ts = 2000, host = "b", status = 200 },
      { ts = MINUTE, host = "a", ms = 5, status = 500, tag = { "y", "y" } },
      { ts = MINUTE + 1, status = 200, ms = 7 },
      { host = "a", ms = 100, status = 200 },
    })
end

local function scan(t, p)
  p.indices = p.indices or { "logs" }
  p.time = p.time or { field = "ts" }
  p.interval_ms = p.interval_ms or MINUTE
  local statement, params = sql.scan(assert(plan.new(p)), t.indices)
  assert(statement, params)
  return assert(t.connection:query(statement, params))
end

local function features(list)
  local out = {}
  for name, expr in pairs(list) do out[#out + 1] = { name = name, expr = expr } end
  return out
end

describe("blip.query.sql", function()
  it("groups rows into intervals, in order", function()
    local f = scan(logs(), { features = features { avg = aggregate.avg "ms" } })
    assert.same({ "time", "rows", "avg" }, f:columns())
    assert.same({ 0, MINUTE }, f:column "time")
    assert.same({ 3, 2 }, f:column "rows")
    assert.same({ 2, 6 }, f:column "avg")
  end)

  it("groups by category and leaves out rows without one", function()
    local f = scan(logs(), { category = { "host" }, features = features { n = aggregate.count() } })
    assert.same({ "a", "b", "a" }, f:column "host")
    assert.same({ 0, 0, MINUTE }, f:column "time")
    assert.same({ 2, 1, 1 }, f:column "n")
  end)

  it("counts a row with several category values in each of them once", function()
    local f = scan(logs(), { category = { "tag" } })
    assert.same({ "x", "y", "y" }, f:column "tag")
    assert.same({ 2, 1, 1 }, f:column "rows")
  end)

  it("keeps the time range and its upper end out", function()
    local f = scan(logs(), { time = { field = "ts", from = 1000, to = MINUTE } })
    assert.same({ 2 }, f:column "rows")
  end)

  it("shifts the grid by an offset, also before 1970", function()
    local t = tables.new():create("logs", { { "ts", "date" } },
      { { ts = -1 }, { ts = -MINUTE }, { ts = 29999 }, { ts = 30000 } })
    assert.same({ -MINUTE, 0 }, scan(t, {}):column "time")
    assert.same({ -90000, -30000, 30000 }, scan(t, { offset_ms = 30000 }):column "time")
  end)

  it("divides features and gives none for a division by zero", function()
    local failed = filter.range("status", { gte = 500 })
    local f = scan(logs(), { category = { "host" }, features = {
      { name = "rate", expr = aggregate.count(failed) / aggregate.count() },
      { name = "inverse", expr = 1 / aggregate.count(failed) },
    } })
    assert.same({ 0.5, 0, 1 }, f:column "rate")
    assert.equal(1, f:get(1, "inverse"))
    assert.is_nil(f:get(2, "inverse"))
  end)

  it("computes each aggregate", function()
    local f = scan(logs(), { time = { field = "ts", to = MINUTE }, features = features {
      min = aggregate.min "ms", max = aggregate.max "ms", sum = aggregate.sum "ms",
      hosts = aggregate.cardinality "host", values = aggregate.value_count "ms",
      half = aggregate.percentile("ms", 50), median = aggregate.median "ms",
      tags = aggregate.cardinality "tag",
      tag_values = aggregate.value_count "tag",
      status = aggregate.sum("status", filter.term("host", "a")),
    } })
    local row = f:row(1)
    assert.same({ time = 0, rows = 3, min = 1, max = 3, sum = 4, hosts = 2, values = 2, half = 3, median = 2,
                  tags = 2, tag_values = 3, status = 700 }, row)
  end)

  it("gives no value where there is none, and zero for sums and counts", function()
    local f = scan(logs(), { filter = filter.term("host", "b"), features = features {
      avg = aggregate.avg "ms", sum = aggregate.sum "ms", unknown = aggregate.max "nothing" } })
    assert.same({ time = 0, rows = 1, sum = 0 }, f:row(1))
  end)

  it("reads several indices as one", function()
    local t = logs():create("more", { { "ts", "date" }, { "ms", "long" } }, { { ts = 5, ms = 11 } })
    local sum = features { sum = aggregate.sum "ms" }
    local f = scan(t, { time = { field = "ts", to = MINUTE }, features = sum })
    assert.same({ 15 }, f:column "sum")
    assert.same({ 4 }, f:column "rows")
  end)

  it("answers nothing when no index is left", function()
    local t = tables.new()
    assert.equal(0, scan(t, { category = { "host" }, features = features { m = aggregate.avg "ms" } }):rows())
  end)

  it("looks at chosen entities alone", function()
    local f = scan(logs(), { category = { "host" }, entities = { { "b" } } })
    assert.same({ "b" }, f:column "host")
  end)

  it("refuses a text where a number is needed and names it", function()
    local t = logs()
    local p = assert(plan.new { indices = { "logs" }, time = { field = "ts" }, interval_ms = 1,
                                features = features { x = aggregate.avg "host" } })
    local statement, err = sql.scan(p, t.indices)
    assert.is_nil(statement)
    assert.matches("Field %[host%] of type %[keyword%]", err.reason)
  end)

  it("refuses a time field that is no date", function()
    local p = assert(plan.new { indices = { "logs" }, time = { field = "host" }, interval_ms = 1 })
    local _, err = sql.scan(p, logs().indices)
    assert.equal("time field [host] is a keyword, not a date", err.reason)
  end)
end)
