-- luacheck: no max line length
-- The rows of elastic-ml.md 12.8, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"

describe("post_data", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  -- A job that is open: metric(responsetime) by airline, one hour, epoch.
  local function open(id)
    jobs.create(blip, id, {
      analysis_config = {
        bucket_span = "1h",
        detectors = { { ["function"] = "metric", field_name = "responsetime", by_field_name = "airline" } },
      },
    })
    jobs.open(blip, id)
    return ML .. id
  end

  local function record(time)
    return ('{"airline":"AAL","responsetime":"132.2046","sourcetype":"post-data-job","time":"%d"}\n'):format(time)
  end

  local function post(path, ...)
    local lines = {}
    for i, time in ipairs { ... } do lines[i] = record(time) end
    local answer = blip:post(path .. "/_data", table.concat(lines))
    assert.equal(202, answer.status, answer.body)
    return answer
  end

  it("data, flush, close", function()
    local path = open "post-data-job"
    local answer = blip:post(path .. "/_data",
      '{"airline":"AAL","responsetime":"132.2046","sourcetype":"post-data-job","time":"1403481600"}\n'
        .. '{"airline":"JZA","responsetime":"990.4628","sourcetype":"post-data-job","time":"1403481700"}')
    assert.equal(202, answer.status, answer.body)
    local counts = answer.json
    assert.same({ 2, 4, 6, 2 }, {
      counts.processed_record_count, counts.processed_field_count, counts.input_field_count,
      counts.input_record_count,
    })
    assert.is_true(counts.input_bytes >= 140 and counts.input_bytes <= 190, counts.input_bytes)
    for _, name in ipairs {
      "invalid_date_count", "missing_field_count", "out_of_order_timestamp_count", "empty_bucket_count",
      "sparse_bucket_count", "bucket_count",
    } do assert.equal(0, counts[name], name) end
    assert.same({ 1403481600000, 1403481700000 }, {
      counts.earliest_record_timestamp, counts.latest_record_timestamp,
    })

    assert.same({ flushed = true, last_finalized_bucket_end = 1403481600000 }, blip:post(path .. "/_flush").json)
    assert.same({ closed = true }, blip:post(path .. "/_close").json)
    local stats = blip:get(path .. "/_stats").json.jobs[1]
    assert.equal("closed", stats.state)
    assert.equal(2, stats.data_counts.processed_record_count)
    local stored = blip:get "/.ml-anomalies-post-data-job/_doc/post-data-job_data_counts".json._source
    assert.equal(2, stored.processed_record_count)
    assert.equal(4, stored.processed_field_count)
    assert.equal(counts.input_bytes, stored.input_bytes)
    assert.equal(1403481700000, stored.latest_record_timestamp)
  end)

  it("answers warn that posting is deprecated", function()
    local answer = post(open "warned", 1403481600)
    assert.is_true(answer.headers.warning:find("Posting data directly to anomaly detection jobs is deprecated", 1, true) ~= nil)
  end)

  it("no data", function()
    local path = open "no-data"
    assert.same({ flushed = true }, blip:post(path .. "/_flush").json)
    assert.same({ closed = true }, blip:post(path .. "/_close").json)
  end)

  it("skip_time", function()
    local path = open "skip-time"
    post(path, 1403481600, 1403485200)
    local flushed = blip:post(path .. "/_flush?skip_time=1403488700").json
    assert.equal(1403488800000, flushed.last_finalized_bucket_end)
    post(path, 1403488600, 1403488700)
    post(path, 1403488900, 1403492400)
    blip:post(path .. "/_close")
    local answer = blip:get(path .. "/results/buckets").json
    assert.same({ 1403481600000, 1403488800000 }, jobs.pluck(answer.buckets, "timestamp"))
    assert.same({ 1, 1 }, jobs.pluck(answer.buckets, "event_count"))
  end)

  it("invalid params", function()
    jobs.refused(blip:post(ML .. "not-a-job/_data", record(1)), 404, "No known job with id 'not-a-job'")
    local path = open "invalid-params"
    jobs.refused(blip:post(path .. "/_data?reset_start=not_a_date", record(1)), 400, "parse_exception")
    jobs.refused(blip:post(path .. "/_data?reset_start=1&reset_end=end_not_a_date", record(1)), 400, "parse_exception")
    jobs.refused(blip:post(path .. "/_data?reset_end=1403481600", record(1)), 400,
      "Invalid reset range parameters: 'reset_start' has not been specified.")
  end)

  it("flush invalid", function()
    jobs.refused(blip:post(ML .. "not-a-job/_flush"), 404, "No known job with id 'not-a-job'")
    local path = open "flush-invalid"
    for _, query in ipairs { "start=not_a_date", "end=end_not_a_date", "advance_time=advance_time_not_a_date" } do
      jobs.refused(blip:post(path .. "/_flush?" .. query), 400, "parse_exception")
    end
    for query, reason in pairs {
      ["start=1"] = "Invalid flush parameters: unexpected 'start'.",
      ["end=1"] = "Invalid flush parameters: unexpected 'end'.",
      ["calc_interim=true&end=1"] = "Invalid flush parameters: 'start' has not been specified.",
      ["calc_interim=true&start=2&end=1"] = "Invalid time range: end time '1' is earlier than start time '2'.",
      ["advance_time=10&skip_time=10"] = "advance_time [10] must be later than skip_time [10]",
      ["advance_time=x"] = "Query param [advance_time] with value [x] cannot be parsed as a date or converted to a number (epoch).",
    } do
      jobs.refused(blip:post(path .. "/_flush?" .. query), 400, reason)
    end
  end)

  it("open/close unknown", function()
    jobs.refused(blip:post(ML .. "not-a-job/_open"), 404, "No known job with id 'not-a-job'")
    jobs.refused(blip:post(ML .. "not-a-job/_close"), 404, "No known job with id 'not-a-job'")
  end)

  it("closed job", function()
    jobs.create(blip, "closed-job")
    for _, rest in ipairs { "/_flush", "/_data" } do
      local answer = blip:post(ML .. "closed-job" .. rest, record(1403481600))
      if rest == "/_flush" then answer = blip:post(ML .. "closed-job" .. rest) end
      jobs.refused(answer, 409, "Cannot perform requested action because job [closed-job] is not open")
      assert.equal("status_exception", answer.json.error.type)
    end
  end)

  it("advance_time closes buckets without records", function()
    local path = open "advance-time"
    post(path, 1403481600)
    local flushed = blip:post(path .. "/_flush", { advance_time = "1403490000" }).json
    assert.equal(1403488800000, flushed.last_finalized_bucket_end)
    local answer = blip:get(path .. "/results/buckets").json
    assert.same({ 1, 0 }, jobs.pluck(answer.buckets, "event_count"))
  end)

  it("a body that is no series of records is refused, and what came before it is kept", function()
    local path = open "malformed"
    local answer = blip:post(path .. "/_data", record(1403481600) .. ("{]\n"):rep(200))
    jobs.refused(answer, 400, "The input JSON data is malformed.")
    assert.equal(1, blip:get(path .. "/_stats").json.jobs[1].data_counts.processed_record_count)
  end)
end)
