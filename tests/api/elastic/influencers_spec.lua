-- luacheck: no max line length
-- The rows of elastic-ml.md 12.2 and 12.3, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"

describe("jobs_get_result_influencers", function()
  local PATH = ML .. "get-influencers-test/results/influencers"
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "get-influencers-test")
    local function foo(value, score, timestamp, is_interim)
      return { influencer_field_name = "foo", influencer_field_value = value, influencer_score = score,
               timestamp = timestamp, bucket_span = 1, is_interim = is_interim }
    end
    jobs.results(blip, "get-influencers-test", "influencer", {
      foo("bar", 50.0, "2016-06-01T00:00:00Z"), foo("zoo", 80.0, "2016-06-02T00:00:00Z", true),
      foo("zoo", 60.0, "2016-06-03T00:00:00Z"),
    })
  end)
  teardown(function() blip:stop() end)

  local function get(query)
    local answer = blip:get(PATH .. (query or ""))
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function scores(answer) return jobs.pluck(answer.influencers, "influencer_score") end
  local function times(answer) return jobs.pluck(answer.influencers, "timestamp") end

  it("default", function()
    local answer = get()
    assert.equal(3, answer.count)
    assert.same({ 80, 60, 50 }, scores(answer))
    assert.same({ 1464825600000, 1464912000000, 1464739200000 }, times(answer))
  end)

  it("paging (query)", function()
    local answer = get "?from=1&size=2"
    assert.equal(3, answer.count)
    assert.same({ 60, 50 }, scores(answer))
    assert.same({ 1464912000000, 1464739200000 }, times(answer))
  end)

  it("paging (body)", function()
    local answer = blip:post(PATH, { page = { from = 1, size = 2 } }).json
    assert.equal(3, answer.count)
    assert.same({ 60, 50 }, scores(answer))
  end)

  it("exclude_interim false / true", function()
    assert.equal(3, get("?exclude_interim=false").count)
    local answer = get "?exclude_interim=true"
    assert.equal(2, answer.count)
    assert.same({ 1464912000000, 1464739200000 }, times(answer))
    assert.same({ false, false }, jobs.pluck(answer.influencers, "is_interim"))
  end)

  it("time range", function()
    local answer = get "?start=2016-06-01T00:00:00Z&end=2016-06-01T01:00:00Z"
    assert.equal(1, answer.count)
    assert.same({ 1464739200000 }, times(answer))
  end)

  it("unknown job", function()
    jobs.refused(blip:get(ML .. "no/results/influencers"), 404, "No known job with id 'no'")
  end)

  it("score filter", function()
    local answer = get "?influencer_score=70"
    assert.equal(1, answer.count)
    assert.same({ 1464825600000 }, times(answer))
  end)

  it("desc false", function()
    assert.same({ 50, 60, 80 }, scores(get "?desc=false"))
  end)

  it("sort timestamp", function()
    assert.same({ 1464912000000, 1464825600000, 1464739200000 }, times(get "?sort=timestamp"))
  end)
end)

describe("jobs_get_result_records", function()
  local PATH = ML .. "jobs-get-result-records/results/records"
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "jobs-get-result-records")
    jobs.results(blip, "jobs-get-result-records", "record", {
      { timestamp = "2016-06-01T00:00:00Z", record_score = 60.0, bucket_span = 1 },
      { timestamp = "2016-06-02T00:00:00Z", record_score = 80.0, bucket_span = 1, is_interim = true },
    })
  end)
  teardown(function() blip:stop() end)

  local function get(query)
    local answer = blip:get(PATH .. (query or ""))
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  it("default", function()
    local answer = get()
    assert.equal(2, answer.count)
    assert.same({ 80, 60 }, jobs.pluck(answer.records, "record_score"))
  end)

  it("paging (query / body)", function()
    for _, answer in ipairs { get "?from=1&size=1", blip:post(PATH, { page = { from = 1, size = 1 } }).json } do
      assert.equal(2, answer.count)
      assert.same({ 1464739200000 }, jobs.pluck(answer.records, "timestamp"))
    end
  end)

  it("exclude_interim true/false", function()
    assert.equal(1, get("?exclude_interim=true").count)
    assert.equal(2, get("?exclude_interim=false").count)
  end)

  it("time range", function()
    assert.equal(1, get("?start=2016-05-01T00:00:00Z&end=2016-06-01T01:00:00Z").count)
  end)

  it("unknown job", function()
    jobs.refused(blip:get(ML .. "no/results/records"), 404, "No known job with id 'no'")
  end)
end)
