local server = require "support.server"

local MAPPING = { mappings = { properties = {
  at = { type = "date" }, host = { type = "keyword" }, ms = { type = "double" }, text = { type = "text" },
  parts = { type = "nested", properties = { name = { type = "keyword" }, size = { type = "integer" } } },
} } }

local DOCUMENTS = {
  [[{"index":{"_id":1}}]],
  [[{"at":0,"host":"a","ms":1.5,"text":"red fox","parts":[{"name":"x","size":1},{"name":"y","size":9}]}]],
  [[{"index":{"_id":2}}]],
  [[{"at":60000,"host":"b","ms":2.5,"text":"blue fox","parts":{"name":"x","size":9}}]],
  [[{"index":{"_id":3}}]],
  [[{"at":120000,"host":"a","ms":4}]],
}

describe("api/search", function()
  local blip

  setup(function()
    blip = server.start {}
    assert.equal(200, blip:put("/s-logs", MAPPING).status)
    local answer = blip:request("POST", "/s-logs/_bulk", table.concat(DOCUMENTS, "\n") .. "\n",
      { ["Content-Type"] = "application/x-ndjson" })
    assert.is_false(answer.json.errors)
  end)
  teardown(function() blip:stop() end)

  local function ids(answer)
    local list = {}
    for i, hit in ipairs(answer.json.hits.hits) do list[i] = hit._id end
    return table.concat(list, " ")
  end

  local function search(body) return blip:post("/s-logs/_search", body) end

  it("finds by query, with the source as it was sent", function()
    local answer = search { query = { term = { host = "b" } } }
    assert.equal(200, answer.status)
    assert.same({ total = 1, successful = 1, skipped = 0, failed = 0 }, answer.json._shards)
    assert.same({ value = 1, relation = "eq" }, answer.json.hits.total)
    assert.matches('"_source":{"at":60000,"host":"b","ms":2.5,', answer.body, 1, true)
  end)

  it("takes the query, the page and the order from the address", function()
    assert.equal("3 1", ids(blip:get "/s-logs/_search?q=host:a&sort=at:desc"))
    assert.equal("2", ids(blip:get "/s-*/_search?sort=at&from=1&size=1"))
    assert.equal(3, blip:get "/_search?rest_total_hits_as_int=true".json.hits.total)
  end)

  it("finds each value of a list within a part of a nested object", function()
    blip:put("/lists", MAPPING)
    blip:put("/lists/_doc/1", { parts = {
      { name = { "red", "big" }, size = { 1, 2 } }, { name = "blue", size = 3 },
    } })
    local function found(name, size)
      local both = { { term = { ["parts.name"] = name } }, { range = { ["parts.size"] = { gte = size } } } }
      local query = { nested = { path = "parts", query = { bool = { must = both } } } }
      return blip:post("/lists/_search", { query = query }).json.hits.total.value
    end
    local counts = { found("red", 2), found("big", 1), found("red", 3), found("blue", 3), found("gone", 1) }
    blip:delete "/lists"
    assert.same({ 1, 1, 0, 1, 0 }, counts)
  end)

  it("knows which parts of a nested object belong together", function()
    local both = { { term = { ["parts.name"] = "x" } }, { range = { ["parts.size"] = { gte = 5 } } } }
    local query = { nested = { path = "parts", query = { bool = { must = both } } } }
    assert.equal("2", ids(search { query = query }))
  end)

  it("aggregates over time", function()
    local answer = search { size = 0, aggs = {
      t = { date_histogram = { field = "at", fixed_interval = "1m" },
            aggs = { m = { avg = { field = "ms" } } } },
    } }
    local buckets = answer.json.aggregations.t.buckets
    assert.equal(3, #buckets)
    assert.equal("1970-01-01T00:01:00.000Z", buckets[2].key_as_string)
    assert.equal(2.5, buckets[2].m.value)
  end)

  it("counts", function()
    assert.equal(2, blip:post("/s-logs/_count", { query = { match = { text = "fox" } } }).json.count)
    assert.equal(2, blip:get "/s-logs/_count?q=host:a".json.count)
  end)

  it("answers many searches in one, errors in their places", function()
    local lines = { '{"index":"s-logs"}', '{"size":0}', '{"index":"s-missing"}', '{"size":0}' }
    local answer = blip:request("POST", "/_msearch", table.concat(lines, "\n") .. "\n",
      { ["Content-Type"] = "application/x-ndjson" })
    assert.equal(3, answer.json.responses[1].hits.total.value)
    assert.equal(404, answer.json.responses[2].status)
  end)

  it("scrolls through what was there at the beginning", function()
    local page = blip:post("/s-logs/_search?scroll=1m", { size = 2, sort = { "at" }, _source = false })
    assert.equal("1 2", ids(page))
    assert.equal(201, blip:put("/s-logs/_doc/late", { at = 180000, host = "c" }).status)
    page = blip:post("/_search/scroll", { scroll = "1m", scroll_id = page.json._scroll_id })
    assert.equal("3", ids(page))
    page = blip:post("/_search/scroll", { scroll_id = page.json._scroll_id })
    assert.equal("", ids(page))
    assert.equal(1, blip:delete("/_search/scroll", { scroll_id = page.json._scroll_id }).json.num_freed)
    assert.equal(200, blip:delete("/s-logs/_doc/late").status)
    local refused = blip:post("/_search/scroll", { scroll_id = "abc" })
    assert.equal("Cannot parse scroll id", refused.json.error.reason)
  end)

  it("says whether a query is one", function()
    assert.is_true(blip:get "/s-logs/_validate/query?q=host:a".json.valid)
    assert.is_false(blip:post("/s-logs/_validate/query", { query = { nope = {} } }).json.valid)
  end)

  it("answers 404 for an index that is not there, nothing for a pattern without one", function()
    local answer = blip:get "/s-missing/_search"
    assert.equal(404, answer.status)
    assert.equal("index_not_found_exception", answer.json.error.type)
    assert.equal(0, blip:get "/missing-*/_search".json.hits.total.value)
  end)

  it("refuses what it does not know and names it, with its place", function()
    local answer = blip:request("POST", "/s-logs/_search", '{"query": {"matc": {}}}',
      { ["Content-Type"] = "application/json" })
    assert.equal(400, answer.status)
    assert.equal("unknown query [matc] did you mean [match]?", answer.json.error.reason)
    assert.equal(20, answer.json.error.col)
    assert.equal(400, blip:get "/s-logs/_search?nope=1".status)
  end)
end)
