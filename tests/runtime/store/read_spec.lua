local store = require "runtime.store"
local json = require "runtime.json"

describe("runtime/store/read", function()
  local c
  setup(function() c = assert(store.open {}) end)
  teardown(function() c:close() end)

  it("reads every SQL type into its column type", function()
    local f = assert(c:query([[select 7::utinyint a, 1.25::decimal(9, 2) b, true c,
      timestamp '1969-12-31 23:59:59.9995' d, 'x' e, [1, 2, null] f, ['a"', 'b'] g, 2::hugeint h]]))
    assert.same({ a = 7, b = 1.25, c = true, d = -1, e = "x", f = "[1,2,null]", g = '["a\\"","b"]', h = 2.0 },
      f:row(1))
  end)

  it("keeps missing values missing in every chunk", function()
    local f = assert(c:query("select case when i % 2 = 0 then i end v from range(5000) r(i)"))
    assert.equal(5000, #f)
    assert.equal(4998, f:get(4999, "v"))
    assert.is_nil(f:get(5000, "v"))
  end)

  it("binds parameters by their Lua type", function()
    local f = assert(c:query("select ? a, ? b, ? c, ? d, ? e", { 1, 1.5, "x", false, json.null }))
    assert.same({ a = 1, b = 1.5, c = "x", d = false }, f:row(1))
  end)

  it("names a wrong statement's fault", function()
    local f, err = c:query("select nothing from nowhere")
    assert.is_nil(f)
    assert.equal("invalid", err.kind)
    assert.matches("nowhere", err.reason)
  end)

  it("refuses a wrong number of parameters", function()
    local _, err = c:query("select ?", {})
    assert.equal("the statement has 1 parameters, 0 were given", err.reason)
  end)
end)

describe("runtime/store", function()
  it("undoes what was not committed", function()
    local c <close> = assert(store.open {})
    c:execute("create table t(i int)")
    assert(c:begin())
    assert.equal(3, c:execute("insert into t select unnest([1, 2, 3])"))
    c:rollback()
    assert.equal(0, c:query("select count(*) n from t"):get(1, "n"))
  end)

  it("gives a folder to one server at a time", function()
    local folder = os.tmpname() .. "-store"
    local c = assert(store.open { folder = folder })
    local _, err = store.open { folder = folder }
    assert.equal("busy", err.kind)
    assert.matches("in use by another server", err.reason)
    c:close()
    assert(store.open { folder = folder }):close()
    os.execute("rm -r " .. folder)
  end)
end)
