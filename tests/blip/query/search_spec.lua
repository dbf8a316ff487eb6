local json = require "runtime.json"
local search = require "blip.query.search"
local store = require "runtime.store"
local tables = require "support.tables"

local HOUR = 3600000

describe("blip.query.search", function()
  local t, connection_of

  --- Searches with a body written as JSON.
  local function run(body, options)
    local answer, err = search.run(t.indices, assert(json.decode(body)), options)
    assert(answer, err)
    return assert(json.decode(json.encode(answer)))  -- as a client sees it
  end

  local function aggs(body)
    return run('{"size":0,"aggs":' .. body .. "}").aggregations
  end

  local function refused(body)
    local answer, err = search.run(t.indices, assert(json.decode(body)))
    assert.is_nil(answer)
    return err
  end

  local function keys(buckets)
    local list = {}
    for i, bucket in ipairs(buckets) do list[i] = ("%s:%d"):format(bucket.key, bucket.doc_count) end
    return table.concat(list, " ")
  end

  lazy_setup(function()
    t = tables.new()
    t:create("logs", {
      { "ts", "date" }, { "host", "keyword" }, { "ms", "double" }, { "n", "long" }, { "up", "boolean" },
      { "text", "text" }, { "tag", "keyword", list = true },
    }, {
      { _id = "a", ts = 0, host = "x", ms = 1.5, n = 1, up = true, text = "red fox", tag = { "p", "q" } },
      { _id = "b", ts = HOUR, host = "x", ms = 2.5, n = 2, up = false, tag = "p" },
      { _id = "c", ts = 3 * HOUR, host = "y", ms = 8, n = 3, up = true },
      { _id = "d", ts = 3 * HOUR + 1, host = "z", n = 4 },
    })
    connection_of = store.connection
    store.connection = function() return t.connection end
  end)
  lazy_teardown(function() store.connection = connection_of end)

  describe("hits", function()
    it("come in the order of writing, with their source", function()
      local answer = run "{}"
      assert.same({ value = 4, relation = "eq" }, answer.hits.total)
      assert.equal("a", answer.hits.hits[1]._id)
      assert.equal("red fox", answer.hits.hits[1]._source.text)
      assert.equal(1, answer.hits.max_score)
      assert.is_false(answer.timed_out)
    end)

    it("come sorted, missing values last, with their sort values", function()
      local hits = run '{"sort":[{"ms":"desc"}],"_source":false}'.hits.hits
      local ids = {}
      for i, hit in ipairs(hits) do ids[i] = hit._id end
      assert.same({ "c", "b", "a", "d" }, ids)
      assert.same({ 8 }, hits[1].sort)
      assert.equal(json.null, hits[1]._score)
      assert.same({ "-Infinity" }, hits[4].sort)
    end)

    it("go on behind a place", function()
      local body = '{"sort":["host","n"],"search_after":["x",1],"size":2,"_source":["host"]}'
      local hits = run(body).hits.hits
      assert.same({ "b", "c" }, { hits[1]._id, hits[2]._id })
      assert.same({ host = "x" }, hits[1]._source)
    end)

    it("count up to what is asked for", function()
      assert.same({ value = 2, relation = "gte" }, run '{"track_total_hits":2}'.hits.total)
      assert.is_nil(run '{"track_total_hits":false}'.hits.total)
      assert.equal(4, run("{}", { total_as_int = true }).hits.total)
    end)

    it("come best first, by how rare their words are and how often they have them", function()
      local texts = tables.new():create("texts", { { "text", "text" } }, {
        { _id = "a", text = "fox hen hen hen" }, { _id = "b", text = "fox fox hen hen" },
        { _id = "c", text = "Fox and Goose" }, { _id = "d", text = "hen" },
      })
      store.connection = function() return texts.connection end
      local answer = search.run(texts.indices, { query = { match = { text = "fox goose" } } })
      store.connection = function() return t.connection end
      local order = {}
      for i, hit in ipairs(answer.hits.hits) do order[i] = hit._id end
      assert.same({ "c", "b", "a" }, order)
      assert.equal(answer.hits.max_score, answer.hits.hits[1]._score)
    end)

    it("show fields from the columns", function()
      local body = '{"docvalue_fields":["tag",{"field":"ts","format":"yyyy"}],"size":1}'
      local hit = run(body).hits.hits[1]
      assert.same({ tag = { "p", "q" }, ts = { "1970" } }, hit.fields)
    end)
  end)

  describe("metrics", function()
    it("work out numbers", function()
      local a = aggs [[{"a":{"avg":{"field":"ms"}},"s":{"sum":{"field":"n"}},
        "c":{"value_count":{"field":"tag"}},
        "u":{"cardinality":{"field":"host"}},"e":{"stats":{"field":"ms"}},"up":{"max":{"field":"up"}},
        "t":{"max":{"field":"ts","format":"HH:mm"}},"none":{"avg":{"field":"nothing"}},
        "w":{"weighted_avg":{"value":{"field":"ms"},"weight":{"field":"n"}}}}]]
      assert.equal(4, a.a.value)
      assert.equal(10, a.s.value)
      assert.equal(3, a.c.value)
      assert.equal(3, a.u.value)
      assert.same({ count = 3, min = 1.5, max = 8, avg = 4, sum = 12 }, a.e)
      assert.same({ value = 1, value_as_string = "true" }, a.up)
      assert.equal("03:00", a.t.value_as_string)
      assert.equal((1.5 + 5 + 24) / 6, a.w.value)
      assert.equal(json.null, a.none.value)
    end)

    it("take a percentile from the cells of a histogram", function()
      local asked = '{"p":{"percentiles":{"field":"ms","percents":[50],"hdr":{%s}}}}'
      local exact = aggs '{"p":{"percentiles":{"field":"ms","percents":[50]}}}'.p.values["50.0"]
      local fine = aggs(asked:format '"number_of_significant_value_digits":5').p.values["50.0"]
      local rough = aggs(asked:format '"number_of_significant_value_digits":1').p.values["50.0"]
      assert.is_true(math.abs(fine - exact) < exact * 1e-4)
      assert.is_true(rough >= fine and rough < exact * 1.1)
    end)

    it("take a percentile between neighbours", function()
      local values = aggs '{"p":{"percentiles":{"field":"ms","percents":[50,99.9]}}}'.p.values
      assert.equal(2.5, values["50.0"])
      assert.is_true(values["99.9"] > 7)
    end)
  end)

  describe("buckets", function()
    it("of terms, most first, and what is left over", function()
      local terms = aggs '{"h":{"terms":{"field":"host","size":2}}}'.h
      assert.equal("x:2 y:1", keys(terms.buckets))
      assert.equal(1, terms.sum_other_doc_count)
      assert.equal("p:2 q:1", keys(aggs '{"h":{"terms":{"field":"tag"}}}'.h.buckets))
      local up = aggs '{"u":{"terms":{"field":"up"}}}'.u.buckets
      assert.same({ key = 1, key_as_string = "true", doc_count = 2 }, up[1])
    end)

    it("of terms that no hit has, when asked", function()
      local terms = run([[{"size":0,"query":{"term":{"host":"y"}},"aggs":{"h":{"terms":{"field":"host",
        "min_doc_count":0},"aggs":{"m":{"max":{"field":"ms"}}}}}}]]).aggregations.h
      assert.equal("y:1 x:0 z:0", keys(terms.buckets))
      assert.equal(8, terms.buckets[1].m.value)
    end)

    it("of terms by a sub-aggregation", function()
      local body = [[{"h":{"terms":{"field":"host","order":{"m":"desc"}},
        "aggs":{"m":{"avg":{"field":"n"}}}}}]]
      assert.equal("z:1 y:1 x:2", keys(aggs(body).h.buckets))
    end)

    it("of time, gaps filled", function()
      local buckets = aggs [[{"d":{"date_histogram":{"field":"ts","fixed_interval":"1h"},
        "aggs":{"m":{"avg":{"field":"ms"}}}}}]].d.buckets
      assert.equal("0:1 3600000:1 7200000:0 10800000:2", keys(buckets))
      assert.equal("1970-01-01T02:00:00.000Z", buckets[3].key_as_string)
      assert.equal(json.null, buckets[3].m.value)
      assert.equal(8, buckets[4].m.value)
    end)

    it("of time in a zone and of a calendar", function()
      local month = aggs '{"d":{"date_histogram":{"field":"ts","calendar_interval":"month"}}}'.d.buckets
      assert.equal("0:4", keys(month))
      local day = aggs [[{"d":{"date_histogram":{"field":"ts","calendar_interval":"day",
        "time_zone":"-02:00"}}}]].d.buckets
      assert.equal("-79200000:2 7200000:2", keys(day))
      assert.equal("1969-12-31T00:00:00.000-02:00", day[1].key_as_string)
      local berlin = aggs [[{"d":{"date_histogram":{"field":"ts","calendar_interval":"month",
        "time_zone":"Europe/Berlin"}}}]].d.buckets
      assert.equal("1970-01-01T00:00:00.000+01:00", berlin[1].key_as_string)
    end)

    it("of numbers and of ranges", function()
      assert.equal("0.0:2 5.0:1", keys(aggs '{"h":{"histogram":{"field":"ms","interval":5}}}'.h.buckets))
      local ranges = aggs '{"r":{"range":{"field":"ms","ranges":[{"to":2},{"from":2}]}}}'.r.buckets
      assert.same({ key = "*-2.0", to = 2, doc_count = 1 }, ranges[1])
      assert.same({ key = "2.0-*", from = 2, doc_count = 2 }, ranges[2])
    end)

    it("of filters, with what lies in them", function()
      local a = aggs [[{"f":{"filter":{"term":{"host":"x"}},"aggs":{"m":{"max":{"field":"ms"}},
        "d":{"date_histogram":{"field":"ts","fixed_interval":"1h"}}}},
        "g":{"filters":{"other_bucket":true,"filters":{"up":{"term":{"up":true}}}}}}]]
      assert.equal(2, a.f.doc_count)
      assert.equal(2.5, a.f.m.value)
      assert.equal("0:1 3600000:1", keys(a.f.d.buckets))
      assert.same({ up = { doc_count = 2 }, _other_ = { doc_count = 2 } }, a.g.buckets)
    end)

    it("nested in each other", function()
      local buckets = aggs [[{"h":{"terms":{"field":"host","size":2},"aggs":{
        "d":{"date_histogram":{"field":"ts","fixed_interval":"1h"},"aggs":{"s":{"sum":{"field":"n"}}}},
        "u":{"terms":{"field":"up"}}}}}]].h.buckets
      assert.equal("0:1 3600000:1", keys(buckets[1].d.buckets))
      assert.equal(2, buckets[1].d.buckets[2].s.value)
      assert.equal("10800000:1", keys(buckets[2].d.buckets))
      assert.equal("0:1 1:1", keys(buckets[1].u.buckets))
    end)

    it("of every combination, page by page", function()
      local body = [[{"c":{"composite":{"size":2,"sources":[{"h":{"terms":{"field":"host"}}},
        {"t":{"date_histogram":{"field":"ts","fixed_interval":"2h"}}}]%s},
        "aggs":{"n":{"sum":{"field":"n"}}}}}]]
      local first = aggs(body:format("")).c
      assert.same({ key = { h = "x", t = 0 }, doc_count = 2, n = { value = 3 } }, first.buckets[1])
      assert.same({ h = "y", t = 2 * HOUR }, first.after_key)
      local second = aggs(body:format(',"after":' .. json.encode(first.after_key))).c
      assert.equal("z", second.buckets[1].key.h)
      assert.equal(1, #second.buckets)
    end)

    it("carry their type in their name when asked", function()
      local body = '{"size":0,"aggs":{"h":{"terms":{"field":"host"},"aggs":{"m":{"max":{"field":"n"}}}}}}'
      local answer = run(body, { typed_keys = true })
      assert.is_table(answer.aggregations["sterms#h"].buckets[1]["max#m"])
    end)
  end)

  describe("refuses and names", function()
    for name, case in pairs {
      ["an unknown query"] = { '{"query":{"matc":{}}}', "unknown query [matc] did you mean [match]?" },
      ["an unknown aggregation"] = { '{"aggs":{"x":{"foo":{}}}}', "Unknown aggregation type [foo]" },
      ["an unknown key"] = { '{"sizes":1}', "Unknown key for a VALUE_NUMBER in [sizes]." },
      ["an option that a query has not"] = { '{"query":{"range":{"n":{"above":1}}}}',
        "[range] query does not support [above]" },
      ["an option that an aggregation has not"] = { '{"aggs":{"x":{"avg":{"field":"n","foo":1}}}}',
        "[1:1] [avg] unknown field [foo]" },
      ["a negative size"] = { '{"size":-1}', "[size] parameter cannot be negative, found [-1]" },
      ["what is not supported"] = { '{"highlight":{"fields":{}}}', "[highlight] is not supported" },
    } do
      it(name, function() assert.equal(case[2], refused(case[1]).reason) end)
    end

    it("a value that does not fit, as a failure of every shard", function()
      local err = refused '{"query":{"range":{"n":{"gte":"abc"}}}}'
      assert.equal("search_phase_execution_exception", err.type)
      assert.equal('failed to create query: For input string: "abc"', err.root_cause[1].reason)
    end)

    it("more hits than the window has", function()
      assert.matches("Result window is too large", refused '{"from":9999,"size":2}'.root_cause[1].reason)
    end)

    it("to sort by a field that no index has", function()
      local cause = refused '{"sort":["zzz"]}'.root_cause[1]
      assert.equal("No mapping found for [zzz] in order to sort on", cause.reason)
    end)

    it("deeply nested queries without growing the stack", function()
      local query = ('{"bool":{"must":'):rep(150) .. '{"match_all":{}}' .. ("}}"):rep(150)
      assert.matches("nested deeper", refused('{"query":' .. query .. "}").reason)
    end)
  end)
end)
