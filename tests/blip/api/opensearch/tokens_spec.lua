-- luacheck: no max line length
local json = require "runtime.json"
local tokens = require "blip.api.opensearch.tokens"

local tree = tokens.decode

local function refusal(text)
  local ok, err = pcall(tree, text)
  assert.is_false(ok, "was read: " .. text)
  return err
end

local function at(text)
  local reader = tokens.new(text)
  reader:next()
  return reader
end

describe("blip.api.opensearch.tokens", function()
  it("names one token after the other", function()
    local reader = tokens.new '{"a": [1, "x", true, null]}'
    local seen = {}
    while reader:next() do
      seen[#seen + 1] = reader.token
    end
    assert.same({
      "START_OBJECT",
      "FIELD_NAME",
      "START_ARRAY",
      "VALUE_NUMBER",
      "VALUE_STRING",
      "VALUE_BOOLEAN",
      "VALUE_NULL",
      "END_ARRAY",
      "END_OBJECT",
    }, seen)
  end)

  it("keeps the order of fields, integers and floats", function()
    local text = '{"z":1,"a":{"y":1.5,"x":-2e3},"m":[]}'
    local object = tree(text)
    assert.same({ "z", "a", "m" }, tokens.keys(object))
    assert.equal('{"z":1,"a":{"y":1.5,"x":-2000.0},"m":[]}', json.encode(object))
  end)

  it("reads escapes and surrogate pairs", function()
    assert.equal('a"\n\u{e9}\u{1F600}', tree [["a\"\n\u00e9\ud83d\ude00"]])
  end)

  it("does not look at what follows the first value", function()
    assert.same({ "a" }, tokens.keys(tree '{"a":1} rest'))
  end)

  it("knows line and column of a token", function()
    local reader = tokens.new '{"a": 1,\n "b": [2]}'
    while reader.token ~= "START_ARRAY" do
      reader:next()
    end
    assert.same({ 2, 7 }, { reader:place() })
  end)

  it("leaves values behind", function()
    local reader = at '{"skipped": {"a": [1, {"b": 2}]}, "last": 3}'
    local last
    reader:each(function(name)
      if name == "last" then
        last = reader:integer()
      else
        reader:skip()
      end
    end)
    assert.equal(3, last)
  end)

  describe("takes lenient values:", function()
    local cases = {
      { "text of a number", "1.50", "text", "1.50" },
      { "text of a boolean", "true", "text", "true" },
      { "an integer in a string", '"12"', "integer", 12 },
      { "the whole part of a fraction", "-2.9", "integer", -2 },
      { "a float of an integer", "3", "double", 3.0 },
      { "a boolean in a string", '"false"', "boolean", false },
      { "a long", "99999999999", "long", 99999999999 },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local reader = at(case[2])
        assert.equal(case[4], reader[case[3]](reader))
      end)
    end
  end)

  describe("refuses strict ones:", function()
    local cases = {
      { "text of null", "null", "text", 500, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:1" },
      { "text of an object", "{}", "text", 500, "illegal_state_exception", "Can't get text on a START_OBJECT at 1:1" },
      { "a word as a number", '"abc"', "integer", 400, "number_format_exception", 'For input string: "abc"' },
      {
        "a boolean as a number",
        "true",
        "integer",
        400,
        "json_parse_exception",
        "Current token (VALUE_TRUE) not numeric, can not use numeric value accessors",
      },
      {
        "a number beyond 32 bits",
        "99999999999",
        "integer",
        400,
        "json_parse_exception",
        "Numeric value (99999999999) out of range of `int` (-2147483648 - 2147483647)",
      },
      {
        "a word as a boolean",
        '"yes"',
        "boolean",
        400,
        "illegal_argument_exception",
        "Failed to parse value [yes] as only [true] or [false] are allowed.",
      },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local reader = at(case[2])
        local ok, err = pcall(reader[case[3]], reader)
        assert.is_false(ok)
        assert.equal(case[4], err.status)
        assert.equal(case[5], err.type)
        assert.equal(case[6], (err.reason:match "^[^\n]*"))
      end)
    end
  end)

  describe("refuses text that is not JSON:", function()
    local parse, eof = "json_parse_exception", "json_e_o_f_exception"
    local cases = {
      { '{"name": "x", ', parse, "Unexpected end-of-input within/between Object entries" },
      { '{"name":', eof, "Unexpected end-of-input within/between Object entries" },
      { '{"name": 1', eof, "Unexpected end-of-input: expected close marker for Object" },
      { '{"name": "x', eof, "Unexpected end-of-input in VALUE_STRING" },
      { '{"na', eof, "Unexpected end-of-input in field name" },
      { "{a}", parse, "Unexpected character ('a' (code 97)): was expecting double-quote to start field name" },
      { '{"a" 1}', parse, "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value" },
      { '{"a":1 "b"}', parse, [[Unexpected character ('"' (code 34)): was expecting comma to separate Object entries]] },
      { '{"a":1,"a":2}', parse, "Duplicate field 'a'" },
      { "[1 2]", parse, "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries" },
      {
        "hello",
        parse,
        "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
      },
      {
        "[}",
        parse,
        "Unexpected character ('}' (code 125)): expected a valid value "
          .. "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
      },
      { "[01]", parse, "Invalid numeric value: Leading zeroes not allowed" },
      { [["\x"]], parse, "Unrecognized character escape 'x' (code 120)" },
      { '"\255"', parse, "Invalid UTF-8 start byte 0xff" },
      { ("["):rep(2000), parse, "Document nesting depth (1001) exceeds the maximum allowed (1000)" },
    }
    for _, case in ipairs(cases) do
      it(case[1]:sub(1, 20), function()
        local err = refusal(case[1])
        assert.equal(case[3], (err.reason:match "^[^\n]*"))
        assert.equal(case[2], err.type)
        assert.equal(400, err.status)
      end)
    end
  end)
end)
