local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"

describe("blip/index/documents", function()
  it("puts, gets, replaces and deletes", function()
    local put = assert(documents.put("docs", "1", { a = 1, tags = { "x", "y" } }))
    assert.equal("created", put.result)
    assert.equal(1, put._version)
    local got = assert(documents.get("docs", "1"))
    assert.same({ a = 1, tags = { "x", "y" } }, got._source)
    assert.equal("updated", assert(documents.put("docs", "1", '{"a":2}')).result)
    assert.same({ a = 2 }, documents.get("docs", "1")._source)
    local gone = assert(documents.delete("docs", "1"))
    assert.equal("deleted", gone.result)
    local _, err = documents.get("docs", "1")
    assert.equal("not_found", err.kind)
  end)

  it("makes an id when there is none", function()
    local a, b = documents.put("docs", nil, "{}"), documents.put("docs", nil, "{}")
    assert.equal(20, #a._id)
    assert.not_equal(a._id, b._id)
  end)

  it("tells who was faster", function()
    local first = assert(documents.put("guarded", "1", "{}"))
    assert(documents.put("guarded", "1", "{}", { if_seq_no = first._seq_no, if_primary_term = 1 }))
    local _, err = documents.put("guarded", "1", "{}", { if_seq_no = first._seq_no, if_primary_term = 1 })
    assert.equal("conflict", err.kind)
    assert.equal("[1]: version conflict, required seqNo [0], primary term [1]. current document has "
      .. "seqNo [1] and primary term [1]", err.reason)
    _, err = documents.put("guarded", "1", "{}", { op_type = "create" })
    assert.equal("conflict", err.kind)
  end)

  it("gives the mapping's columns to queries", function()
    assert(documents.put("columns", "1", { name = "n", list = { 1, 2 }, o = { ['q"uote'] = true } }))
    local m = mapping.get("columns")
    assert.equal('"columns"', m.table)
    assert.same({ type = "text", column = '"name"' }, m.fields.name)
    assert.same({ type = "keyword", column = '"name"', ignore_above = 256 }, m.fields["name.keyword"])
    assert.same({ type = "long", column = '"list"', list = '"list[]"' }, m.fields.list)
    assert.equal('"o.q""uote"', m.fields['o.q"uote'].column)
  end)
end)

describe("blip/index/names", function()
  setup(function()
    for _, name in ipairs { "n-a", "n-b", ".n-hidden" } do assert(catalog.create(name, {})) end
  end)
  teardown(function()
    for _, name in ipairs { "n-a", "n-b", ".n-hidden" } do assert(catalog.delete(name)) end
  end)

  it("expands wildcards, lists and exclusions", function()
    assert.same({ "n-a", "n-b" }, names.expand "n-*")
    assert.same({ "n-b" }, names.expand "n-*,-n-a")
    assert.same({ "n-a" }, names.expand { "n-a" })
    assert.same({ ".n-hidden" }, names.expand ".n-*")
  end)

  it("names the index that is not there", function()
    local _, err = names.expand "n-a,n-zzz"
    assert.equal("no such index [n-zzz]", err.reason)
    assert.same({ "n-a" }, names.expand("n-a,n-zzz", { ignore_unavailable = true }))
    assert.same({}, names.expand "n-z*")
    assert.is_nil((names.expand("n-z*", { allow_no_indices = false })))
  end)

  it("refuses names that are none", function()
    for _, name in ipairs { "../x", "_x", "-x", "A", "a b", "", ".", "a#b", ("x"):rep(256) } do
      local ok, err = names.check(name)
      assert.is_nil(ok)
      assert.equal("invalid_index_name_exception", err.type)
    end
  end)
end)
