-- luacheck: no max line length
-- The worked examples of elastic-ml.md 14, each request as it stands there.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"

local JOB = "/_ml/anomaly_detectors/web-latency"

describe("the worked examples", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  local function ok(answer, status)
    assert.equal(status or 200, answer.status, answer.body)
    return answer.json
  end

  it("14.1 create and open a job", function()
    local answer = blip:put(JOB, [[
{ "description":"slow pages per host",
  "groups":["web"],
  "analysis_config":{ "bucket_span":"15m",
    "detectors":[{"function":"high_mean","field_name":"took","by_field_name":"host"}],
    "influencers":["host","url"] },
  "data_description":{ "time_field":"ts","time_format":"epoch_ms" } }]])
    ok(answer)
    local created = answer.json.create_time
    assert.equal('{"job_id":"web-latency","job_type":"anomaly_detector","job_version":"8.4.0","create_time":' .. created
      .. ',"groups":["web"],"description":"slow pages per host","analysis_config":{"bucket_span":"15m","detectors":'
      .. '[{"detector_description":"high_mean(took) by host","function":"high_mean","field_name":"took",'
      .. '"by_field_name":"host","detector_index":0}],"influencers":["host","url"],"model_prune_window":"30d"},'
      .. '"analysis_limits":{"model_memory_limit":"1024mb","categorization_examples_limit":4},'
      .. '"data_description":{"time_field":"ts","time_format":"epoch_ms"},"model_snapshot_retention_days":10,'
      .. '"daily_model_snapshot_retention_after_days":1,"results_index_name":"shared","allow_lazy_open":false}', answer.body)
    local opened = ok(blip:post(JOB .. "/_open"))
    assert.is_true(opened.opened)
    assert.equal("string", type(opened.node))
  end)

  it("14.2 post data and flush", function()
    local answer = blip:post(JOB .. "/_data", '{"ts":1609459200000,"host":"a","url":"/x","took":12}\n'
      .. '{"ts":1609459260000,"host":"b","url":"/y","took":null}\n{"ts":"bad","host":"a","url":"/x","took":3}\n',
      { ["Content-Type"] = "application/x-ndjson" })
    local counts = ok(answer, 202)
    assert.same({
      job_id = "web-latency", processed_record_count = 2, processed_field_count = 6, input_bytes = #'{"ts":1609459200000,"host":"a","url":"/x","took":12}\n'
        + #'{"ts":1609459260000,"host":"b","url":"/y","took":null}\n' + #'{"ts":"bad","host":"a","url":"/x","took":3}\n',
      input_field_count = 9, invalid_date_count = 1, missing_field_count = 0, out_of_order_timestamp_count = 0,
      empty_bucket_count = 0, sparse_bucket_count = 0, bucket_count = 0, earliest_record_timestamp = 1609459200000,
      latest_record_timestamp = 1609459260000, last_data_time = counts.last_data_time, input_record_count = 3,
      log_time = counts.log_time,
    }, counts)
    assert.same({ flushed = true, last_finalized_bucket_end = 1609459200000 }, ok(blip:post(JOB .. "/_flush?calc_interim=true")))
  end)

  it("14.3 buckets in both dialects", function()
    jobs.create(blip, "web-shown", { analysis_config = {
      bucket_span = "15m", influencers = { "host", "url" },
      detectors = { { ["function"] = "high_mean", field_name = "took", by_field_name = "host" } },
    } })
    local function bucket(timestamp, score)
      return { timestamp = timestamp, anomaly_score = score, initial_anomaly_score = score, bucket_span = 900,
               event_count = 153, processing_time_ms = 2, bucket_influencers = { {
                 influencer_field_name = "bucket_time", initial_anomaly_score = score, anomaly_score = score,
                 raw_anomaly_score = 2.32119, probability = 5.75042e-6, timestamp = timestamp, bucket_span = 900,
               } } }
    end
    jobs.results(blip, "web-shown", "bucket", { bucket(1609459200000, 99.0), bucket(1609545600000, 94.1706) })
    local legacy = blip:request("GET", "/_xpack/ml/anomaly_detectors/web-shown/results/buckets", '{ "anomaly_score": 80, "start": "1609459200001" }')
    local text = '{"count":1,"buckets":[{"job_id":"web-shown","timestamp":1609545600000,"anomaly_score":94.1706,"bucket_span":900,'
      .. '"initial_anomaly_score":94.1706,"event_count":153,"is_interim":false,"bucket_influencers":[{"job_id":"web-shown",'
      .. '"result_type":"bucket_influencer","influencer_field_name":"bucket_time","initial_anomaly_score":94.1706,'
      .. '"anomaly_score":94.1706,"raw_anomaly_score":2.32119,"probability":5.75042e-06,"timestamp":1609545600000,'
      .. '"bucket_span":900,"is_interim":false}],"processing_time_ms":2,"partition_scores":[],"result_type":"bucket"}]}'
    assert.same(json.decode(text), json.decode(legacy.body))
    local current = blip:request("GET", "/_ml/anomaly_detectors/web-shown/results/buckets", '{ "anomaly_score": 80, "start": "1609459200001" }')
    assert.same(json.decode((text:gsub('"partition_scores":%[%],', ""))), json.decode(current.body))
    jobs.refused(blip:get "/_ml/anomaly_detectors/web-shown/results/buckets/1609545600000?start=1", 400,
      "Param [start] is incompatible with [timestamp].")
  end)

  it("14.4 influencers, 5.4 dialect and newer", function()
    local function one(field, value, score, initial)
      return { influencer_field_name = field, influencer_field_value = value, influencer_score = score,
               initial_influencer_score = initial, probability = 1.1e-4, bucket_span = 900, timestamp = 1609545600000 }
    end
    jobs.results(blip, "web-shown", "influencer", { one("host", "b", 12.0, 12.0), one("host", "a", 94.1386, 94.1386), one("url", "/y", 80.2, 88.0) })
    local list = ok(blip:post("/_xpack/ml/anomaly_detectors/web-shown/results/influencers", [[
{ "sort":"influencer_score", "desc":true, "from":0, "size":2, "include_interim":false,
  "influencer_score":75, "start":"2021-01-01T00:00:00Z", "end":"2021-02-01T00:00:00Z" }]]))
    assert.equal(2, list.count)
    assert.same({ "a", "/y" }, jobs.pluck(list.influencers, "influencer_field_value"))
    assert.same({ "a", "/y" }, { list.influencers[1].host, list.influencers[2].url })
    assert.same({ 2, 3 }, jobs.pluck(list.influencers, "sequence_num"))
    list = ok(blip:post("/_ml/anomaly_detectors/web-shown/results/influencers", [[
{"exclude_interim":true,"page":{"from":0,"size":2},"sort":"influencer_score","desc":true}]]))
    assert.same({ 94.1386, 80.2 }, jobs.pluck(list.influencers, "influencer_score"))
    assert.is_nil(list.influencers[1].sequence_num)
  end)

  it("14.5 records", function()
    jobs.results(blip, "web-shown", "record", { {
      timestamp = 1609545600000, probability = 1.2e-5, multi_bucket_impact = 1.0, record_score = 80.1,
      initial_record_score = 83.0, bucket_span = 900, detector_index = 0, by_field_name = "host", by_field_value = "a",
      ["function"] = "high_mean", function_description = "mean", typical = { 42.2 }, actual = { 510.0 },
      field_name = "took", influencers = { { influencer_field_name = "host", influencer_field_values = { "a" } } },
      host = { "a" },
    } })
    local answer = blip:request("GET", "/_ml/anomaly_detectors/web-shown/results/records", '{"record_score":50,"page":{"size":5}}')
    assert.same(json.decode [[{"count":1,"records":[{"job_id":"web-shown","result_type":"record","probability":1.2E-5,"multi_bucket_impact":1.0,
 "record_score":80.1,"initial_record_score":83.0,"bucket_span":900,"detector_index":0,"is_interim":false,"timestamp":1609545600000,
 "by_field_name":"host","by_field_value":"a","function":"high_mean","function_description":"mean","typical":[42.2],"actual":[510.0],
 "field_name":"took","influencers":[{"influencer_field_name":"host","influencer_field_values":["a"]}],"host":["a"]}]}]], ok(answer))
    local first = answer.body:find('"probability"', 1, true)
    assert.is_true(first < answer.body:find('"record_score"', 1, true), answer.body)
  end)

  it("14.8 flush, close, delete, errors", function()
    local answer = blip:post(JOB .. "/_flush?start=2021-01-02T00:00:00Z")
    assert.equal([[{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"Invalid flush parameters: unexpected 'start'."}],"type":"illegal_argument_exception","reason":"Invalid flush parameters: unexpected 'start'."},"status":400}]], answer.body)
    assert.same({ closed = true }, ok(blip:post(JOB .. "/_close")))
    answer = blip:post(JOB .. "/_data", "{}")
    assert.equal('{"error":{"root_cause":[{"type":"status_exception","reason":"Cannot perform requested action because job [web-latency] is not open"}],"type":"status_exception","reason":"Cannot perform requested action because job [web-latency] is not open"},"status":409}', answer.body)
  end)

  it("14.9 datafeed, calendar, filter", function()
    ok(blip:put("/_ml/datafeeds/df-web", '{"job_id":"web-latency","indices":["web-*"],"query":{"term":{"app":"shop"}},"query_delay":"90s"}'))
    ok(blip:post(JOB .. "/_open"))
    local started = ok(blip:post("/_ml/datafeeds/df-web/_start", '{"start":"2021-01-01T00:00:00Z","end":"2021-01-02T00:00:00Z"}'))
    assert.is_true(started.started)
    ok(blip:post "/_ml/datafeeds/df-web/_stop")
    ok(blip:post(JOB .. "/_close"))
    ok(blip:put("/_ml/calendars/release-weekend", '{"job_ids":["web"],"description":"planned downtime"}'))
    local events = ok(blip:post("/_ml/calendars/release-weekend/events", '{"events":[{"description":"deploy","start_time":1609459200000,"end_time":1609466400000}]}'))
    assert.equal("deploy", events.events[1].description)
    ok(blip:put("/_ml/filters/known-bots", '{"items":["crawler-a","crawler-b*"]}'))
    assert.same({ acknowledged = true }, ok(blip:delete(JOB)))
  end)

  it("14.10 list semantics", function()
    jobs.create(blip, "web-errors", { groups = { "web" } })
    local answer = ok(blip:get "/_ml/anomaly_detectors/web,api-*?allow_no_match=true")
    assert.same({ "web-errors" }, jobs.pluck(answer.jobs, "job_id"))
    jobs.refused(blip:get "/_ml/anomaly_detectors/nothing,web-*", 404, "No known job with id 'nothing'")
  end)
end)
