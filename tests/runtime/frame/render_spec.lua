local frame = require "runtime.frame"
local render = require "runtime.render"

local function readings()
  local columns = { { "time", "int" }, { "host", "text" }, { "load" }, { "up", "bool" }, { "back", "int" } }
  return frame.new(columns):append {
    { time = 1000, host = "a", load = 0.5, up = true, back = -2 },
    { time = 2000, host = 'b"\n', up = false },
  }
end

local function lines(parts, f)
  local text, documents = (f or readings()):render(render.template(parts))
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do list[#list + 1] = line end
  assert.equal(documents, #list)
  return list
end

describe("runtime.render", function()
  it("writes literals and values of every type", function()
    assert.same({
      '{"t":1000,"h":"a","l":0.5,"u":true}',
      '{"t":2000,"h":"b\\"\\n","l":null,"u":false}',
    }, lines { '{"t":', { "time" }, ',"h":', { "host" }, ',"l":', { "load" }, ',"u":', { "up" }, "}" })
  end)

  it("writes what stands for a missing value", function()
    assert.same({ "0.5", "0.0" }, lines { { "load", missing = "0.0" } })
  end)

  it("writes the shortest decimal that reads back as the same number", function()
    for _, value in ipairs { 0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e21, 123456789.125 } do
      local f = frame.new({ { "v" } }):append { { v = value } }
      local text = lines({ { "v" } }, f)[1]
      assert.equal(value, tonumber(text))
      assert.is_true(#text <= #("%.17g"):format(value) + 2, text)
    end
  end)

  it("rounds to decimals", function()
    local f = frame.new({ { "v" } }):append { { v = 1.23456 }, { v = 2 } }
    assert.same({ "1.235", "2.0" }, lines({ { "v", decimals = 3 } }, f))
  end)

  it("adds integers", function()
    assert.same({ "61000", "182000" }, lines { { sum = { time = 1, back = 60000 }, plus = 180000 } })
  end)

  it("counts negative and largest integers right", function()
    local f = frame.new({ { "n", "int" } })
    f:append { { n = math.mininteger }, { n = -7 }, { n = math.maxinteger }, { n = 0 } }
    assert.same({ "-9223372036854775808", "-7", "9223372036854775807", "0" }, lines({ { "n" } }, f))
  end)

  it("leaves parts out where their condition does not hold", function()
    local function when(condition, column, than)
      return lines { { "time" }, { when = condition, columns = { column }, than = than, "+" } }
    end
    assert.same({ "1000+", "2000" }, when("present", "load"))
    assert.same({ "1000", "2000+" }, when("missing", "load"))
    assert.same({ "1000+", "2000" }, when("any", "up"))
    assert.same({ "1000", "2000+" }, when("above", "time", 1000))
    assert.same({ "1000+", "2000" }, when("below", "back"))
  end)

  it("nests conditions", function()
    assert.same({ "[ab]", "[]" }, lines {
      "[", { when = "present", columns = { "load" }, "a", { when = "any", columns = { "up" }, "b" } }, "]",
    })
  end)

  it("writes no document for a row without text", function()
    assert.same({ "2000" }, lines { { when = "missing", columns = { "load", "time" }, { "time" } } })
  end)

  it("names the column that is absent or of the wrong type", function()
    local _, err = readings():render(render.template { { "nothing" } })
    assert.equal("invalid", err.kind)
    assert.equal("the frame has no column 'nothing'", err.reason)
    _, err = readings():render(render.template { { sum = { load = 1 } } })
    assert.equal("the column 'load' has the wrong type", err.reason)
  end)

  it("raises for a template that makes no sense", function()
    assert.has_error(function() render.template { true } end)
    assert.has_error(function() render.template { { when = "sometimes", columns = { "a" } } } end)
    assert.has_error(function() render.template { { when = "any" } } end)
  end)
end)
