-- luacheck: no max line length
local journal = require "blip.job.journal"
local store = require "runtime.store"

describe("blip.job.journal", function()
  local c

  before_each(function()
    c = store.connection()
    assert(journal.delete(c, "j"))
  end)

  local function append(seq, operation)
    return assert(journal.append(c, "j", seq, operation))
  end

  local function operations(after)
    local list = {}
    assert(journal.each(c, "j", after, function(operation)
      list[#list + 1] = operation
      return true
    end))
    return list
  end

  it("gives operations back in their order, bodies of any bytes as they were", function()
    local body = '{"a":1}\n\0\255\n{"b":2}'
    append(1, { kind = "data", body = body, options = { reset_start_ms = 5 } })
    append(2, { kind = "flush", options = { calc_interim = true } })
    append(10, { kind = "flush", options = {} })
    local list = operations(0)
    assert.equal(3, #list)
    assert.same({ kind = "data", body = body, options = { reset_start_ms = 5 } }, list[1])
    assert.same({ kind = "flush", options = { calc_interim = true } }, list[2])
  end)

  it("gives only those behind a place", function()
    for seq = 1, 12 do append(seq, { kind = "flush", number = seq }) end
    local list = operations(9)
    assert.same({ 10, 11, 12 }, { list[1].number, list[2].number, list[3].number })
  end)

  it("ends at the first operation that fails", function()
    for seq = 1, 3 do append(seq, { kind = "flush" }) end
    local seen = 0
    local ok, err = journal.each(c, "j", 0, function()
      seen = seen + 1
      return nil, { kind = "failed", reason = "no" }
    end)
    assert.is_nil(ok)
    assert.same({ 1, "no" }, { seen, err.reason })
  end)

  it("forgets what saved models know", function()
    for seq = 1, 3 do append(seq, { kind = "flush", number = seq }) end
    assert(journal.save_models(c, "j", 2, "\1\0models", { job_id = "j" }))
    assert.same({ { kind = "flush", number = 3 } }, operations(0))
    local models, config = journal.load(c, "j")
    assert.same({ "\1\0models", { job_id = "j" } }, { models, config })
  end)

  it("has a configuration before it has models", function()
    assert(journal.save_config(c, "j", 0, { job_id = "j" }))
    local models, config = journal.load(c, "j")
    assert.is_nil(models)
    assert.same({ job_id = "j" }, config)
  end)

  it("knows nothing of a job that was never opened", function()
    local models, config, err = journal.load(c, "never")
    assert.is_nil(models)
    assert.is_nil(config)
    assert.equal("not_found", err.kind)
  end)

  it("tells jobs apart", function()
    append(1, { kind = "flush" })
    assert(journal.append(c, "j2", 1, { kind = "data" }))
    assert.equal(1, #operations(0))
    assert(journal.delete(c, "j2"))
    assert.equal(1, #operations(0))
  end)
end)
