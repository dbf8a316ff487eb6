local shape = require "blip.shape"

describe("shape", function()
  local wanted = shape {
    name = shape.string(5):required(),
    size = shape.integer(1, 100):default(10),
    grade = shape.number(0, 1),
    deep = shape.boolean(),
    wait = shape.duration(),
    room = shape.size(),
    colour = shape.one_of("red", "blue"),
    tags = shape.list(shape.string()),
    inner = shape.object(shape { a = shape.integer() }),
  }

  it("converts what it checks and fills in defaults", function()
    assert.same({ name = "x", size = 10, grade = 0.5, deep = true, wait = 90000, room = 2048 },
      wanted:check { name = "x", grade = "0.5", deep = "", wait = "90s", room = "2kb" })
    assert.same({ name = "x", size = 7, inner = { a = 1 }, tags = { "t" } },
      wanted:check { name = "x", size = 7, inner = { a = "1" }, tags = { "t" } })
  end)

  local function refuses(fields, reason)
    fields.name = fields.name == nil and "x" or fields.name
    local value, err = wanted:check(fields)
    assert.is_nil(value)
    assert.equal("invalid", err.kind)
    assert.equal(reason, err.reason)
  end

  it("names the field and the value that does not fit", function()
    refuses({ size = 0 }, "'size' must be a whole number from 1 to 100, got 0")
    refuses({ size = "many" }, "'size' must be a whole number from 1 to 100, got \"many\"")
    refuses({ grade = 0 / 0 }, "'grade' must be a number from 0 to 1, got null")
    refuses({ deep = "yes" }, "'deep' must be true or false, got \"yes\"")
    refuses({ wait = "soon" }, "'wait' must be a span of time such as 30s or 1m, got \"soon\"")
    refuses({ room = "2 elephants" }, "'room' must be a size such as 64kb or 100mb, got \"2 elephants\"")
    refuses({ colour = "green" }, "'colour' must be one of red, blue, got \"green\"")
    refuses({ tags = { 1 } }, "'tags[1]' must be a string, got 1")
    refuses({ inner = { b = 1 } }, "unknown field 'inner.b'")
    refuses({ name = "longer" }, "'name' is longer than 5 bytes")
    refuses({ other = 1 }, "unknown field 'other'")
    assert.equal("'name' is missing", select(2, wanted:check {}).reason)
  end)
end)
