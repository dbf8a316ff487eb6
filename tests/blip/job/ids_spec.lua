local ids = require "blip.job.ids"

local MEMBERS = {
  { names = { "api-1", "web" } }, { names = { "api-2" } }, { names = { "db", "web", "a.b" } },
}

local function named(expression, allow_no_match)
  local list, unmatched = ids.expand(expression, MEMBERS, allow_no_match)
  local found = {}
  for i, member in ipairs(list) do found[i] = member.names[1] end
  return table.concat(found, " "), table.concat(unmatched, ",")
end

describe("blip.job.ids", function()
  it("stand for everything when they are empty, _all or an asterisk", function()
    for _, expression in ipairs { "", "_all", "*" } do assert.equal("api-1 api-2 db", (named(expression))) end
    assert.equal("api-1 api-2 db", (named(nil)))
  end)

  it("find groups as well, each member once and in order", function()
    assert.equal("api-1 db", (named "web"))
    assert.equal("api-1 api-2 db", (named "db,web,api-*"))
  end)

  it("take all but the asterisk as it is written", function()
    assert.equal("db", (named "a.b"))
    assert.equal("", (named "a?b*"))
    assert.same({ "", "a-b" }, { named "a-b" })
  end)

  it("complain of literal names that nothing has", function()
    assert.same({ "api-1 db", "x,y" }, { named "x,web,y" })
  end)

  it("complain of patterns only when they must find something", function()
    assert.same({ "", "" }, { named "x*" })
    assert.same({ "", "x*" }, { named("x*", false) })
  end)
end)
