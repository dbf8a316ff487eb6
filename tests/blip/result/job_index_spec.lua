-- luacheck: no max line length
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local job_index = require "blip.result.job_index"
local job_write = require "blip.result.job_write"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local store = require "runtime.store"

describe("blip.result.job_index", function()
  local function job(id, index, by, influencers)
    return { job_id = id, results_index_name = index or "shared",
             analysis_config = { detectors = { { by_field_name = by } }, influencers = influencers or {} } }
  end

  it("names the common index and those of jobs", function()
    assert.equal(".ml-anomalies-shared", job_index.name(job "a"))
    assert.equal(".ml-anomalies-custom-mine", job_index.name(job("a", "custom-mine")))
    assert.equal(".ml-anomalies-a", job_index.alias "a")
  end)

  it("copies fields of the data that no result has anyway", function()
    assert.same({ "host", "zone" }, job_index.term_fields(job("a", nil, "host", { "zone", "timestamp", "host" })))
  end)

  it("maps them as words, and lets each alias show its own job", function()
    assert(job_index.prepare(job("spec-a", "custom-spec", "host")))
    assert(job_index.prepare(job("spec-b", "custom-spec", "zone")))
    local fields = mapping.get(".ml-anomalies-custom-spec").fields
    assert.same({ "keyword", "keyword", "date" }, { fields.host.type, fields.zone.type, fields.timestamp.type })
    for _, id in ipairs { "spec-a", "spec-b" } do assert(documents.put(".ml-anomalies-" .. id, id, { job_id = id })) end
    for _, id in ipairs { "spec-a", "spec-b" } do
      local hits = json.plain(documents.search(".ml-anomalies-" .. id, {}).hits).hits
      assert.same({ 1, id }, { #hits, hits[1]._id })
    end
    assert.is_not_nil(catalog.alias ".ml-anomalies-.write-spec-a")
  end)

  it("refuses a field that is a text for one job and an object for another", function()
    assert(job_index.prepare(job("spec-plain", "custom-clash", "response")))
    local ok, err = job_index.prepare(job("spec-dotted", "custom-clash", "response.time"))
    assert.is_nil(ok)
    assert.equal("This job would cause a mapping clash with existing field [response] - avoid the clash by "
      .. "assigning a dedicated results index", err.reason)
    assert(job_index.prepare(job("spec-dotted", "custom-clash-2", "response.time")))
    ok, err = job_index.prepare(job("spec-plain", "custom-clash-2", "response"))
    assert.is_nil(ok)
    assert.is_true(err.reason:find("existing field [response]", 1, true) ~= nil)
  end)

  it("keeps an index while another job is in it", function()
    assert(job_index.prepare(job("spec-one", "custom-kept", "host")))
    assert(job_index.prepare(job("spec-two", "custom-kept", "host")))
    assert(job_index.release(job("spec-one", "custom-kept")))
    assert.is_nil(catalog.alias ".ml-anomalies-spec-one")
    assert.is_not_nil(catalog.find ".ml-anomalies-custom-kept")
    assert(job_index.release(job("spec-two", "custom-kept")))
    assert.is_nil(catalog.find ".ml-anomalies-custom-kept")
    assert.is_true(job_index.release(job("spec-two", "custom-kept")))
  end)

  it("finds results where the alias was taken away", function()
    assert(job_index.prepare(job("spec-lost", "custom-lost", "host")))
    assert(catalog.change(".ml-anomalies-custom-lost", { aliases = {} }))
    assert.equal(".ml-anomalies-custom-lost", assert(job_index.resolve(job("spec-lost", "custom-lost")))[1].name)
    assert.same({}, job_index.resolve(job("spec-nowhere", "custom-nowhere")))
  end)
end)

describe("blip.result.job_write", function()
  local INDEX = "spec-job-write"

  it("writes all lines or, rolled back, none", function()
    assert(documents.put(INDEX, "old", { n = 1 }))
    local c = store.connection()
    local lines = job_write.deletion "old" .. job_write.line("new", { n = 2 }) .. job_write.line(nil, { n = 3 })
    assert(c:begin(INDEX))
    assert(job_write.lines(c, INDEX, lines))
    c:rollback()
    assert.equal(1, documents.get(INDEX, "old")._source.n)
    assert(c:begin(INDEX))
    assert(job_write.lines(c, INDEX, lines))
    assert(c:commit())
    assert.is_nil((documents.get(INDEX, "old")))
    assert.equal(2, json.plain(documents.search(INDEX, {}).hits).total.value)
  end)

  it("says which document was refused", function()
    local c = store.connection()
    assert(documents.put(INDEX, "typed", { when = 1 }))
    local ok, err = job_write.lines(c, INDEX, job_write.line("bad", { when = { inner = "an object" } }))
    assert.is_nil(ok)
    assert.is_true(err.reason:find "^a result was refused" ~= nil, err.reason)
  end)

  it("writes nothing for no lines", function()
    assert.is_true(job_write.lines(store.connection(), INDEX, ""))
  end)
end)
