-- luacheck: no max line length
-- The rows of elastic-ml.md 12.4, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local PREFIX = "jobs-get-result-overall-buckets-"
local GROUP = PREFIX .. "group"

describe("jobs_get_result_overall_buckets", function()
  local blip, created

  local function job(span)
    return jobs.body {
      groups = { GROUP },
      analysis_config = { bucket_span = span .. "m", detectors = { { ["function"] = "count" } } },
    }
  end

  local function buckets(span, list)
    local documents = {}
    for i, one in ipairs(list) do
      documents[i] = { timestamp = "2016-06-01T" .. one[1] .. ":00Z", anomaly_score = one[2] + 0.0,
                       bucket_span = span, is_interim = one[3] or false }
    end
    jobs.results(blip, PREFIX .. span, "bucket", documents)
  end

  setup(function()
    blip = server.start()
    for _, span in ipairs { 60, 30, 17 } do
      created = blip:put("/_ml/anomaly_detectors/" .. PREFIX .. span, job(span))
      assert(created.status == 200, created.body)
    end
    buckets(60, { { "00:00", 30 }, { "01:00", 0 }, { "02:00", 20 } })
    buckets(30, { { "01:00", 0 }, { "02:00", 10 }, { "02:30", 40 } })
    buckets(17, { { "01:00", 0 }, { "02:08", 1 }, { "02:25", 0 }, { "02:42", 60, true } })
  end)
  teardown(function() blip:stop() end)

  local function path(expression)
    return "/_ml/anomaly_detectors/" .. expression .. "/results/overall_buckets"
  end

  local function get(query, expression)
    local answer = blip:get(path(expression or PREFIX .. "*") .. (query or ""))
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function scores(answer) return jobs.pluck(answer.overall_buckets, "overall_score") end
  local function times(answer) return jobs.pluck(answer.overall_buckets, "timestamp") end

  -- "17:0 30:0" of the jobs of a bucket.
  local function of_jobs(bucket)
    local parts = {}
    for i, one in ipairs(bucket.jobs) do
      parts[i] = ("%s:%d"):format(one.job_id:sub(#PREFIX + 1), one.max_anomaly_score)
    end
    return table.concat(parts, " ")
  end

  it("the 17m job warns of its span", function()
    local text = "bucket_span 17m [1020s] is not an integral divisor of the number of seconds in 1d [86400s]. "
      .. "This is now deprecated."
    assert.is_true(created.headers.warning:find(text, 1, true) ~= nil, created.headers.warning)
    assert.equal("34d", created.json.analysis_config.model_prune_window)
  end)

  it("missing job", function()
    jobs.refused(blip:get(path "missing-job"), 404, "No known job with id 'missing-job'")
  end)

  it("non-matching wildcard", function()
    assert.same({ count = 0, overall_buckets = {} }, get("", "none-matching-*"))
  end)

  it("non-matching wildcard, allow_no_match false", function()
    jobs.refused(blip:get(path "none-matching-*" .. "?allow_no_match=false"), 404, "No known job with id")
  end)

  it("top_n 0 / -1", function()
    jobs.refused(blip:get(path "*" .. "?top_n=0"), 400, "[topN] parameter must be positive, found [0]")
    jobs.refused(blip:get(path "*" .. "?top_n=-1"), 400, "[topN] parameter must be positive, found [-1]")
  end)

  it("default", function()
    local answer = get()
    assert.equal(3, answer.count)
    assert.same({ 1464739200000, 1464742800000, 1464746400000 }, times(answer))
    assert.same({ 30, 0, 60 }, scores(answer))
    assert.same({ "60:30", "17:0 30:0 60:0", "17:60 30:40 60:20" }, {
      of_jobs(answer.overall_buckets[1]), of_jobs(answer.overall_buckets[2]), of_jobs(answer.overall_buckets[3]),
    })
    assert.same({ false, false, true }, jobs.pluck(answer.overall_buckets, "is_interim"))
    for _, bucket in ipairs(answer.overall_buckets) do
      assert.same({ 3600, "overall_bucket" }, { bucket.bucket_span, bucket.result_type })
    end
  end)

  it("top_n 2", function() assert.same({ 30, 0, 50 }, scores(get("?top_n=2", GROUP))) end)
  it("top_n 3", function() assert.same({ 30, 0, 40 }, scores(get("?top_n=3", GROUP))) end)
  it("top_n 333", function() assert.same({ 30, 0, 40 }, scores(get("?top_n=333", GROUP))) end)

  it("overall_score", function()
    local answer = get "?top_n=2&overall_score=50.0"
    assert.equal(1, answer.count)
    assert.same({ { 1464746400000 }, { 50 } }, { times(answer), scores(answer) })
  end)

  it("exclude_interim", function()
    local answer = get "?exclude_interim=true"
    assert.equal(3, answer.count)
    local last = answer.overall_buckets[3]
    assert.same({ 40, "17:1 30:40 60:20", false }, { last.overall_score, of_jobs(last), last.is_interim })
  end)

  it("string times", function()
    local answer = get "?top_n=2&start=2016-06-01T00:30:00Z&end=2016-06-01T02:30:00Z"
    assert.same({ 1464742800000 }, times(answer))
  end)

  it("epoch times", function()
    local answer = get "?top_n=2&start=1464744600000&end=1464751800000"
    assert.same({ { 1464746400000 }, { 50 } }, { times(answer), scores(answer) })
  end)

  it("bad start / end", function()
    for _, name in ipairs { "start", "end" } do
      jobs.refused(blip:get(path "*" .. "?" .. name .. "=invalid"), 400, ("Query param [%s] with value [invalid] "
        .. "cannot be parsed as a date or converted to a number"):format(name))
    end
  end)

  it("bucket_span 2h", function()
    local answer = get "?bucket_span=2h"
    assert.equal(2, answer.count)
    assert.same({ { 30, 60 }, { 7200, 7200 } }, { scores(answer),
                                                 jobs.pluck(answer.overall_buckets, "bucket_span") })
    assert.same({ "17:0 30:0 60:30", "17:60 30:40 60:20" }, {
      of_jobs(answer.overall_buckets[1]), of_jobs(answer.overall_buckets[2]),
    })
    assert.same({ false, true }, jobs.pluck(answer.overall_buckets, "is_interim"))
  end)

  it("2h + top_n 2", function() assert.same({ 30, 50 }, scores(get "?bucket_span=2h&top_n=2")) end)

  it('2h + overall_score "41.0"', function()
    local answer = blip:post(path(PREFIX .. "*"), { bucket_span = "2h", overall_score = "41.0" }).json
    assert.same({ 60 }, scores(answer))
  end)

  it("no matching jobs", function()
    local answer = get("?bucket_span=2h&allow_no_match=true", "jobs-that-do-not-exist-*")
    assert.same({ count = 0, overall_buckets = {} }, answer)
  end)

  it("span too small", function()
    jobs.refused(blip:get(path(PREFIX .. "*") .. "?bucket_span=59m"), 400,
      "Param [bucket_span] must be greater or equal to the max bucket_span [60m]")
  end)
end)
