local frame = require "runtime.frame"

local function hosts()
  return frame.new({ { "time", "int" }, { "host", "text" }, { "load" }, { "up", "bool" } }):append {
    { time = 1000, host = "b", load = 0.5, up = true },
    { time = 1000, host = "a", up = false },
    { time = 2000, load = 1.5 },
  }
end

describe("runtime.frame", function()
  it("names its columns and types in order", function()
    local f = hosts()
    assert.same({ "time", "host", "load", "up" }, f:columns())
    assert.equal("double", f:type("load"))
    assert.is_nil(f:type("nothing"))
  end)

  it("counts rows", function()
    assert.equal(3, hosts():rows())
    assert.equal(3, #hosts())
    assert.equal(0, frame.new():rows())
  end)

  it("gives values back as they were, and nil for missing ones", function()
    local f = hosts()
    assert.equal(1000, f:get(1, "time"))
    assert.equal("integer", math.type(f:get(1, "time")))
    assert.equal("a", f:get(2, "host"))
    assert.is_false(f:get(2, "up"))
    assert.is_nil(f:get(2, "load"))
    assert.is_nil(f:get(3, "host"))
    assert.same({ time = 2000, load = 1.5 }, f:row(3))
  end)

  it("keeps empty text apart from missing text", function()
    local f = frame.new { { "t", "text" } }:append { { t = "" }, {}, { t = "x\0y" } }
    assert.equal("", f:get(1, "t"))
    assert.is_nil(f:get(2, "t"))
    assert.equal("x\0y", f:get(3, "t"))
  end)

  it("gives a whole column, NaN for missing doubles", function()
    local load = hosts():column("load")
    assert.equal(0.5, load[1])
    assert.is_true(load[2] ~= load[2])
    assert.equal(1.5, load[3])
    assert.same({ "b", "a" }, hosts():column("host"))
  end)

  it("adds and replaces columns from Lua arrays", function()
    local f = hosts()
    f:set_column("double_load", { 1, 2, nil })
    f:set_column("host", { nil, "z", "y" }, "text")
    assert.equal(2.0, f:get(2, "double_load"))
    assert.is_nil(f:get(3, "double_load"))
    assert.is_nil(f:get(1, "host"))
    assert.equal("y", f:get(3, "host"))
  end)

  it("appends the rows of another frame, whatever the order of its columns", function()
    local f = frame.new { { "a", "text" }, { "b" } }:append { { a = "x", b = 1 } }
    local g = frame.new { { "b" }, { "a", "text" } }:append { { b = 2 }, { a = "y" } }
    f:concat(g)
    assert.same({ "x", nil, "y" }, f:column("a"))
    assert.equal(2.0, f:get(2, "b"))
  end)

  it("refuses to join frames of different columns", function()
    local ok, err = hosts():concat(frame.new { { "time", "int" } })
    assert.is_nil(ok)
    assert.equal("invalid", err.kind)
  end)

  it("sorts by several keys, stable, missing values last", function()
    local f = hosts():sort { "time", "host" }
    assert.same({ "a", "b" }, f:column("host"))
    f:sort { "-load" }
    assert.same({ 2000, 1000, 1000 }, f:column("time"))
    assert.is_nil(f:get(3, "load"))
  end)

  it("raises on what only a bug can cause", function()
    local f = hosts()
    assert.has_error(function() f:get(4, "time") end)
    assert.has_error(function() f:get(1, "nothing") end, "the frame has no column 'nothing'")
    assert.has_error(function() f:append { { time = "noon" } } end)
    assert.has_error(function() f:append { { nothing = 1 } } end)
    f:close()
    f:close()
    assert.has_error(function() f:rows() end)
  end)

  it("grows past its first capacity", function()
    local f, rows = frame.new { { "i", "int" }, { "s", "text" } }, {}
    for i = 1, 1000 do rows[i] = { i = i, s = i % 3 == 0 and tostring(i) or nil } end
    f:append(rows)
    assert.equal(1000, f:get(1000, "i"))
    assert.equal("999", f:get(999, "s"))
    assert.is_nil(f:get(1000, "s"))
  end)
end)
