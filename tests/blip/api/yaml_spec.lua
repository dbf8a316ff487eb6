local json = require "runtime.json"
local yaml = require "blip.api.yaml"

describe("yaml", function()
  it("writes objects, arrays and scalars", function()
    local cause = json.ordered({ type = "t", reason = "r" }, { "type" })
    local value = json.ordered({
      error = json.ordered({ root_cause = { cause }, type = "t" }, { "root_cause" }),
      status = 404,
      empty = json.array(),
      none = {},
      list = { 1, "two", json.null },
      raw = json.raw '{"x":1.5}',
    }, { "error", "status" })
    assert.equal([[
---
error:
  root_cause:
  - type: "t"
    reason: "r"
  type: "t"
status: 404
empty: []
list:
- 1
- "two"
- null
none: {}
raw:
  x: 1.5
]], yaml.encode(value))
  end)
end)
