local registry = require "blip.detector.registry"

describe("blip.detector.registry", function()
  it("stores, gets, replaces and deletes documents", function()
    local made = assert(registry.create { name = "one" })
    assert.equal("one", registry.get(made._id)._source.name)
    local guard = { if_seq_no = made._seq_no, if_primary_term = made._primary_term }
    assert.equal(2, assert(registry.update(made._id, { name = "two" }, guard))._version)
    local _, err = registry.update(made._id, { name = "three" }, guard)
    assert.equal("conflict", err.kind)
    assert(registry.delete(made._id))
    _, err = registry.get(made._id)
    assert.equal("not_found", err.kind)
  end)

  it("searches documents", function()
    assert(registry.create('{"name":"needle"}'))
    local answer = assert(registry.search { query = { term = { ["name.keyword"] = "needle" } } })
    assert.equal(1, answer.hits.total.value)
  end)

  it("asks the readers, scripts first", function()
    local script, rest = { id = "both" }, { id = "both", of = "rest" }
    registry.reader("rest", { find = function() return rest end })
    registry.reader("script", {
      find = function(id)
        if id == "both" then return script end
        return nil, { kind = id == "broken" and "invalid" or "not_found", reason = "no" }
      end,
      list = function() return { script } end,
    })
    assert.equal(script, registry.resolve "both")
    assert.equal(rest, registry.resolve "other")
    local _, err = registry.resolve "broken"
    assert.equal("invalid", err.kind)
    assert.same({ script }, registry.scripts())
  end)
end)
