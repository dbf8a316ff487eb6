-- luacheck: no max line length
-- The checklist of elastic-ml.md 0.1: the two pages that were asked for by name, "Get Influencers" of
-- 5.4 and "Get Buckets" of 6.0, line by line, and their examples word for word.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"
local users = require "support.users"

local ANOMALY = 1454530200000

local function keys_of(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

describe("the Get Influencers page", function()
  local PATH = "/_xpack/ml/anomaly_detectors/it_ops_new_kpi/results/influencers"
  local blip

  local function document(i)
    return {
      influencer_field_name = "kpi_indicator", influencer_field_value = "online_purchase_" .. i,
      influencer_score = 94.1386 - i, initial_influencer_score = 94.1386, probability = 0.000111612,
      bucket_span = 600, is_interim = i == 28, timestamp = 1454943900000 + i * 600000,
    }
  end

  setup(function()
    blip = server.start()
    jobs.create(blip, "it_ops_new_kpi", {
      analysis_config = {
        bucket_span = "10m", detectors = { { ["function"] = "low_sum", field_name = "events_per_min" } },
        influencers = { "kpi_indicator" },
      },
    })
    local list = {}
    for i = 1, 28 do list[i] = document(i) end
    jobs.results(blip, "it_ops_new_kpi", "influencer", list)
  end)
  teardown(function() blip:stop() end)

  local function post(body)
    local answer = blip:post(PATH, body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  it("path job_id: unknown is 404", function()
    jobs.refused(blip:post("/_xpack/ml/anomaly_detectors/unknown/results/influencers", {}), 404,
      "No known job with id 'unknown'")
  end)

  it("body desc: the direction; by default the highest scores come first", function()
    assert.equal("online_purchase_1", post({}).influencers[1].influencer_field_value)
    assert.equal("online_purchase_1", post({ desc = true }).influencers[1].influencer_field_value)
    assert.equal("online_purchase_28", post({ desc = false }).influencers[1].influencer_field_value)
  end)

  it("body end: only influencers before it", function()
    assert.equal(1, post({ ["end"] = tostring(1454943900000 + 2 * 600000) }).count)
  end)

  it("body start: only influencers from it on", function()
    assert.equal(27, post({ start = tostring(1454943900000 + 2 * 600000) }).count)
  end)

  it("body from: how many are skipped, none by default", function()
    assert.equal(28, #post({}).influencers)
    assert.equal("online_purchase_6", post({ from = 5 }).influencers[1].influencer_field_value)
  end)

  it("body size: the most that are shown, 100 by default", function()
    local answer = post { size = 3 }
    assert.same({ 28, 3 }, { answer.count, #answer.influencers })
  end)

  it("body include_interim: whether interim results are shown; without it they are", function()
    assert.equal(28, post({ include_interim = true }).count)
    assert.equal(27, post({ include_interim = false }).count)
    assert.equal(28, post({}).count)
  end)

  it("body include_interim and exclude_interim must not contradict each other", function()
    jobs.refused(blip:post(PATH, { include_interim = true, exclude_interim = true }), 400, "contradict")
    assert.equal(27, post({ include_interim = false, exclude_interim = true }).count)
  end)

  it("body influencer_score: the least score", function()
    assert.equal(3, post({ influencer_score = 91.1386 }).count)
  end)

  it("body sort: the field to sort by, the score by default", function()
    local answer = post { sort = "timestamp" }
    assert.equal("online_purchase_28", answer.influencers[1].influencer_field_value)
  end)

  it("response: every field of the page", function()
    local first = post({}).influencers[1]
    assert.same({
      "bucket_span", "influencer_field_name", "influencer_field_value", "influencer_score",
      "initial_influencer_score", "is_interim", "job_id", "kpi_indicator", "probability", "result_type",
      "sequence_num", "timestamp",
    }, keys_of(first))
    assert.same({ "it_ops_new_kpi", "influencer", "online_purchase_1", 600, false, 1454944500000, 1 }, {
      first.job_id, first.result_type, first.kpi_indicator, first.bucket_span, first.is_interim,
      first.timestamp, first.sequence_num,
    })
    assert.equal("integer", math.type(first.timestamp))
  end)

  it("response: no sequence_num under the prefix of later versions", function()
    local answer = blip:get "/_ml/anomaly_detectors/it_ops_new_kpi/results/influencers"
    assert.is_nil(answer.json.influencers[1].sequence_num)
  end)

  it("example: the page's request, word for word", function()
    local answer = blip:request("GET", PATH, [[
{
  "sort": "influencer_score",
  "desc": true
}]])
    assert.equal(200, answer.status, answer.body)
    assert.same({ 28, 28 }, { answer.json.count, #answer.json.influencers })
    assert.equal('{"count":28,"influencers":[{"job_id":"it_ops_new_kpi","result_type":"influencer",'
      .. '"influencer_field_name":"kpi_indicator","influencer_field_value":"online_purchase_1",'
      .. '"kpi_indicator":"online_purchase_1","influencer_score":', answer.body:match "^.-\"influencer_score\":")
    for i = 2, 28 do
      local list = answer.json.influencers
      assert.is_true(list[i - 1].influencer_score >= list[i].influencer_score)
    end
  end)
end)

describe("the Get Buckets page", function()
  local PATH = "/_xpack/ml/anomaly_detectors/it-ops-kpi/results/buckets"
  local blip

  local function bucket_influencer(score, timestamp)
    return {
      job_id = "it-ops-kpi", result_type = "bucket_influencer", influencer_field_name = "bucket_time",
      initial_anomaly_score = score, anomaly_score = score, raw_anomaly_score = 2.32119,
      probability = 0.00000575042, timestamp = timestamp, bucket_span = 300, is_interim = false,
    }
  end

  local function document(i, score)
    local timestamp = ANOMALY + i * 300000
    return {
      timestamp = timestamp, anomaly_score = score, bucket_span = 300, initial_anomaly_score = score,
      event_count = 153, is_interim = i == 4, processing_time_ms = 3,
      bucket_influencers = { bucket_influencer(score, timestamp) },
    }
  end

  setup(function()
    blip = server.start()
    jobs.create(blip, "it-ops-kpi", {
      analysis_config = { bucket_span = "5m", detectors = { { ["function"] = "low_sum", field_name = "events" } } },
    })
    jobs.results(blip, "it-ops-kpi", "bucket", {
      document(0, 85.5), document(1, 12.5), document(2, 94.1706), document(3, 80.0), document(4, 99.0),
    })
    jobs.results(blip, "it-ops-kpi", "record", {
      { timestamp = ANOMALY, probability = 0.02, record_score = 10.0, detector_index = 0 },
      { timestamp = ANOMALY, probability = 0.01, record_score = 20.0, detector_index = 0 },
      { timestamp = ANOMALY + 300000, probability = 0.001, record_score = 30.0, detector_index = 0 },
      { timestamp = ANOMALY, probability = 0.001, record_score = 40.0, detector_index = 0, is_interim = true },
    })
  end)
  teardown(function() blip:stop() end)

  local function post(body, rest)
    local answer = blip:post(PATH .. (rest or ""), body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function times(answer)
    local list = jobs.pluck(answer.buckets, "timestamp")
    for i, time in ipairs(list) do list[i] = (time - ANOMALY) // 300000 end
    return list
  end

  it("path job_id: unknown is 404", function()
    jobs.refused(blip:get "/_xpack/ml/anomaly_detectors/unknown/results/buckets", 404,
      "No known job with id 'unknown'")
  end)

  it("path timestamp: selects one bucket, without it there are all", function()
    assert.same({ 0, 1, 2, 3, 4 }, times(post({})))
    local one = post({}, "/" .. ANOMALY)
    assert.same({ 1, { 0 } }, { one.count, times(one) })
    jobs.refused(blip:get(PATH .. "/1"), 404, "Could not find requested buckets")
  end)

  it("body anomaly_score: the least score", function()
    assert.same({ 0, 2, 3, 4 }, times(post { anomaly_score = 80 }))
    assert.same({ 0, 2, 3, 4 }, times(post { anomaly_score = "80" }))
  end)

  it("body desc: the direction", function()
    assert.same({ 4, 3, 2, 1, 0 }, times(post { desc = true }))
  end)

  it("body end / start: before / from it on", function()
    assert.same({ 0 }, times(post { ["end"] = tostring(ANOMALY + 300000) }))
    assert.same({ 1, 2, 3, 4 }, times(post { start = tostring(ANOMALY + 1) }))
    assert.same({ 0, 1, 2, 3, 4 }, times(post { start = "-1", ["end"] = "-1" }))
    assert.same({}, times(post { start = tostring(ANOMALY + 1), ["end"] = tostring(ANOMALY) }))
  end)

  it("body start: what is no date is refused", function()
    jobs.refused(blip:post(PATH, { start = "yesterday" }), 400, "failed to parse date field [yesterday]")
  end)

  it("body exclude_interim: by default interim buckets are shown", function()
    assert.equal(4, post({ exclude_interim = true }).count)
    assert.equal(5, post({ exclude_interim = false }).count)
    assert.equal(5, post({}).count)
  end)

  it("body expand: adds the records, the least probable first", function()
    local one = post({ expand = true }, "/" .. ANOMALY).buckets[1]
    assert.same({ 40, 20, 10 }, jobs.pluck(one.records, "record_score"))
    local final = post({ expand = true, exclude_interim = true }, "/" .. ANOMALY).buckets[1]
    assert.same({ 20, 10 }, jobs.pluck(final.records, "record_score"))
    assert.is_nil(post({ expand = true }, "/" .. ANOMALY + 600000).buckets[1].records)
    assert.is_nil(post({}, "/" .. ANOMALY).buckets[1].records)
  end)

  it("body page.from / page.size: the part that is shown", function()
    local answer = post { page = { from = 1, size = 2 } }
    assert.same({ 5, { 1, 2 } }, { answer.count, times(answer) })
    assert.same({}, times(post { page = { size = 0 } }))
    assert.same({ 3, 4 }, times(post { page = { from = 3 } }))
    jobs.refused(blip:post(PATH, { page = { from = -1 } }), 400, "Parameter [from] cannot be < 0")
    jobs.refused(blip:get(PATH .. "?size=-1"), 400, "Parameter [size] cannot be < 0")
  end)

  it("body page: no deeper than ten thousand", function()
    jobs.refused(blip:post(PATH, { page = { from = 9999, size = 2 } }), 400, "10000")
  end)

  it("body sort: the field, the time by default; the time is the second key", function()
    assert.same({ 4, 2, 0, 3, 1 }, times(post { sort = "anomaly_score", desc = true }))
    assert.same({ 0, 1, 2, 3, 4 }, times(post { sort = "event_count" }))
  end)

  it("body: what no field is called is refused with its place", function()
    jobs.refused(blip:post(PATH, '{"anomaly_scores":80}'), 400,
      "unknown field [anomaly_scores] did you mean [anomaly_score]?")
  end)

  it("response: every field of the page", function()
    local one = post({}, "/" .. ANOMALY).buckets[1]
    assert.same({
      "anomaly_score", "bucket_influencers", "bucket_span", "event_count", "initial_anomaly_score",
      "is_interim", "job_id", "partition_scores", "processing_time_ms", "result_type", "timestamp",
    }, keys_of(one))
    assert.same({
      "anomaly_score", "bucket_span", "influencer_field_name", "initial_anomaly_score", "is_interim", "job_id",
      "probability", "raw_anomaly_score", "result_type", "timestamp",
    }, keys_of(one.bucket_influencers[1]))
    assert.same({ json.array {}, "bucket", "bucket_influencer", "bucket_time" }, {
      one.partition_scores, one.result_type, one.bucket_influencers[1].result_type,
      one.bucket_influencers[1].influencer_field_name,
    })
  end)

  it("response: what a stored bucket lacks is zero, false or empty", function()
    jobs.create(blip, "bare")
    jobs.results(blip, "bare", "bucket", { { timestamp = "2016-06-01T00:00:00Z" } })
    assert.equal('{"count":1,"buckets":[{"job_id":"bare","timestamp":1464739200000,"anomaly_score":0.0,'
      .. '"bucket_span":0,"initial_anomaly_score":0.0,"event_count":0,"is_interim":false,'
      .. '"bucket_influencers":[],"processing_time_ms":0,"partition_scores":[],"result_type":"bucket"}]}',
      blip:get("/_xpack/ml/anomaly_detectors/bare/results/buckets").body)
  end)

  it("example: the page's request, word for word", function()
    local answer = blip:request("GET", PATH, [[
{
  "anomaly_score": 80,
  "start": "1454530200001"
}]])
    assert.equal(200, answer.status, answer.body)
    assert.same({ 2, 3, 4 }, times(answer.json))
    assert.equal('{"count":3,"buckets":[{"job_id":"it-ops-kpi","timestamp":1454530800000,'
      .. '"anomaly_score":94.1706,"bucket_span":300,"initial_anomaly_score":94.1706,"event_count":153,'
      .. '"is_interim":false,"bucket_influencers":[{"job_id":"it-ops-kpi","result_type":"bucket_influencer",'
      .. '"influencer_field_name":"bucket_time","initial_anomaly_score":94.1706,"anomaly_score":94.1706,'
      .. '"raw_anomaly_score":2.32119,"probability":', answer.body:match "^(.-)5%.75042")
  end)
end)

describe("the Get Buckets page's authorisation", function()
  local PATH = "/_xpack/ml/anomaly_detectors/guarded/results/buckets"
  local blip, folder

  local function role(cluster, pattern)
    return { cluster = { cluster }, indices = pattern and { { names = { pattern }, privileges = { "read" } } } or json.array {} }
  end

  setup(function()
    folder = server.folder()
    local roles, people = {}, { boss = { "superuser" }, admin = { "machine_learning_admin" }, user = { "machine_learning_user" } }
    for _, privilege in ipairs { "monitor_ml", "monitor", "manage_ml", "manage" } do
      roles[privilege .. "_and_read"], roles[privilege .. "_alone"] = role(privilege, ".ml-anomalies-*"), role(privilege)
      people[privilege], people["only-" .. privilege] = { privilege .. "_and_read" }, { privilege .. "_alone" }
    end
    roles.only_read = { cluster = json.array {}, indices = { { names = { ".ml-anomalies-*" }, privileges = { "read" } } } }
    people.reader = { "only_read" }
    blip = server.start { users = users.write(folder .. "/users.json", people, roles) }
    local answer = blip:request("PUT", "/_xpack/ml/anomaly_detectors/guarded", jobs.body(), users.basic "boss")
    assert(answer.status == 200, answer.body)
  end)
  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  local function status(name) return blip:get(PATH, users.basic(name)).status end

  it("one of monitor_ml, monitor, manage_ml, manage and read on the results index", function()
    for _, privilege in ipairs { "monitor_ml", "monitor", "manage_ml", "manage" } do
      assert.equal(200, status(privilege), privilege)
      assert.equal(403, status("only-" .. privilege), privilege .. " without read")
    end
    assert.equal(403, status "reader")
  end)

  it("the roles machine_learning_admin and machine_learning_user", function()
    assert.equal(200, status "admin")
    assert.equal(200, status "user")
  end)

  it("nobody without credentials", function()
    assert.equal(401, blip:get(PATH).status)
  end)
end)
