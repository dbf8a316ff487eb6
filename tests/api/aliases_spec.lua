local server = require "support.server"

describe("aliases with a filter", function()
  local blip

  setup(function()
    blip = server.start()
    blip:put("/orders", {
      mappings = { properties = { region = { type = "keyword" } } },
      aliases = { ["orders-eu"] = { filter = { term = { region = "EU" } } } },
    })
    blip:put("/orders/_alias/orders-us", { filter = { term = { region = "US" } } })
    for i, region in ipairs { "EU", "US", "US", "AU" } do
      blip:put("/orders/_doc/" .. i, { region = region, ["n"] = i })
    end
  end)
  teardown(function() blip:stop() end)

  local function count(name)
    return blip:get("/" .. name .. "/_count").json.count
  end

  it("show the documents that it lets through", function()
    assert.equal(1, count "orders-eu")
    assert.equal(2, count "orders-us")
    assert.equal(2, blip:post("/orders-us/_search", { query = { match_all = {} } }).json.hits.total.value)
  end)

  it("show together what either of them shows", function()
    assert.equal(3, count "orders-eu,orders-us")
    assert.equal(4, count "orders-eu,orders")
  end)

  it("are found by wildcards with their filters", function()
    assert.equal(3, count "orders-*")
    assert.equal(4, count "orders*")
  end)

  it("are shown with it", function()
    local answer = blip:get "/_alias/orders-eu"
    assert.same({ term = { region = "EU" } }, answer.json.orders.aliases["orders-eu"].filter)
  end)

  it("refuse a query that is none", function()
    local answer = blip:put("/orders/_alias/odd", { filter = { nothing = {} } })
    assert.equal(400, answer.status)
    assert.equal("parsing_exception", answer.json.error.type)
  end)
end)
