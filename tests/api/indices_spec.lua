local server = require "support.server"

describe("api/indices", function()
  local blip
  setup(function() blip = server.start {} end)
  teardown(function() blip:stop() end)

  local function reason(answer) return answer.json.error.reason end

  it("creates an index with a mapping, once", function()
    local body = { mappings = { properties = { t = { type = "date" }, ["o.x"] = { type = "keyword" } } },
                   settings = { number_of_shards = 1, ["index.refresh_interval"] = "5s" } }
    assert.same({ acknowledged = true, shards_acknowledged = true, index = "i-a" },
      blip:put("/i-a", body).json)
    local again = blip:put("/i-a", body)
    assert.equal(400, again.status)
    assert.equal("resource_already_exists_exception", again.json.error.type)
    local shown = blip:get("/i-a").json["i-a"]
    assert.same({ properties = { t = { type = "date" }, o = { properties = { x = { type = "keyword" } } } } },
      shown.mappings)
    assert.equal("5s", shown.settings.index.refresh_interval)
    assert.same({}, shown.aliases)
    assert.equal(200, blip:head("/i-a").status)
    assert.equal(404, blip:head("/i-zzz").status)
  end)

  it("refuses names that are none, and leaves the data folder alone", function()
    for path, text in pairs {
      ["/Upper"] = "must be lowercase", ["/_x"] = "must not start with '_', '-', or '+'",
      ["/..%2Fx"] = "must not contain the following characters", ["/a%00b"] = "control characters",
    } do
      local answer = blip:put(path)
      assert.equal(400, answer.status)
      assert.equal("invalid_index_name_exception", answer.json.error.type)
      assert.matches(text, reason(answer), 1, true)
    end
  end)

  it("refuses what it does not know, by name", function()
    assert.equal("unknown key [setings] for create index", reason(blip:put("/i-b", { setings = {} })))
    assert.equal("unknown setting [index.number_of_shard] did you mean [index.number_of_shards]?",
      reason(blip:put("/i-b", { settings = { number_of_shard = 1 } })))
    assert.equal("Failed to parse mapping [_doc]: No handler for type [strin] declared on field [a]",
      reason(blip:put("/i-b", { mappings = { properties = { a = { type = "strin" } } } })))
    assert.equal("Failed to parse mapping [_doc]: unknown parameter [colour] on mapper [a] of type [long]",
      reason(blip:put("/i-b", { mappings = { properties = { a = { type = "long", colour = 1 } } } })))
    assert.equal(404, blip:head("/i-b").status)
  end)

  it("adds fields to a mapping, and does not change the type of one", function()
    blip:put("/i-map/_doc/1", { n = 1, s = "x" })
    local put = blip:put("/i-map/_mapping", { properties = { k = { type = "keyword" } } })
    assert.is_true(put.json.acknowledged)
    local properties = blip:get("/i-map/_mapping").json["i-map"].mappings.properties
    assert.same({ n = { type = "long" }, k = { type = "keyword" },
                  s = { type = "text", fields = { keyword = { type = "keyword", ignore_above = 256 } } } },
      properties)
    assert.equal("mapper [n] cannot be changed from type [long] to [keyword]",
      reason(blip:put("/i-map/_mapping", { properties = { n = { type = "keyword" } } })))
    assert.equal(201, blip:put("/i-map/_doc/2", { k = "new" }).status)
  end)

  it("heeds dynamic and the limits of a mapping", function()
    blip:put("/i-strict", { mappings = { dynamic = "strict", properties = { a = { type = "long" } } } })
    local answer = blip:put("/i-strict/_doc/1", { b = 1 })
    assert.equal("strict_dynamic_mapping_exception", answer.json.error.type)
    blip:put("/i-false", { mappings = { dynamic = false } })
    assert.equal(201, blip:put("/i-false/_doc/1", { b = 1 }).status)
    assert.is_nil(blip:get("/i-false/_mapping").json["i-false"].mappings.properties)
    blip:put("/i-limit", { settings = { ["index.mapping.total_fields.limit"] = 2 } })
    assert.equal("Limit of total fields [2] has been exceeded",
      reason(blip:put("/i-limit/_doc/1", { a = 1, b = 2, c = 3 })))
  end)

  it("deletes by name and wildcard, never by accident", function()
    blip:put("/i-x1") blip:put("/i-x2")
    local answer = blip:delete("/i-x1,i-zzz")
    assert.equal(404, answer.status)
    assert.equal("no such index [i-zzz]", reason(answer))
    assert.equal(200, blip:head("/i-x1").status)
    assert.is_true(blip:delete("/i-x*").json.acknowledged)
    assert.equal(404, blip:head("/i-x1").status)
    assert.equal("Validation Failed: 1: index / indices is missing;", reason(blip:delete("/")))
  end)

  it("writes through an alias and reads behind it", function()
    blip:put("/i-al1", { aliases = { alias = {} } })
    assert.equal("i-al1", blip:put("/alias/_doc/1", { n = 1 }).json._index)
    assert.is_true(blip:put("/i-al2", {}).json.acknowledged)
    assert.is_true(blip:post("/_aliases", { actions = { { add = { index = "i-al2", alias = "alias" } } } })
      .json.acknowledged)
    assert.matches("no write index is defined for alias [alias]", reason(blip:put("/alias/_doc/2", {})), 1,
      true)
    assert.same({ ["i-al1"] = { aliases = { alias = {} } }, ["i-al2"] = { aliases = { alias = {} } } },
      blip:get("/_alias/alias").json)
    assert.equal("alias [nothing] missing", blip:get("/_alias/nothing").json.error)
    assert.same({}, blip:get("/_alias/al*,-alias").json)
    assert.equal("alias [-alias] missing", blip:get("/_alias/-alias,al*").json.error)
  end)

  it("closes and opens", function()
    blip:put("/i-shut/_doc/1", { n = 1 })
    assert.same({ ["i-shut"] = { closed = true } }, blip:post("/i-shut/_close").json.indices)
    assert.equal("index_closed_exception", blip:put("/i-shut/_doc/2", {}).json.error.type)
    assert.equal("index_closed_exception", blip:get("/i-shut/_search").json.error.type)
    assert.equal("close\n", blip:get("/_cat/indices/i-shut?h=status").body)
    assert.is_true(blip:post("/i-shut/_open").json.acknowledged)
    assert.is_true(blip:get("/i-shut/_doc/1").json.found)
  end)

  it("keeps everything over a restart", function()
    blip:put("/i-keep", { mappings = { properties = { k = { type = "keyword" } } }, aliases = { kept = {} } })
    blip:put("/i-keep/_doc/1", { k = "a", tags = { "x", "y" }, when = "2026-01-05" })
    blip:delete("/i-keep/_doc/2")
    local before = blip:get("/i-keep").json
    blip:restart()
    assert.same(before, blip:get("/i-keep").json)
    assert.equal(1, blip:post("/kept/_count", { query = { term = { ["tags.keyword"] = "y" } } }).json.count)
    local put = blip:put("/i-keep/_doc/1", { k = "b" }).json
    assert.equal(2, put._version)
    assert.equal(2, put._seq_no)
  end)
end)

describe("api/field_caps", function()
  local blip
  setup(function()
    blip = server.start {}
    blip:put("/f-a", { mappings = { properties = { n = { type = "long" }, o = { properties = {
      t = { type = "text", index = false } } } } } })
    blip:put("/f-b", { mappings = { properties = { n = { type = "keyword", doc_values = false } } } })
  end)
  teardown(function() blip:stop() end)

  it("tells the types of a field in several indices apart", function()
    local answer = blip:get("/f-*/_field_caps?fields=n&include_unmapped=true").json
    assert.same({ "f-a", "f-b" }, answer.indices)
    assert.same({ type = "long", searchable = true, aggregatable = true, indices = { "f-a" } },
      answer.fields.n.long)
    assert.same({ type = "keyword", searchable = true, aggregatable = false, indices = { "f-b" } },
      answer.fields.n.keyword)
  end)

  it("shows the objects above a field", function()
    local fields = blip:get("/f-a/_field_caps?fields=o.*").json.fields
    assert.same({ object = { type = "object", searchable = false, aggregatable = false } }, fields.o)
    assert.same({ text = { type = "text", searchable = false, aggregatable = false } }, fields["o.t"])
  end)
end)
