local server = require "support.server"

describe("api/cluster", function()
  local blip
  setup(function()
    blip = server.start {}
    blip:put("/c-a/_doc/1", { n = 1 })
    blip:put("/c-b", { settings = { number_of_replicas = 0 } })
  end)
  teardown(function() blip:stop() end)

  it("says which dialect it speaks", function()
    local answer = blip:get("/").json
    assert.equal("opensearch", answer.version.distribution)
    assert.equal("3.6.0", answer.version.number)
  end)

  it("is green unless an index wants copies, which one process has no place for", function()
    local health = blip:get("/_cluster/health").json
    assert.equal("yellow", health.status)
    assert.equal(2, health.active_primary_shards)
    assert.equal(1, health.unassigned_shards)
    assert.equal("green", blip:get("/_cluster/health/c-b").json.status)
    assert.equal(408, blip:get("/_cluster/health?wait_for_status=green&timeout=1ms").status)
    assert.equal(408, blip:get("/_cluster/health/c-zzz?timeout=1ms").status)
  end)

  it("prints the indices as a text table", function()
    assert.equal("index docs.count pri health\nc-a            1   1 yellow\nc-b            0   1 green\n",
      blip:get("/_cat/indices?v&h=index,docs.count,pri,health&s=index").body)
    assert.equal("c-b 0\nc-a 1\n", blip:get("/_cat/indices?h=index,docs.count&s=index:desc").body)
    assert.same({ { i = "c-a" } }, blip:get("/_cat/indices/c-a?format=json&h=i").json)
    assert.equal(404, blip:get("/_cat/indices/c-zzz").status)
  end)

  it("counts documents as a text table", function()
    assert.matches("^%d+ %d%d:%d%d:%d%d 1\n$", blip:get("/_cat/count").body)
    assert.equal("0\n", blip:get("/_cat/count/c-b?h=count").body)
  end)

  it("refuses a sort key that is no column", function()
    local answer = blip:get("/_cat/indices?s=colour")
    assert.equal(400, answer.status)
    assert.equal("Unable to sort by unknown sort key `colour`", answer.json.error.reason)
  end)
end)
