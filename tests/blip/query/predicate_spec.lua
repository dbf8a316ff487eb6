local filter = require "blip.query.filter"
local rows = require "blip.query.rows"
local tables = require "support.tables"

local t

--- Ids of the rows for which a filter holds.
local function ids(f)
  local from = rows.new(t.indices, f)
  from:field "_id"
  local source = assert(from:sql())
  local frame = assert(t.connection:query("SELECT f1 FROM " .. source .. " ORDER BY 1", from.params))
  return table.concat(frame:column "f1", " ")
end

local function refused(f)
  local source, err = rows.new(t.indices, f):sql()
  assert.is_nil(source)
  return err.reason
end

describe("blip.query.predicate", function()
  lazy_setup(function()
    t = tables.new():create("things", {
      { "name", "keyword" }, { "text", "text" }, { "n", "long" }, { "x", "double" }, { "f", "float" },
      { "on", "boolean" }, { "at", "date" }, { "ip", "ip" }, { "tag", "keyword", list = true },
      { "size.w", "long" },
    }, {
      { _id = "1", name = "Ada", text = "The Quick-Brown fox", n = 1, x = 0.5, f = 1.1, on = true,
        at = 0, ip = "10.0.0.1", tag = { "a", "b" }, ["size.w"] = 3 },
      { _id = "2", name = "bob_x", text = "quick red foxes", n = 8, x = 7.5, on = false, at = 86400000,
        ip = "10.0.1.200", tag = "c" },
      { _id = "3", name = "b%b" },
    })
  end)

  it("compares terms by the field's type", function()
    assert.equal("1", ids(filter.term("name", "Ada")))
    assert.equal("", ids(filter.term("name", "ada")))
    assert.equal("1", ids(filter.term("name", "ada", { case_insensitive = true })))
    assert.equal("2", ids(filter.term("n", "8")))
    assert.equal("", ids(filter.term("n", 8.5)))
    assert.equal("1", ids(filter.term("on", "true")))
    assert.equal("1", ids(filter.term("f", 1.1)))
    assert.equal("1 2", ids(filter.terms("n", { 1, 8, 9 })))
    assert.equal("", ids(filter.term("nothing", 1)))
  end)

  it("takes a date for all that it leaves open", function()
    assert.equal("2", ids(filter.term("at", "1970-01-02")))
    assert.equal("1 2", ids(filter.term("at", "1970-01")))
  end)

  it("knows words of a text, not parts of them", function()
    assert.equal("1", ids(filter.term("text", "fox")))
    assert.equal("1 2", ids(filter.match("text", "QUICK")))
    assert.equal("1", ids(filter.match("text", "brown quick", { all = true })))
    assert.equal("1", ids(filter.match("text", "quick brown", { phrase = true })))
    assert.equal("", ids(filter.match("text", "brown quick", { phrase = true })))
    assert.equal("1 2", ids(filter.prefix("text", "fox")))
    assert.equal("", ids(filter.term("text", "Quick")))
  end)

  it("compares bounds, rounding those of integers inwards", function()
    assert.equal("2", ids(filter.range("n", { gt = 7.5, lte = 9.5 })))
    assert.equal("", ids(filter.range("n", { gt = 7.5, lt = 8 })))
    assert.equal("1 2", ids(filter.range("n", { lt = 1e30 })))
    assert.equal("2", ids(filter.range("x", { gte = "7.5" })))
    assert.equal("2", ids(filter.range("at", { gt = "1970-01-01" })))
    assert.equal("1", ids(filter.range("at", { lte = "1970-01-01" })))
    assert.equal("2 3", ids(filter.range("name", { gt = "b" })))
  end)

  it("knows blocks and ranges of addresses", function()
    assert.equal("1", ids(filter.term("ip", "10.0.0.0/24")))
    assert.equal("2", ids(filter.range("ip", { gt = "10.0.1.9" })))
    assert.matches("'nonsense' is not an IP string literal", refused(filter.term("ip", "nonsense")))
  end)

  it("looks at every value of a field", function()
    assert.equal("1", ids(filter.term("tag", "b")))
    assert.equal("1 2", ids(filter.terms("tag", { "b", "c" })))
    assert.equal("2 3", ids(~filter.term("tag", "b")))
  end)

  it("counts unknown as no match, also when negated", function()
    assert.equal("2 3", ids(~filter.term("name", "Ada")))
    assert.equal("3", ids(~filter.exists("n")))
    assert.equal("1 2", ids(filter.exists("text")))
    assert.equal("1", ids(filter.exists("size")))
  end)

  it("asks for a number of matches", function()
    local list = { filter.term("n", 8), filter.term("on", false), filter.term("name", "Ada") }
    assert.equal("2", ids(filter.at_least(2, list)))
    assert.equal("1 2", ids(filter.at_least(1, list)))
    assert.equal("1 2 3", ids(filter.at_least(0, list)))
    assert.equal("", ids(filter.at_least(4, list)))
  end)

  it("takes patterns literally where they are not patterns", function()
    assert.equal("3", ids(filter.wildcard("name", "b%*")))
    assert.equal("2", ids(filter.wildcard("name", "b?b_x")))
    assert.equal("1", ids(filter.wildcard("name", "AD*", { case_insensitive = true })))
    assert.equal("2", ids(filter.regexp("name", "b.b_.")))
    assert.equal("3", ids(filter.prefix("name", "b%")))
  end)

  it("finds documents by id", function()
    assert.equal("1 3", ids(filter.ids { "1", "3", "x" }))
    assert.equal("", ids(filter.ids {}))
  end)

  it("keeps values out of the statement's text", function()
    assert.equal("", ids(filter.term("name", "' OR 1=1 --")))
    assert.equal("1 2 3", ids(filter.all()))
  end)

  it("refuses values that do not fit and names them", function()
    assert.equal('For input string: "abc"', refused(filter.term("n", "abc")))
    assert.matches("Can't parse boolean value %[maybe%]", refused(filter.term("on", "maybe")))
    assert.matches("failed to parse date field %[nonsense%]",
      refused(filter.range("at", { gte = "nonsense" })))
  end)
end)
