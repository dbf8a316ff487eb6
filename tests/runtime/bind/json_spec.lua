local json = require "runtime.json"

describe("json", function()
  describe("decode", function()
    it("reads every kind of value", function()
      local value = json.decode('{"a":[1,-2.5,true,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{"c":"x"}}')
      assert.same({ a = { 1, -2.5, true, json.null, "é😀\n" }, b = { c = "x" } }, value)
    end)

    it("keeps 64-bit integers and tells them from doubles", function()
      assert.equal(math.maxinteger, json.decode("9223372036854775807"))
      assert.equal("integer", math.type(json.decode("1")))
      assert.equal("float", math.type(json.decode("1.0")))
      assert.equal(2.0 ^ 64, json.decode("18446744073709551616"))
    end)

    it("tells an empty array from an empty object", function()
      assert.is_true(json.is_array(json.decode("[]")))
      assert.is_true(json.is_object(json.decode("{}")))
      assert.equal('{"a":[],"o":{}}', json.encode(json.decode('{"o":{},"a":[]}')))
    end)

    local function refuses(text, type, line, column, problem)
      local value, err = json.decode(text)
      assert.is_nil(value)
      assert.same({ "invalid", type, line, column }, { err.kind, err.type, err.line, err.column })
      assert.matches(problem, err.problem, 1, true)
    end

    it("says what is wrong, and where", function()
      refuses('{"a":1,\n "b" 2}', "json_parse_exception", 2, 6, "unexpected character")
      refuses('{"a":[1,2', "json_e_o_f_exception", 1, 10, "ends inside of a value")
      refuses("", "json_e_o_f_exception", 1, 1, "ends inside of a value")
      refuses('{"a":"x', "json_e_o_f_exception", 1, 8, "a string is not closed")
      refuses('{"n":1,"n":2}', "json_parse_exception", 1, 11, "Duplicate field 'n'")
      refuses("[01]", "json_parse_exception", 1, 2, "not a number")
      refuses("[1] x", "json_parse_exception", 1, 4, "something follows the value")
      refuses('["\xff"]', "json_parse_exception", 1, 1, "not valid UTF-8")
    end)

    it("stops at too many brackets", function()
      local deep = ("["):rep(10000) .. ("]"):rep(10000)
      refuses(deep, "json_parse_exception", 1, 1001, "nested deeper than 1000 levels")
      assert.is_nil((json.decode("[[1]]", { max_depth = 1 })))
      assert.same({ { 1 } }, json.decode("[[1]]", { max_depth = 2 }))
    end)

    it("ignores what follows an object when asked to", function()
      assert.same({ a = "}" }, json.decode('{"a":"}"} and more', { trailing = true }))
    end)
  end)

  describe("encode", function()
    it("sorts keys, and puts those first that json.ordered names", function()
      assert.equal('{"a":1,"b":2,"c":3}', json.encode { c = 3, a = 1, b = 2 })
      local order = { "c", "missing", "b" }
      assert.equal('{"c":3,"b":2,"a":1}', json.encode(json.ordered({ a = 1, b = 2, c = 3 }, order)))
      assert.same({ "c", "b", "a" }, json.keys(json.ordered({ a = 1, b = 2, c = 3 }, order)))
    end)

    it("writes a double as the shortest text that reads back", function()
      assert.equal("[0.1,1.0,1e+300,-0.0,5]", json.encode { 0.1, 1.0, 1e300, -0.0, 5 })
      assert.equal("[null,null]", json.encode { 0 / 0, math.huge })
    end)

    it("escapes text", function()
      assert.equal([["\"\\\n\u0001é"]], json.encode '"\\\n\1é')
    end)

    it("splices raw text", function()
      assert.equal('{"hit":{"z":1,"a":2}}', json.encode { hit = json.raw '{"z":1,"a":2}' })
      assert.same({ z = 1 }, json.plain(json.raw '{"z":1}'))
    end)

    it("marks arrays and objects", function()
      assert.equal("[[],{},{\"1\":\"x\"}]", json.encode { json.array(), {}, json.object { "x" } })
    end)

    it("indents when asked to", function()
      assert.equal('{\n  "a" : [\n    1,\n    { }\n  ],\n  "b" : [ ]\n}',
        json.encode({ a = { 1, {} }, b = json.array() }, { pretty = true }))
    end)

    it("indents raw text like the rest", function()
      local raw = json.raw '{"a":[ 1,{},"x,:[\\"]"],"b":[],"c":{"d":true}}'
      local plain = { raw = { a = { 1, {}, 'x,:["]' }, b = json.array(), c = { d = true } } }
      assert.equal(json.encode(plain, { pretty = true }), json.encode({ raw = raw }, { pretty = true }))
    end)

    it("replaces bytes that are not UTF-8", function()
      assert.equal('"a\u{FFFD}b\u{FFFD}\u{FFFD}é€😀"', json.encode("a\xffb\xed\xa0é€😀"))
    end)

    it("raises for what has no form", function()
      assert.error_matches(function() json.encode { print } end, "a function has no form")
      assert.error_matches(function() json.encode { [true] = 1 } end, "a boolean cannot be a key")
      local loop = {}
      loop[1] = loop
      assert.error_matches(function() json.encode(loop) end, "more than 1000 levels")
    end)
  end)
end)
