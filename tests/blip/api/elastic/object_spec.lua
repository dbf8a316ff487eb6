local object = require "blip.api.elastic.object"

local inner = object.new("inner", { size = object.integer }, { required = { "size" } })
local parser = object.new("thing", {
  name = object.text, count = object.long, share = object.double, on = object.boolean, any = object.any,
  kind = object.word { "small", "large" }, list = object.list(object.text), inner = object.nested(inner),
  map = object.map(object.double),
}, { aliases = { names = "list" } })

-- The refusal of a text, and the innermost reason for it.
local function refused(text)
  local ok, err = pcall(parser.parse, parser, text)
  assert.is_false(ok)
  local cause = err
  while cause.caused_by do cause = cause.caused_by end
  return err.reason, cause.reason, err
end

describe("blip.api.elastic.object", function()
  it("reads every kind of field", function()
    assert.same({
      name = "a", count = 5, share = 0.5, on = true, any = { x = { 1 } }, kind = "large", list = { "a", "b" },
      inner = { size = 3 }, map = { a = 1.0 },
    }, parser:parse [[{"name":"a","count":"5","share":0.5,"on":"true","any":{"x":[1]},"kind":"LARGE",
      "list":["a","b"],"inner":{"size":3},"map":{"a":1}}]])
  end)

  it("takes one value for a list, other names, and null for nothing", function()
    assert.same({ list = { "a" } }, parser:parse '{"names":"a","name":null}')
  end)

  it("names the place of a field that it does not know, and the one that was meant", function()
    assert.equal("[2:2] [thing] unknown field [nam] did you mean [name]?", (refused '{\n "nam":1}'))
    assert.equal("[1:2] [thing] unknown field [elephant]", (refused '{"elephant":1}'))
  end)

  it("names the place of a value that does not fit, with the reason", function()
    local reason, cause, err = refused '{"kind":"middle"}'
    assert.equal("[1:2] [thing] failed to parse field [kind]", reason)
    assert.equal("Unknown value [middle]; must be one of [small, large]", cause)
    assert.same({ "x_content_parse_exception", 400 }, { err.type, err.status })
    reason, cause = refused '{"inner":{"sise":3}}'
    assert.equal("[1:2] [thing] failed to parse field [inner]", reason)
    assert.equal("[1:11] [inner] unknown field [sise] did you mean [size]?", cause)
  end)

  it("refuses values of another kind", function()
    assert.equal("[1:9] [thing] name doesn't support values of type: START_OBJECT", (refused '{"name":{}}'))
    assert.equal("[1:7] [thing] on doesn't support values of type: VALUE_NUMBER", (refused '{"on":1}'))
    assert.equal("[1:1] [thing] Expected START_OBJECT but was: START_ARRAY", (refused "[]"))
  end)

  it("refuses an object without what it must have", function()
    local _, cause = refused '{"inner":{}}'
    assert.equal("Required [size]", cause)
  end)

  it("passes on what is no JSON", function()
    local _, _, err = refused '{"name":'
    assert.equal("json_e_o_f_exception", err.type)
    _, _, err = refused '{"inner":{"size":tru}}'
    assert.equal("json_parse_exception", err.type)
  end)
end)
