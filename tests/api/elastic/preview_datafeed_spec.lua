-- luacheck: no max line length
-- The rows of elastic-ml.md 12.16, each a spec named after it.
local airline = require "support.airline"
local jobs = require "support.ml_jobs"
local server = require "support.server"

local ML = "/_ml/"

describe("preview_datafeed", function()
  local blip

  local function job(id, summary)
    jobs.create(blip, id, {
      analysis_config = {
        bucket_span = "1h", summary_count_field_name = summary,
        detectors = { { ["function"] = "sum", field_name = "responsetime", by_field_name = "airline" } },
      },
      data_description = { time_field = "time" },
    })
  end

  local function aggregations(more)
    local inner = { responsetime = { sum = { field = "responsetime" } } }
    for name, body in pairs(more or {}) do inner[name] = body end
    return { buckets = {
      date_histogram = { field = "time", fixed_interval = "1h" },
      aggregations = {
        time = { max = { field = "time" } },
        airline = { terms = { field = "airline", size = 100 }, aggregations = inner },
      },
    } }
  end

  local function feed(id, job_id, more)
    local body = { job_id = job_id, indices = { airline.INDEX } }
    for name, value in pairs(more or {}) do body[name] = value end
    local answer = blip:put(ML .. "datafeeds/" .. id, body)
    assert(answer.status == 200, answer.body)
  end

  setup(function()
    blip = server.start()
    airline.index(blip, airline.INDEX, airline.FOUR)
    job "scroll-job"
    feed("scroll-feed", "scroll-job")
    job("aggregation-job", "doc_count")
    feed("aggregation-feed", "aggregation-job", { aggregations = aggregations() })
  end)
  teardown(function() blip:stop() end)

  local FOUR = {
    { time = 1487376000000, airline = "foo", responsetime = 1 },
    { time = 1487377800000, airline = "foo", responsetime = 1 },
    { time = 1487379600000, airline = "bar", responsetime = 42 },
    { time = 1487379660000, airline = "foo", responsetime = 42 },
  }
  local THREE = {
    { time = 1487377800000, airline = "foo", responsetime = 2, doc_count = 2 },
    { time = 1487379660000, airline = "bar", responsetime = 42, doc_count = 1 },
    { time = 1487379660000, airline = "foo", responsetime = 42, doc_count = 1 },
  }

  local function previewed(answer)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  it("scroll preview", function()
    assert.same(FOUR, previewed(blip:get(ML .. "datafeeds/scroll-feed/_preview")))
    assert.same(FOUR, previewed(blip:post(ML .. "datafeeds/scroll-feed/_preview", "{}")))
  end)

  it("by body configs", function()
    local datafeed = { indices = { airline.INDEX }, job_id = "scroll-job" }
    assert.same(FOUR, previewed(blip:post(ML .. "datafeeds/_preview", { datafeed_config = datafeed })))
    local body = jobs.body {
      analysis_config = { bucket_span = "1h", detectors = { { ["function"] = "sum", field_name = "responsetime", by_field_name = "airline" } } },
      data_description = { time_field = "time" },
    }
    local bare = { indices = { airline.INDEX } }
    assert.same(FOUR, previewed(blip:post(ML .. "datafeeds/_preview", { datafeed_config = bare, job_config = body })))
    body.datafeed_config = bare
    assert.same(FOUR, previewed(blip:post(ML .. "datafeeds/_preview", { job_config = body })))
  end)

  it("aggregation doc_count", function()
    assert.same(THREE, previewed(blip:get(ML .. "datafeeds/aggregation-feed/_preview")))
    local body = { datafeed_config = { job_id = "aggregation-job", indices = { airline.INDEX }, aggregations = aggregations() } }
    assert.same(THREE, previewed(blip:post(ML .. "datafeeds/_preview", body)))
  end)

  it("custom summary single", function()
    job("dc-job", "dc_airline")
    feed("dc-feed", "dc-job", { aggregations = { buckets = {
      date_histogram = { field = "time", fixed_interval = "1h" },
      aggregations = {
        time = { max = { field = "time" } }, dc_airline = { cardinality = { field = "airline" } },
        responsetime = { sum = { field = "responsetime" } },
      },
    } } })
    assert.same({
      { time = 1487377800000, dc_airline = 1, responsetime = 2 },
      { time = 1487379660000, dc_airline = 2, responsetime = 84 },
    }, previewed(blip:get(ML .. "datafeeds/dc-feed/_preview")))
  end)

  it("custom summary multi", function()
    job("rate-job", "event_rate")
    feed("rate-feed", "rate-job", { aggregations = aggregations { event_rate = { sum = { field = "event_rate" } } } })
    assert.same({
      { time = 1487377800000, airline = "foo", responsetime = 2, event_rate = 10 },
      { time = 1487379660000, airline = "bar", responsetime = 42, event_rate = 8 },
      { time = 1487379660000, airline = "foo", responsetime = 42, event_rate = 7 },
    }, previewed(blip:get(ML .. "datafeeds/rate-feed/_preview")))
  end)

  it("missing", function()
    jobs.refused(blip:get(ML .. "datafeeds/no-such-feed/_preview"), 404, "No datafeed with id [no-such-feed] exists")
  end)

  it("id + body config, job_config without datafeed, both datafeed_configs", function()
    local datafeed = { indices = { airline.INDEX }, job_id = "scroll-job" }
    jobs.refused(blip:post(ML .. "datafeeds/scroll-feed/_preview", { datafeed_config = datafeed }), 400,
      "[datafeed_id] cannot be supplied when either [job_config] or [datafeed_config] is present")
    jobs.refused(blip:post(ML .. "datafeeds/_preview", { job_config = jobs.body() }), 400,
      "[datafeed_config] must be present when a [job_config] is provided")
    jobs.refused(blip:post(ML .. "datafeeds/_preview", { datafeed_config = { indices = { airline.INDEX } } }), 400,
      "[datafeed_config.job_id] must be set or a [job_config] must be provided")
    jobs.refused(blip:post(ML .. "datafeeds/_preview",
      { datafeed_config = datafeed, job_config = jobs.body { datafeed_config = datafeed } }), 400)
  end)

  it("unavailable index", function()
    job "lost-job"
    feed("lost-feed", "lost-job", { indices = { "not-there" } })
    jobs.refused(blip:get(ML .. "datafeeds/lost-feed/_preview"), 404, "no such index [not-there]")
  end)

  it("matches nothing", function()
    job "nothing-job"
    feed("nothing-feed", "nothing-job", { query = { term = { airline = "missing" } } })
    assert.equal("[]", blip:get(ML .. "datafeeds/nothing-feed/_preview").body)
  end)

  it("date_nanos time field", function()
    blip:put("/nanos", { mappings = { properties = { time = { type = "date_nanos" }, airline = { type = "keyword" }, responsetime = { type = "float" } } } })
    airline.add(blip, "nanos", airline.FOUR)
    job "nanos-job"
    feed("nanos-feed", "nanos-job", { indices = { "nanos" } })
    assert.same(FOUR, previewed(blip:get(ML .. "datafeeds/nanos-feed/_preview")))
  end)

  it("start/end", function()
    local answer = blip:get(ML .. "datafeeds/scroll-feed/_preview?start=2017-02-18T00:30:00Z&end=2017-02-18T01:00:00Z")
    assert.same({ FOUR[2] }, previewed(answer))
  end)

  it("values of a list are one text, sorted and each once", function()
    blip:put("/lists", { mappings = { properties = { time = { type = "date" }, airline = { type = "keyword" }, responsetime = { type = "float" } } } })
    airline.add(blip, "lists", { { time = 1487376000000, airline = { "zebra", "cat", "dog", "cat", "alligator" }, responsetime = 1 } })
    job "lists-job"
    feed("lists-feed", "lists-job", { indices = { "lists" } })
    local answer = previewed(blip:get(ML .. "datafeeds/lists-feed/_preview"))
    assert.equal("alligator,cat,dog,zebra", answer[1].airline)
  end)

  it("places are texts, however they were sent", function()
    blip:put("/places", { mappings = { properties = { time = { type = "date" }, responsetime = { type = "geo_point" } } } })
    airline.add(blip, "places", {
      { time = 1487376000000, responsetime = { lat = 1.5, lon = -2.25 } }, { time = 1487376001000, responsetime = "3.5,4.5" },
      { time = 1487376002000, responsetime = { 20.5, -10.25 } },
    })
    job "places-job"
    feed("places-feed", "places-job", { indices = { "places" } })
    local answer = previewed(blip:get(ML .. "datafeeds/places-feed/_preview"))
    assert.same({ "1.5,-2.25", "3.5,4.5", "-10.25,20.5" }, jobs.pluck(answer, "responsetime"))
  end)

  it("composite and nested aggregations give the same records as a histogram with terms", function()
    job("composite-job", "doc_count")
    feed("composite-feed", "composite-job", { aggregations = { buckets = {
      composite = { size = 2, sources = {
        { hour = { date_histogram = { field = "time", fixed_interval = "1h" } } },
        { airline = { terms = { field = "airline" } } },
      } },
      aggregations = { time = { max = { field = "time" } }, responsetime = { sum = { field = "responsetime" } } },
    } } })
    local answer = previewed(blip:get(ML .. "datafeeds/composite-feed/_preview"))
    assert.same({
      THREE[1], { time = 1487379600000, airline = "bar", responsetime = 42, doc_count = 1 }, THREE[3],
    }, answer)
    job("walked-job", "doc_count")
    local walked = aggregations()
    walked.buckets.aggregations.airline.terms.order = { _key = "asc" } -- no shape of a single statement
    feed("walked-feed", "walked-job", { aggregations = walked })
    assert.same(THREE, previewed(blip:get(ML .. "datafeeds/walked-feed/_preview")))
  end)
end)
