-- luacheck: no max line length
-- The rows of elastic-ml.md 12.1, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local JOB = "jobs-get-result-buckets"
local PATH = "/_ml/anomaly_detectors/" .. JOB .. "/results/buckets"

describe("jobs_get_result_buckets", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, JOB)
    jobs.create(blip, "another")
    jobs.results(blip, JOB, "bucket", {
      { timestamp = "2016-06-01T00:00:00Z", anomaly_score = 90.0, bucket_span = 1 },
      { timestamp = "2016-08-01T00:00:00Z", anomaly_score = 60.0, bucket_span = 1, is_interim = true },
      { timestamp = "2016-08-02T00:00:00Z", anomaly_score = 60.0, bucket_span = 1 },
    })
    jobs.results(blip, "another", "bucket", { { timestamp = 1464739200000, anomaly_score = 1.0 } })
  end)
  teardown(function() blip:stop() end)

  local function get(query)
    local answer = blip:get(PATH .. (query or ""))
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function times(answer) return jobs.pluck(answer.buckets, "timestamp") end

  it("time range", function()
    local answer = get "?start=2016-05-01T00:00:00Z&end=2016-07-01T00:00:00Z"
    assert.equal(1, answer.count)
    assert.same({ 1464739200000 }, times(answer))
    assert.equal(JOB, answer.buckets[1].job_id)
    assert.equal("bucket", answer.buckets[1].result_type)
  end)

  it("plain", function()
    local answer = get()
    assert.equal(3, answer.count)
    assert.same({ 1464739200000, 1470009600000, 1470096000000 }, times(answer))
    for _, bucket in ipairs(answer.buckets) do
      assert.same({ JOB, "bucket" }, { bucket.job_id, bucket.result_type })
      assert.is_nil(bucket.partition_scores)
    end
  end)

  it("paging (query)", function()
    local answer = get "?from=1&size=2"
    assert.equal(3, answer.count)
    assert.same({ 1470009600000, 1470096000000 }, times(answer))
  end)

  it("paging (body)", function()
    local answer = blip:post(PATH, { page = { from = 1, size = 2 } }).json
    assert.equal(3, answer.count)
    assert.same({ 1470009600000, 1470096000000 }, times(answer))
  end)

  it("exclude_interim false", function()
    assert.equal(3, get("?exclude_interim=false").count)
  end)

  it("exclude_interim true", function()
    local answer = get "?exclude_interim=true"
    assert.equal(2, answer.count)
    assert.same({ 1464739200000, 1470096000000 }, times(answer))
    assert.same({ false, false }, jobs.pluck(answer.buckets, "is_interim"))
  end)

  it("single", function()
    local answer = get "/2016-06-01T00:00:00Z"
    assert.equal(1, answer.count)
    assert.same({ 1464739200000 }, times(answer))
  end)

  it("single + body {}", function()
    local answer = blip:post(PATH .. "/2016-06-01T00:00:00Z", "{}").json
    assert.same({ 1464739200000 }, times(answer))
  end)

  it("mutually exclusive (query)", function()
    for _, other in ipairs { "start=1", "end=2016-05-01T00:00:00Z", "from=1", "size=1", "anomaly_score=80" } do
      jobs.refused(blip:get(PATH .. "/2016-06-01T00:00:00Z?" .. other), 400, "is incompatible with [")
    end
    for _, page in ipairs { "from=1", "size=1", "from=0&size=1" } do
      jobs.refused(blip:get(PATH .. "/1?" .. page), 400, "Param [from, size] is incompatible with [timestamp].")
    end
    jobs.refused(blip:get(PATH .. "/1?start=1"), 400, "Param [start] is incompatible with [timestamp].")
    jobs.refused(blip:get(PATH .. "/1?end=1"), 400, "Param [end] is incompatible with [timestamp].")
  end)

  it("mutually exclusive (body)", function()
    for name, value in pairs { start = "2016", ["end"] = "2017", from = 1, anomaly_score = 80 } do
      jobs.refused(blip:post(PATH, { timestamp = "2016-06-01T00:00:00Z", [name] = value }), 400,
        "incompatible with [timestamp].")
    end
  end)

  it("pages reach up to ten thousand", function()
    jobs.refused(blip:get(PATH .. "?from=9901"), 400, "Result window is too large")
    local old = PATH:gsub("^/_ml/", "/_xpack/ml/")
    local text = "The sum of parameters [from] and [size] cannot be higher than 10000. Please use filters to "
      .. "reduce the number of results."
    jobs.refused(blip:get(old .. "?from=9901"), 400, text)
    jobs.refused(blip:post(old, { page = { from = 9990, size = 11 } }), 400, text)
    assert.equal(200, blip:get(old .. "?from=9900").status)
  end)

  it("unknown job", function()
    jobs.refused(blip:get "/_ml/anomaly_detectors/non-existent-job/results/buckets", 404,
      "No known job with id 'non-existent-job'")
  end)

  it("sort", function()
    local answer = get "?sort=anomaly_score"
    assert.same({ 60, 60, 90 }, jobs.pluck(answer.buckets, "anomaly_score"))
    assert.same({ 1470009600000, 1470096000000, 1464739200000 }, times(answer))
  end)

  it("sort desc", function()
    local answer = get "?sort=anomaly_score&desc=true"
    assert.same({ 90, 60, 60 }, jobs.pluck(answer.buckets, "anomaly_score"))
    assert.same({ 1464739200000, 1470096000000, 1470009600000 }, times(answer))
  end)
end)
