local filter_path = require "blip.api.filter_path"
local json = require "runtime.json"

describe("filter_path", function()
  local answer = json.ordered({
    took = 3,
    hits = {
      total = { value = 2 },
      hits = { { _id = "1", _score = 1.5 }, { _id = "2", error = { type = "x" } } },
    },
    raw = json.raw '{"b":1,"a":2}',
    ["dotted.name"] = 1,
  }, { "took", "hits" })

  local function filtered(text)
    return json.encode(filter_path.apply(filter_path.compile(text), answer))
  end

  it("keeps the named fields, through arrays", function()
    assert.equal('{"took":3,"hits":{"hits":[{"_id":"1"},{"_id":"2"}]}}', filtered("took,hits.hits._id"))
  end)

  it("takes * for any text of one name and ** for any number of names", function()
    assert.equal('{"took":3}', filtered("to*"))
    assert.equal('{"hits":{"total":{"value":2}}}', filtered("*.total"))
    assert.equal('{"hits":{"hits":[{"error":{"type":"x"}}]}}', filtered("**.type"))
    assert.equal('{"hits":{"hits":[{"_id":"1"},{"_id":"2"}]}}', filtered("hits.**._id"))
  end)

  it("leaves out what a minus names", function()
    assert.equal('{"took":3,"hits":{"total":{"value":2}},"dotted.name":1}', filtered("-hits.hits,-raw"))
    assert.equal('{"hits":{"hits":[{"_id":"1"},{"_id":"2","error":{"type":"x"}}]}}',
      filtered("hits.hits,-**._score"))
  end)

  it("looks into raw text", function()
    assert.equal('{"raw":{"b":1}}', filtered("raw.b"))
  end)

  it("takes an escaped dot as part of a name", function()
    assert.equal('{"dotted.name":1}', filtered("dotted\\.name"))
  end)

  it("leaves an empty object when nothing is left", function()
    assert.equal("{}", filtered("nothing"))
  end)
end)
