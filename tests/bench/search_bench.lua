-- Searches and detector scans over 3 and 5 million documents of 1,000 hosts, one a minute.
local aggregate = require "blip.query.aggregate"
local bench = require "support.bench"
local json = require "runtime.json"
local plan = require "blip.query.plan"
local search = require "blip.query.search"
local sql = require "blip.query.sql"
local store = require "runtime.store"
local tables = require "support.tables"

local MINUTE = 60000
local T0 = 1767571200000

local FILL = [[
  INSERT INTO metrics (_id, _seq_no, _source, "timestamp", host, cpu, status)
  SELECT i::VARCHAR, i, '{"host":"host-' || (i % 1000) || '"}', epoch_ms($1 + (i // 1000) * 60000 + i % 1000),
    'host-' || lpad((i % 1000)::VARCHAR, 4, '0'), random() * 100, 200 + (random() * 4)::INT * 100
  FROM range($2) r(i)]]

local HISTOGRAM = [[
  {"size":0,"aggs":{"t":{"date_histogram":{"field":"timestamp","fixed_interval":"1m"},
    "aggs":{"a":{"avg":{"field":"cpu"}}}}}}]]

local TERMS = [[
  {"size":0,"aggs":{"h":{"terms":{"field":"host"},"aggs":{
    "t":{"date_histogram":{"field":"timestamp","fixed_interval":"1h"},
      "aggs":{"a":{"avg":{"field":"cpu"}}}}}}}}]]

local COMPOSITE = [[
  {"size":0,"query":{"range":{"timestamp":{"gte":%d,"lt":%d}}},"aggs":{"c":{
    "composite":{"size":1000,"sources":[{"h":{"terms":{"field":"host"}}}]},
    "aggs":{"a":{"avg":{"field":"cpu"}}}}}}]]

local NEWEST = '{"query":{"term":{"host":"host-0007"}},"sort":[{"timestamp":"desc"}]}'

local function bench_of(millions)
  local last = T0 + millions * 1000 * MINUTE
  local label = ("%d M documents, "):format(millions)
  describe(label:sub(1, -3), function()
    local t, connection_of, folder

    lazy_setup(function()
      folder = os.tmpname()
      os.remove(folder)
      t = tables.new(folder)
      t:create("metrics", { { "timestamp", "date" }, { "host", "keyword" }, { "cpu", "double" },
                            { "status", "long" } }, {})
      assert(t.connection:execute(FILL, { T0, millions * 1000000 }))
      assert(t.connection:checkpoint())  -- columns are packed as in a server that has run for a while
      connection_of = store.connection
      store.connection = function() return t.connection end
    end)
    lazy_teardown(function()
      store.connection = connection_of
      t.connection:close()
      os.execute("rm -r '" .. folder .. "'")
    end)

    --- Time of a search as a request needs it: body read, searched, answer written.
    local function measure(name, body)
      bench.percentiles(name, 30, function()
        json.encode(assert(search.run(t.indices, assert(json.decode(body)))))
      end)
    end

    it("answers", function()
      measure(label .. "date histogram 1 m > avg", HISTOGRAM)
      measure(label .. "terms (10) > date histogram 1 h > avg", TERMS)
      measure(label .. "last 10 minutes, composite by host (1,000) > avg",
        COMPOSITE:format(last - 10 * MINUTE, last))
      measure(label .. "newest 10 documents of a host", NEWEST)
    end)

    local function scan(name, p)
      p.indices, p.time.field = { "metrics" }, "timestamp"
      p.features = { { name = "cpu", expr = aggregate.avg "cpu" } }
      bench.percentiles(name, 30, function()
        local statement, params = sql.scan(assert(plan.new(p)), t.indices)
        assert(t.connection:query(statement, params)):close()
      end)
    end

    it("scans", function()
      scan(label .. "plan: 1 m, avg", { time = {}, interval_ms = MINUTE })
      scan(label .. "plan: 1 h by host (1,000), avg",
        { time = {}, interval_ms = 60 * MINUTE, category = { "host" } })
      scan(label .. "plan: last minute by host (1,000), avg",
        { time = { from = last - MINUTE, to = last }, interval_ms = MINUTE, category = { "host" } })
    end)
  end)
end

bench_of(3)
bench_of(5)
