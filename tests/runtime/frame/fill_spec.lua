local frame = require "runtime.frame"

local function series(times)
  local f = frame.new { { "time", "int" }, { "rows", "int" }, { "load" } }
  for _, time in ipairs(times) do f:append { { time = time, rows = 3, load = time / 10 } } end
  return f
end

local function entities(rows)
  local f = frame.new { { "time", "int" }, { "service", "text" }, { "region", "text" }, { "load" } }
  for _, row in ipairs(rows) do
    f:append { { time = row[1], service = row[2], region = row[3], load = 1 } }
  end
  return f
end

local function listed(f)
  local list = {}
  for row = 1, #f do
    local r = f:row(row)
    list[row] = ("%d %s/%s%s"):format(r.time, r.service, r.region, r.load and "" or " -")
  end
  return list
end

describe("frame:fill", function()
  it("adds the intervals that a series lacks, in order", function()
    local f = series { 10, 30 }
    assert.equal(3, f:fill { from = 0, to = 50, step = 10 })
    assert.same({ 0, 10, 20, 30, 40 }, f:column "time")
    assert.same({ 0, 3, 0, 3, 0 }, f:column "rows")
    assert.equal(1, f:get(2, "load"))
    assert.is_nil(f:get(3, "load"))
  end)

  it("leaves a full series alone", function()
    local f = series { 0, 10 }
    assert.equal(0, f:fill { from = 0, to = 20, step = 10 })
    assert.equal(2, #f)
  end)

  it("fills an empty frame", function()
    local f = series {}
    assert.equal(2, f:fill { from = 5, to = 25, step = 10 })
    assert.same({ 5, 15 }, f:column "time")
  end)

  it("adds entities from the interval on in which they were seen first", function()
    local f = entities { { 0, "cart", "eu" }, { 10, "shop", "us" } }
    assert.equal(3, f:fill { from = 0, to = 30, step = 10, entity = { "service", "region" } })
    assert.same({ "0 cart/eu", "10 shop/us", "10 cart/eu -", "20 cart/eu -", "20 shop/us -" }, listed(f))
  end)

  it("adds entities that were known before", function()
    local f = entities { { 0, "cart", "eu" } }
    local known = { "shop\31us", "cart\31eu" }
    f:fill { from = 0, to = 10, step = 10, entity = { "service", "region" }, known = known }
    assert.same({ "0 cart/eu", "0 shop/us -" }, listed(f))
  end)

  it("gives added rows the values that are told", function()
    local f = series { 0, 20 }
    f:fill { from = 0, to = 30, step = 10, values = { { "load", 7 } } }
    assert.same({ 0, 7, 2 }, f:column "load")
    local _, err = series({}):fill { from = 0, to = 10, step = 10, values = { { "time", 7 } } }
    assert.equal("the frame has no number column 'time'", err.reason)
  end)

  it("numbers thousands of entities", function()
    local rows = {}
    for i = 1, 3000 do rows[i] = { 0, "s" .. i, "r" } end
    local f = entities(rows)
    assert.equal(3000, f:fill { from = 0, to = 20, step = 10, entity = { "service", "region" } })
  end)

  it("names the column that is absent", function()
    local f = frame.new { { "load" } }
    local _, err = f:fill { from = 0, to = 10, step = 10 }
    assert.equal("the frame has no column 'time' of integers", err.reason)
    _, err = series({ 0 }):fill { from = 0, to = 10, step = 10, entity = { "host" } }
    assert.equal("the frame has no text column 'host'", err.reason)
  end)
end)

describe("frame:add_model_ids", function()
  it("makes the ids that OpenSearch makes", function()
    local f = frame.new { { "host", "text" }, { "service", "text" } }
    f:append { { host = "host-07", service = "cache" } }
    f:add_model_ids("model_id", "D_entity_", { "host", "service" })
    assert.equal("D_entity_uF53k1ZtRNuT2LV6uBA-pw", f:get(1, "model_id"))
    f = frame.new({ { "host", "text" } }):append { { host = "live-0" } }
    f:add_model_ids("model_id", "", { "host" })
    assert.equal("GsNt44jOCgoG1tj85m53-A", f:get(1, "model_id"))
  end)
end)

describe("frame:above and frame:set", function()
  it("find rows and change single values", function()
    local f = series { 10, 20, 30 }
    assert.same({ 2, 3 }, f:above("load", 1))
    f:set(2, "load", 0)
    assert.same({ 3 }, f:above("load", 1))
    f:set(3, "load", nil)
    assert.same({}, f:above("load", 1))
  end)
end)
