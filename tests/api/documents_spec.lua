local server = require "support.server"

local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

describe("api/documents", function()
  local blip
  setup(function() blip = server.start {} end)
  teardown(function() blip:stop() end)

  local function bulk(path, ...)
    return blip:request("POST", path, table.concat({ ... }, "\n") .. "\n", NDJSON)
  end

  it("stores, shows and deletes a document", function()
    local put = blip:put("/d-one/_doc/1", { a = 1 })
    assert.equal(201, put.status)
    assert.equal("/d-one/_doc/1", put.headers.location)
    assert.same({ _index = "d-one", _id = "1", _version = 1, result = "created", _seq_no = 0,
                  _primary_term = 1, _shards = { total = 1, successful = 1, failed = 0 } }, put.json)
    assert.same({ _index = "d-one", _id = "1", _version = 1, _seq_no = 0, _primary_term = 1, found = true,
                  _source = { a = 1 } }, blip:get("/d-one/_doc/1").json)
    assert.equal(200, blip:head("/d-one/_doc/1").status)
    assert.equal("deleted", blip:delete("/d-one/_doc/1").json.result)
    assert.equal(404, blip:head("/d-one/_doc/1").status)
    assert.equal("not_found", blip:delete("/d-one/_doc/1").json.result)
  end)

  it("keeps the source exactly as it was sent", function()
    local text = '{ "big": 9007199254740993, "f": 1.50, "s": "\\u00e9" }'
    blip:request("PUT", "/d-exact/_doc/1", text, { ["Content-Type"] = "application/json" })
    assert.equal(text, blip:get("/d-exact/_source/1").body)
  end)

  it("goes on counting versions behind a delete", function()
    for version, request in ipairs { "put", "delete", "put" } do
      local answer = request == "put" and blip:put("/d-versions/_doc/1", {})
        or blip:delete("/d-versions/_doc/1")
      assert.equal(version, answer.json._version)
    end
  end)

  it("refuses a stale if_seq_no and a create of what exists", function()
    blip:put("/d-cas/_doc/1", {})
    blip:put("/d-cas/_doc/1", {})
    local stale = blip:put("/d-cas/_doc/1?if_seq_no=0&if_primary_term=1", {})
    assert.equal(409, stale.status)
    assert.equal("version_conflict_engine_exception", stale.json.error.type)
    assert.equal("[1]: version conflict, required seqNo [0], primary term [1]. current document has "
      .. "seqNo [1] and primary term [1]", stale.json.error.reason)
    assert.equal(409, blip:put("/d-cas/_create/1", {}).status)
    assert.equal(200, blip:put("/d-cas/_doc/1?if_seq_no=1&if_primary_term=1", {}).status)
  end)

  it("merges an update, and sees when it changes nothing", function()
    blip:put("/d-update/_doc/1", { a = 1, o = { x = 1 } })
    assert.equal("updated", blip:post("/d-update/_update/1", { doc = { o = { y = 2 } } }).json.result)
    assert.same({ a = 1, o = { x = 1, y = 2 } }, blip:get("/d-update/_doc/1").json._source)
    assert.equal("noop", blip:post("/d-update/_update/1", { doc = { a = 1 } }).json.result)
    assert.equal(404, blip:post("/d-update/_update/2", { doc = { a = 1 } }).status)
    assert.equal(201, blip:post("/d-update/_update/2", { doc = { a = 1 }, doc_as_upsert = true }).status)
  end)

  it("gives every item of a bulk its own outcome", function()
    local answer = bulk("/d-bulk/_bulk",
      '{"index":{"_id":"1"}}', '{"n":1}',
      '{"create":{"_id":"1"}}', '{"n":2}',
      '{"index":{"_id":"2"}}', '{"n":"no number"}',
      '{"index":{"_id":"3"}}', '{"n":',
      '{"update":{"_id":"1"}}', '{"doc":{"m":true}}',
      '{"delete":{"_id":"9"}}',
      '{"index":{"_index":"Upper","_id":"1"}}', '{}')
    assert.equal(200, answer.status)
    assert.is_true(answer.json.errors)
    local statuses = {}
    for i, item in ipairs(answer.json.items) do statuses[i] = select(2, next(item)).status end
    assert.same({ 201, 409, 400, 400, 200, 404, 400 }, statuses)
    assert.equal("failed to parse field [n] of type [long] in document with id '2'. Preview of field's "
      .. "value: 'no number'", answer.json.items[3].index.error.reason)
    assert.same({ n = 1, m = true }, blip:get("/d-bulk/_doc/1").json._source)
  end)

  it("refuses a bulk that is wrong as a whole", function()
    local answer = blip:request("POST", "/_bulk", '{"index":{"_index":"d"}}\n{}', NDJSON)
    assert.equal("The bulk request must be terminated by a newline [\\n]", answer.json.error.reason)
    answer = bulk("/_bulk", '{"index":{}}', "{}")
    assert.equal("Validation Failed: 1: index is missing;", answer.json.error.reason)
    answer = bulk("/d/_bulk", '{"explode":{}}', "{}")
    assert.equal("Malformed action/metadata line [1], expected field [create], [delete], [index] or "
      .. "[update] but found [explode]", answer.json.error.reason)
  end)

  it("fetches many documents", function()
    blip:put("/d-many/_doc/1", { a = 1, b = 2 })
    local wanted = { docs = { { _id = "1", _source = { "a" } }, { _id = "2" } } }
    local docs = blip:post("/d-many/_mget", wanted).json.docs
    assert.same({ a = 1 }, docs[1]._source)
    assert.same({ _index = "d-many", _id = "2", found = false }, docs[2])
  end)

  describe("bad input", function()
    local function refused(body, reason)
      local answer = blip:request("PUT", "/d-bad/_doc/1", body, { ["Content-Type"] = "application/json" })
      assert.equal(400, answer.status)
      assert.equal("mapper_parsing_exception", answer.json.error.type)
      if reason then assert.matches(reason, answer.body, 1, true) end
      assert.equal(404, blip:get("/d-bad/_doc/1").status)
    end

    setup(function() blip:put("/d-bad/_doc/0", { n = 1 }) end)

    it("is refused and changes nothing", function()
      refused("hello", "not_x_content_exception")
      refused("[1]")
      refused('{"a":1} x')
      refused('{"n":1,"n":2}', "Duplicate field 'n'")
      refused('{"s":"\xff\xfe"}')
      refused(("["):rep(10000))
      refused('{"a":' .. ("["):rep(10000) .. ("]"):rep(10000) .. "}", "nested brackets")
      refused('{".":1}', "field name cannot contain only the character [.]")
      refused('{"":1}', "field name cannot be an empty string")
      refused('{"n":99999999999999999999}', "out of range of long")
      assert.same({ n = { type = "long" } }, blip:get("/d-bad/_mapping").json["d-bad"].mappings.properties)
    end)

    it("finds its place in SQL whatever a field is called", function()
      local name = [["; DROP TABLE "d-bad"; --]]
      assert.equal(201, blip:put("/d-bad/_doc/2", { [name] = 5, ["it's"] = "x" }).status)
      assert.equal(1, blip:post("/d-bad/_count", { query = { term = { [name] = 5 } } }).json.count)
      assert.equal(1, blip:post("/d-bad/_count", { query = { match = { ["it's"] = "x" } } }).json.count)
    end)

    it("keeps fields apart that differ in case alone", function()
      assert.equal(201, blip:put("/d-case/_doc/1", { host = "a", HOST = 5, _ID = true }).status)
      for field, value in pairs { HOST = 5, ["host.keyword"] = "a", _ID = true } do
        assert.equal(1, blip:post("/d-case/_count", { query = { term = { [field] = value } } }).json.count)
      end
    end)
  end)
end)
