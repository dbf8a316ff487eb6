-- luacheck: no max line length
-- The rows of elastic-ml.md 12.7 about stats, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"
local RECORDS = '{"airline":"AAL","responsetime":"132.2046","time":"1403481600"}\n'
  .. '{"airline":"JZA","responsetime":"990.4628","time":"1403481700"}\n{"airline":"JZA","responsetime":"244.1276","time":"1403485200"}\n'

describe("jobs_get_stats", function()
  local blip

  setup(function()
    blip = server.start()
    for _, id in ipairs { "job-stats-test", "jobs-get-stats-datafeed-job" } do
      jobs.create(blip, id, { analysis_config = {
        bucket_span = "1h", detectors = { { ["function"] = "metric", field_name = "responsetime", by_field_name = "airline" } },
      } })
      jobs.open(blip, id)
    end
  end)
  teardown(function() blip:stop() end)

  local function stats(expression)
    local answer = blip:get(ML .. (expression and expression .. "/" or "") .. "_stats")
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  it("stats after data", function()
    assert.equal(202, blip:post(ML .. "job-stats-test/_data", RECORDS).status)
    blip:post(ML .. "job-stats-test/_flush")
    local one = stats("job-stats-test").jobs[1]
    assert.same({ "job-stats-test", 3, 6, 6, "opened" }, {
      one.job_id, one.data_counts.processed_record_count, one.data_counts.processed_field_count,
      one.data_counts.input_field_count, one.state,
    })
    assert.equal("string", type(one.node.name))
    assert.equal("string", type(one.node.transport_address))
    assert.equal("string", type(one.node.attributes["ml.machine_memory"]))
    assert.is_true(one.open_time:find "^%d+%a+$" ~= nil, one.open_time)
    local timing = one.timing_stats
    assert.same({ "job-stats-test", 1 }, { timing.job_id, timing.bucket_count })
    for _, name in ipairs { "minimum", "maximum", "average", "exponential_average" } do
      assert.is_true(timing[name .. "_bucket_processing_time_ms"] >= 0.0, name)
    end
    assert.is_true(timing.total_bucket_processing_time_ms >= 0.0)
    assert.is_true(one.model_size_stats.model_bytes > 0)
    assert.equal("ok", one.model_size_stats.memory_status)
    assert.same({ total = 0, forecasted_jobs = 0 }, one.forecasts_stats)
  end)

  it("stats closed", function()
    blip:post(ML .. "job-stats-test/_close")
    local one = stats("job-stats-test").jobs[1]
    assert.equal("closed", one.state)
    assert.same({ 3, 1 }, { one.data_counts.processed_record_count, one.timing_stats.bucket_count })
    assert.is_nil(one.node)
    assert.is_nil(one.open_time)
    assert.is_nil(one.assignment_explanation)
  end)

  it("stats no data", function()
    local one = stats("jobs-get-stats-datafeed-job").jobs[1]
    assert.same({ 0, 0, "opened", 0, 0 }, {
      one.data_counts.processed_record_count, one.model_size_stats.model_bytes, one.state,
      one.timing_stats.bucket_count, one.timing_stats.total_bucket_processing_time_ms,
    })
    assert.equal("string", type(one.open_time))
    for _, name in ipairs { "minimum", "maximum", "average", "exponential_average" } do
      assert.is_nil(one.timing_stats[name .. "_bucket_processing_time_ms"])
    end
  end)

  it("_all, *, implicit", function()
    for _, expression in ipairs { "_all", "*", false } do
      local answer = stats(expression)
      assert.equal(2, answer.count)
      assert.same({ "job-stats-test", "jobs-get-stats-datafeed-job" }, jobs.pluck(answer.jobs, "job_id"))
      assert.same({ "closed", "opened" }, jobs.pluck(answer.jobs, "state"))
    end
  end)

  it("unknown", function()
    jobs.refused(blip:get(ML .. "unknown-job/_stats"), 404, "No known job with id 'unknown-job'")
  end)

  it("pattern", function()
    assert.same({ count = 0, jobs = {} }, stats "missing-*")
    jobs.refused(blip:get(ML .. "missing-*/_stats?allow_no_match=false"), 404)
  end)

  it("times as texts for people", function()
    local one = blip:get(ML .. "job-stats-test/_stats?human=true").json.jobs[1]
    assert.equal("2014-06-23T01:00:00.000Z", one.data_counts.latest_record_timestamp_string)
  end)

  it("v5.4 documents", function()
    jobs.create(blip, "job-stats-v54-bwc-test")
    blip:put("/.ml-anomalies-job-stats-v54-bwc-test/_doc/job-stats-v54-bwc-test-data-counts", {
      job_id = "job-stats-v54-bwc-test", processed_record_count = 10, processed_field_count = 0, input_bytes = 0,
    })
    blip:put("/.ml-anomalies-job-stats-v54-bwc-test/_doc/job-stats-v54-bwc-test-model_size_stats", {
      job_id = "job-stats-v54-bwc-test", result_type = "model_size_stats", model_bytes = 0, total_by_field_count = 101,
    })
    local one = stats("job-stats-v54-bwc-test").jobs[1]
    assert.same({ 10, 101 }, { one.data_counts.processed_record_count, one.model_size_stats.total_by_field_count })
    blip:delete(ML .. "job-stats-v54-bwc-test")
  end)

  it("missing results index", function()
    blip:post(ML .. "_all/_close")
    assert.equal(200, blip:delete("/.ml-anomalies-shared").status)
    local answer = stats "_all"
    assert.equal(2, answer.count)
    for _, one in ipairs(answer.jobs) do
      assert.same({ 0, 0, "closed", 0 }, {
        one.data_counts.processed_record_count, one.model_size_stats.model_bytes, one.state, one.timing_stats.bucket_count,
      })
      assert.is_nil(one.timing_stats.minimum_bucket_processing_time_ms)
    end
  end)

  it("a job without its results index goes on, and is deleted", function()
    jobs.open(blip, "job-stats-test")
    assert.equal(202, blip:post(ML .. "job-stats-test/_data", '{"airline":"AAL","responsetime":1,"time":"1403495200"}').status)
    blip:delete "/.ml-anomalies-shared"
    assert.equal(202, blip:post(ML .. "job-stats-test/_data", '{"airline":"AAL","responsetime":1,"time":"1403495300"}').status)
    blip:delete "/.ml-anomalies-shared"
    assert.equal(200, blip:delete(ML .. "job-stats-test?force=true").status)
  end)
end)

describe("jobs that many ask for at once", function()
  local blip

  setup(function() blip = server.start { threads = 4 } end)
  teardown(function() blip:stop() end)

  -- Sends a request over a connection of its own; its answer is read later.
  local function send(method, path, body)
    local client = blip:connect()
    client:send(require "support.http".format(method, path, body))
    return client
  end

  local function statuses(clients)
    local list = {}
    for i, client in ipairs(clients) do
      local answer = client:receive()
      list[i] = answer.status
      client:close()
    end
    table.sort(list)
    return list
  end

  it("take bodies one after the other, and lose none", function()
    jobs.create(blip, "crowd")
    jobs.open(blip, "crowd")
    local clients = {}
    for i = 1, 8 do
      clients[i] = send("POST", ML .. "crowd/_data", ('{"time":%d}\n'):format(1403481600):rep(50))
    end
    assert.same({ 202, 202, 202, 202, 202, 202, 202, 202 }, statuses(clients))
    assert.equal(400, blip:get(ML .. "crowd/_stats").json.jobs[1].data_counts.processed_record_count)
  end)

  it("are deleted once: everybody else hears that there is none", function()
    jobs.create(blip, "popular")
    local clients = {}
    for i = 1, 4 do clients[i] = send("DELETE", ML .. "popular") end
    for _, status in ipairs(statuses(clients)) do assert.is_true(status == 200 or status == 404, status) end
    jobs.refused(blip:get(ML .. "popular"), 404)
  end)

  it("may go while data is posted: each body is taken or refused as a whole", function()
    jobs.create(blip, "leaving")
    jobs.open(blip, "leaving")
    local clients = {}
    for i = 1, 6 do
      clients[i] = i == 3 and send("DELETE", ML .. "leaving?force=true")
        or send("POST", ML .. "leaving/_data", ('{"time":%d}\n'):format(1403481600 + i * 3600):rep(200))
    end
    for _, status in ipairs(statuses(clients)) do
      assert.is_true(status == 200 or status == 202 or status == 404 or status == 409, status)
    end
    jobs.refused(blip:get(ML .. "leaving"), 404)
    assert.equal(0, blip:get("/.ml-anomalies-shared/_count?q=job_id:leaving").json.count)
  end)

  it("a delete that nobody waits for leaves a task behind", function()
    jobs.create(blip, "unattended")
    local answer = blip:delete(ML .. "unattended?wait_for_completion=false")
    assert.equal(200, answer.status, answer.body)
    local task = blip:get("/_tasks/" .. answer.json.task).json
    assert.same({ true, true }, { task.completed, task.response.acknowledged })
    jobs.refused(blip:get "/_tasks/blip:1", 404, "task [blip:1] isn't running and hasn't stored its results")
  end)

  it("write to one index while they run side by side", function()
    local clients = {}
    for i = 1, 4 do
      jobs.create(blip, "side-" .. i)
      jobs.open(blip, "side-" .. i)
    end
    for i = 1, 4 do
      local lines = {}
      for hour = 0, 200 do lines[hour + 1] = ('{"time":%d}'):format(1403481600 + hour * 3600) end
      clients[i] = send("POST", ML .. "side-" .. i .. "/_data", table.concat(lines, "\n"))
    end
    assert.same({ 202, 202, 202, 202 }, statuses(clients))
    for i = 1, 4 do
      assert.equal(200, blip:get(ML .. "side-" .. i .. "/results/buckets?size=0").json.count)
    end
  end)
end)
