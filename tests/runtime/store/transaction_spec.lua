-- luacheck: no max line length
local store = require "runtime.store"

describe("transactions of runtime.store", function()
  local c

  before_each(function()
    c = assert(store.open {})
    for _, name in ipairs { "one", "two" } do
      assert(c:create_index { name = name, uuid = name, created_ms = 0, settings = "{}", aliases = "{}", mapping = "{}" })
    end
  end)
  after_each(function() c:close() end)

  it("may name the indices that they will write to", function()
    assert(c:begin("two", "one"))
    assert(c:append_documents("one", '{"a":1}\n'))
    assert(c:commit())
    assert.equal(1, c:query("SELECT count(*) AS n FROM main.one"):get(1, "n"))
  end)

  it("do not begin when an index is not there", function()
    local ok, err = c:begin("one", "nowhere")
    assert.is_nil(ok)
    assert.same({ "not_found", "there is no index [nowhere]" }, { err.kind, err.reason })
    assert(c:begin())
    c:rollback()
  end)

  it("do not begin inside of one", function()
    assert(c:begin())
    local ok, err = c:begin("one")
    assert.is_nil(ok)
    assert.equal("invalid", err.kind)
    c:rollback()
  end)
end)
