-- luacheck: no max line length
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local extract = require "blip.job.extract"
local moment = require "blip.query.moment"
local json = require "runtime.json"
local store = require "runtime.store"

local INDEX = "spec-extract"
local T = 600000000 -- a whole minute

describe("blip.job.extract", function()
  setup(function()
    if catalog.find(INDEX) then assert(catalog.delete(INDEX)) end
    assert(catalog.create(INDEX, { mapping = { properties = {
      ts = { type = "date" }, host = { type = "keyword" }, note = { type = "text" }, ok = { type = "boolean" },
      took = { type = "double" }, seen = { type = "date" },
    } } }))
    local lines = {}
    for _, document in ipairs {
      { ts = T + 3000, host = "b", took = 3.5, ok = true, seen = T + 1000 },
      { ts = T + 1000, host = { "z", "a", "z" }, note = { "two", "one", "two" }, took = 1 },
      { ts = T + 2000, took = 2 },
      { host = "timeless" },
      { ts = T + 61000, host = "a", took = 10 }, { ts = T + 62000, host = "a", took = 20 }, { ts = T + 63000, host = "b", took = 5 },
    } do lines[#lines + 1] = json.encode(document) end
    assert(store.connection():append_documents(INDEX, table.concat(lines, "\n") .. "\n"))
  end)

  local function stretch(more)
    local one = { indices = { INDEX }, time_field = "ts", fields = { "host", "took" } }
    for name, value in pairs(more or {}) do one[name] = value end
    return one
  end

  local function rows(one, limit)
    local frame = assert(extract.frame(one, limit))
    local list = {}
    for i = 1, #frame do list[i] = frame:row(i) end
    return list
  end

  it("takes documents in the order of time, with their fields", function()
    local list = rows(stretch { to_ms = T + 60000 })
    assert.same({
      { ts = T + 1000, host = "a,z", took = 1 }, { ts = T + 2000, took = 2 }, { ts = T + 3000, host = "b", took = 3.5 },
    }, list)
  end)

  it("takes a stretch of time, its end not included", function()
    assert.same({ T + 2000 }, { rows(stretch { from_ms = T + 2000, to_ms = T + 3000 })[1].ts })
    assert.equal(1, #rows(stretch { from_ms = T + 2000, to_ms = T + 3000 }))
  end)

  it("takes what a query matches", function()
    assert.equal(2, #rows(stretch { query = { term = { host = "b" } } }))
  end)

  it("takes at most so many", function()
    assert.equal(2, #rows(stretch(), 2))
  end)

  it("writes truth as a word, dates as milliseconds, and texts in their own order", function()
    local list = rows(stretch { fields = { "ok", "seen", "note" }, to_ms = T + 60000 })
    assert.same({ { ts = T + 1000, note = "two,one,two" }, { ts = T + 2000 }, { ts = T + 3000, ok = "true", seen = T + 1000 } }, list)
  end)

  it("has nothing for a field that no index has", function()
    assert.same({ ts = T + 1000 }, rows(stretch { fields = { "unknown" } })[1])
    local ok, err = extract.check_fields("feed", stretch { fields = { "unknown" } }, extract.resolve(stretch()))
    assert.is_nil(ok)
    assert.equal("[feed] cannot retrieve field [unknown] because it has no mappings", err.reason)
  end)

  it("leaves out what came after its ends", function()
    local ends = assert(moment.now(assert(extract.resolve(stretch()))))
    assert(documents.put(INDEX, "late", { ts = T + 1500, host = "late", took = 1 }))
    assert.equal(6, #rows(stretch { ends = ends }))
    assert.equal(7, #rows(stretch()))
    assert(documents.delete(INDEX, "late"))
  end)

  it("finds where data goes on", function()
    assert.equal(T + 1000, extract.first_ms(stretch(), 0))
    assert.equal(T + 61000, extract.first_ms(stretch(), T + 3001))
    local first, err = extract.first_ms(stretch(), T + 70000)
    assert.is_nil(first)
    assert.is_nil(err)
  end)

  it("says that an index is not there", function()
    local frame, err = extract.frame(stretch { indices = { "spec-nowhere" } })
    assert.is_nil(frame)
    assert.equal("index_not_found_exception", err.type)
    assert.equal(0, #rows(stretch { indices = { "spec-nowhere-*" } }))
  end)

  it("says that a query is none", function()
    local frame, err = extract.frame(stretch { query = { nonsense = {} } })
    assert.is_nil(frame)
    assert.equal("parsing_exception", err.type)
  end)

  describe("of aggregations", function()
    local function histogram(inner)
      inner.ts = { max = { field = "ts" } }
      return stretch { aggregations = { buckets = {
        date_histogram = { field = "ts", fixed_interval = "1m" }, aggregations = inner,
      } } }
    end

    local took = { took = { avg = { field = "took" } } }

    it("gives one record per interval", function()
      assert.same({
        { ts = T + 3000, took = 6.5 / 3, doc_count = 3 }, { ts = T + 63000, took = 35 / 3, doc_count = 3 },
      }, rows(histogram { took = took.took }))
    end)

    it("gives one record per term, at the time of the interval", function()
      local list = rows(histogram { host = { terms = { field = "host" }, aggregations = took } })
      assert.same({ ts = T + 63000, host = "a", took = 15, doc_count = 2 }, list[#list - 1])
      assert.same({ ts = T + 63000, host = "b", took = 5, doc_count = 1 }, list[#list])
    end)

    it("gives only the terms that the aggregation shows", function()
      local list = rows(histogram { host = { terms = { field = "host", size = 1 }, aggregations = took } })
      assert.equal("a", list[#list].host)
      assert.equal(2, #list)
    end)

    it("gives the same in one statement and by walking the answer", function()
      local function both(inner, odd)
        local first = rows(histogram(inner))
        return first, rows(histogram(odd))
      end
      local plain, walked = both(
        { host = { terms = { field = "host" }, aggregations = took } },
        { host = { terms = { field = "host", order = { _count = "desc" } }, aggregations = took } })
      assert.same(plain, walked)
      local single, filtered = both({ took = took.took },
        { took = took.took, all = { filter = { match_all = {} } } })
      for i, record in ipairs(single) do assert.same(record, filtered[i]) end
    end)

    it("walks terms within terms", function()
      local list = rows(histogram {
        host = { terms = { field = "host" }, aggregations = { ok = { terms = { field = "ok" } } } },
      })
      assert.same({ { ts = T + 3000, host = "b", ok = "true", doc_count = 1 } }, list)
    end)
  end)
end)
