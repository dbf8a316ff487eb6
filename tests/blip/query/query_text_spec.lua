local query_text = require "blip.query.query_text"

--- A filter as text: op(field value), children in brackets.
local function show(node)
  local parts = {}
  for i, part in ipairs(node) do
    if type(part) == "table" and part.op then
      parts[i] = show(part)
    elseif type(part) == "table" then
      local keys = {}
      for key, value in pairs(part) do keys[#keys + 1] = key .. "=" .. tostring(value) end
      table.sort(keys)
      parts[i] = "{" .. table.concat(keys, " ") .. "}"
    else
      parts[i] = tostring(part)
    end
  end
  return ("%s(%s)"):format(node.op, table.concat(parts, " "))
end

local function parse(text, options)
  return show(assert(query_text.parse(text, options)))
end

describe("blip.query.query_text", function()
  for text, expected in pairs {
    ["a:x"] = "match(a x {})",
    ["a:x b:y"] = "or(match(a x {}) match(b y {}))",
    ["a:x AND b:y"] = "and(match(a x {}) match(b y {}))",
    ["+a:x b:y"] = "match(a x {})",
    ["-a:x"] = "not(match(a x {}))",
    ["a:x AND NOT b:y"] = "and(match(a x {}) not(match(b y {})))",
    ["a:(x OR y)"] = "or(match(a x {}) match(a y {}))",
    ['a:"x y"'] = "match(a x y {phrase=true})",
    ["a:[1 TO 5}"] = "range(a {gte=1 lt=5})",
    ["a:[1 TO *]"] = "range(a {gte=1})",
    ["a:>=3"] = "range(a {gte=3})",
    ["a:x*"] = "wildcard(a x* nil)",
    ["a:*"] = "exists(a)",
    ["_exists_:a"] = "exists(a)",
    ["*"] = "all()",
    ["a\\:b:x"] = "match(a:b x {})",
    ["a:x^2"] = "match(a x {})",
  } do
    it(("reads %s"):format(text), function()
      assert.equal((expected:gsub(" nil%)", ")")), parse(text))
    end)
  end

  it("looks in the fields that are searched by default", function()
    assert.equal("or(match(t x {}) match(u x {}))", parse("x", { fields = { "t^2", "u" } }))
    assert.equal("and(match(t x {}) match(t y {}))", parse("x y", { fields = { "t" }, all = true }))
  end)

  it("finds nothing by an empty text", function()
    assert.equal("none()", parse "")
  end)

  it("refuses what it cannot read", function()
    for _, text in ipairs { "a:[1 TO", "(a", "a:)", "a:", ("("):rep(200) .. "a" .. (")"):rep(200) } do
      local node, err = query_text.parse(text)
      assert.is_nil(node)
      assert.equal(("Failed to parse query [%s]"):format(text), err.reason)
    end
  end)
end)
