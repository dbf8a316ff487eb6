-- luacheck: no max line length
-- What the peer's integration tests assert of results (elastic-ml.md 13), through `_data`.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local random = require "support.random"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"
local HOUR = 3600
local START = 1491004800 -- 2017-04-01

describe("results of posted data", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  local function ok(answer)
    assert.is_true(answer.status < 300, answer.body)
    return answer.json
  end

  local function open(id, span, detector, more)
    local body = { analysis_config = { bucket_span = span, detectors = { detector } } }
    for name, value in pairs(more or {}) do body[name] = value end
    jobs.create(blip, id, body)
    jobs.open(blip, id)
    return ML .. id
  end

  local function post(path, lines)
    return ok(blip:post(path .. "/_data", table.concat(lines, "\n")))
  end

  local function get(path, rest) return ok(blip:get(path .. rest)) end

  it("interim results are there when they are asked for, and are replaced by final ones", function()
    local path = open("interim-1", "1000s", { ["function"] = "max", field_name = "value" })
    local lines = {}
    for i = 0, 79 do lines[#lines + 1] = ('{"time":%d,"value":%d}'):format(1400000000 + i * 500, i % 3 + 1) end
    post(path, lines)
    ok(blip:post(path .. "/_flush"))
    local final = get(path, "/results/buckets?size=1000").buckets
    for _, bucket in ipairs(final) do assert.is_false(bucket.is_interim) end
    post(path, { '{"time":1400040000,"value":14}', '{"time":1400040500,"value":12}', '{"time":1400040510,"value":16}' })
    local function interim()
      local found = {}
      for _, bucket in ipairs(get(path, "/results/buckets?size=1000&expand=true").buckets) do
        if bucket.is_interim then found[#found + 1] = bucket end
      end
      return found
    end
    assert.equal(0, #interim())
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    assert.same({ 1400040000000 }, jobs.pluck(interim(), "timestamp"))
    assert.same({ 16 }, interim()[1].records[1].actual)
    post(path, { '{"time":1400040520,"value":15}' })
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    assert.same({ 1400040000000 }, jobs.pluck(interim(), "timestamp"))
    assert.same({ 16 }, interim()[1].records[1].actual)
    post(path, { '{"time":1400041000,"value":2}', '{"time":1400042000,"value":1}' })
    ok(blip:post(path .. "/_close"))
    assert.equal(0, #interim())
    local bucket = get(path, "/results/buckets/1400040000000?expand=true").buckets[1]
    assert.same({ 16 }, bucket.records[1].actual)
    assert.equal(0, blip:get("/.ml-anomalies-interim-1/_count?q=is_interim:true").json.count)
  end)

  it("an interim bucket that has only begun has no records", function()
    local path = open("interim-2", "1000s", { ["function"] = "count" })
    local lines = {}
    for i = 0, 39 do
      for k = 0, 9 do lines[#lines + 1] = ('{"time":%d}'):format(1400000000 + i * 1000 + k * 90) end
    end
    post(path, lines)
    local last = ok(blip:post(path .. "/_flush")).last_finalized_bucket_end
    ok(blip:post(path .. "/_flush", { calc_interim = true, advance_time = tostring(last + 1000000) }))
    local interim = 0
    for _, bucket in ipairs(get(path, "/results/buckets?size=1000&expand=true").buckets) do
      if bucket.is_interim then
        interim = interim + 1
        assert.is_nil(bucket.records)
      end
    end
    assert.equal(1, interim)
  end)

  it("interim results outlive a close, and go when the next bucket comes", function()
    local path = open("interim-3", "1h", { ["function"] = "mean", field_name = "value", by_field_name = "airline" })
    local lines = {}
    for hour = 0, 47 do
      for _, by in ipairs { "foo", "bar" } do
        lines[#lines + 1] = ('{"time":%d,"value":%d,"airline":"%s"}'):format(START + hour * HOUR, 1000 + hour % 3, by)
      end
    end
    for _, by in ipairs { "foo", "bar" } do
      lines[#lines + 1] = ('{"time":%d,"value":1,"airline":"%s"}'):format(START + 48 * HOUR, by)
    end
    post(path, lines)
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
    local interim = 0
    for _, record in ipairs(get(path, "/results/records").records) do interim = interim + (record.is_interim and 1 or 0) end
    assert.equal(2, interim)
    jobs.open(blip, "interim-3")
    post(path, { ('{"time":%d,"value":1001,"airline":"foo"}'):format(START + 48 * HOUR + 60), ('{"time":%d,"value":1000,"airline":"foo"}'):format(START + 49 * HOUR) })
    ok(blip:post(path .. "/_flush"))
    assert.equal(0, blip:get("/.ml-anomalies-interim-3/_count?q=is_interim:true").json.count)
  end)

  it("a job that is opened again after a gap has the empty buckets between", function()
    local path = open("reopen-gap", "1h", { ["function"] = "count" })
    local function hours(from)
      local lines = {}
      for hour = from, from + 9 do lines[#lines + 1] = ('{"time":%d}'):format(START + hour * HOUR) end
      post(path, lines)
    end
    hours(0)
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
    assert.equal(9, get(path, "/results/buckets?exclude_interim=true").count)
    assert.equal(9, get(path, "/_stats").jobs[1].data_counts.bucket_count)
    jobs.open(blip, "reopen-gap")
    hours(20)
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
    assert.equal(29, get(path, "/results/buckets?exclude_interim=true&size=1000").count)
    local counts = get(path, "/_stats").jobs[1].data_counts
    assert.same({ 29, 10 }, { counts.bucket_count, counts.empty_bucket_count })
  end)

  -- One event an hour, with more of them in some buckets.
  local function counts(path, hours, more)
    local generator = random.new(7)
    local lines = {}
    for hour = 0, hours - 1 do
      for _ = 1, more[hour] or 1 do
        lines[#lines + 1] = ('{"time":%d}'):format(START + hour * HOUR + math.floor(generator:uniform() * 3000))
      end
    end
    table.sort(lines)
    post(path, lines)
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
  end

  it("stronger anomalies that come later lower the scores of earlier ones", function()
    local path = open("renormalized", "1h", { ["function"] = "count" })
    counts(path, 50, { [35] = 10, [45] = 100 })
    local records = get(path, "/results/records?record_score=1").records
    assert.is_true(#records >= 2, #records)
    local later, earlier = records[1], nil
    for _, record in ipairs(records) do
      if record.timestamp == (START + 35 * HOUR) * 1000 then earlier = record end
    end
    assert.equal((START + 45 * HOUR) * 1000, later.timestamp)
    assert.is_true(later.record_score > earlier.record_score)
    assert.is_true(earlier.initial_record_score > earlier.record_score)
  end)

  it("buckets say on the old prefix how anomalous a partition value is as a whole", function()
    local path = open("partitions", "1h", { ["function"] = "mean", field_name = "value",
      by_field_name = "page", partition_field_name = "region" })
    local lines, generator = {}, random.new(5)
    for hour = 0, 79 do
      for _, region in ipairs { "eu", "us" } do
        for _, page in ipairs { "a", "b" } do
          local value = hour == 70 and region == "eu" and 900 or 100 + 10 * generator:uniform()
          lines[#lines + 1] = ('{"time":%d,"value":%.3f,"page":"%s","region":"%s"}'):format(
            START + hour * HOUR, value, page, region)
        end
      end
    end
    post(path, lines)
    ok(blip:post(path .. "/_flush"))
    local at = "/results/buckets/" .. (START + 70 * HOUR) * 1000
    local bucket = get("/_xpack/ml/anomaly_detectors/partitions", at).buckets[1]
    assert.equal(1, #bucket.partition_scores)
    local eu = bucket.partition_scores[1]
    assert.equal("region", eu.partition_field_name)
    assert.equal("eu", eu.partition_field_value)
    assert.is_true(eu.record_score > 50 and eu.probability < 0.01)
    assert.equal(eu.record_score, eu.initial_record_score)
    assert.is_nil(get(path, at).buckets[1].partition_scores)
  end)

  it("results that a client has put there and that name what the job lacks stay as they are", function()
    local path = open("renormalized-2", "1h", { ["function"] = "count" })
    local time_ms = (START + 20 * HOUR) * 1000
    local crafted = {
      { result_type = "record", detector_index = 9, probability = 1e-9, record_score = 90,
        initial_record_score = 90 },
      { result_type = "record", probability = 7, record_score = 91, initial_record_score = 91 },
      { result_type = "record", probability = 1e-9, initial_record_score = 92 },
      { result_type = "influencer", influencer_field_name = "nobody", influencer_field_value = "x",
        probability = 1e-9, influencer_score = 93, initial_influencer_score = 93 },
      { result_type = "bucket", bucket_influencers = { { influencer_field_name = "nobody" } }, anomaly_score = 94,
        initial_anomaly_score = 94 },
    }
    for i, document in ipairs(crafted) do
      document.job_id, document.timestamp, document.bucket_span = "renormalized-2", time_ms, 3600
      ok(blip:put("/.ml-anomalies-shared/_doc/crafted-" .. i, json.encode(document)))
    end
    counts(path, 50, { [35] = 10, [45] = 100 })
    local records = get(path, "/results/records?record_score=90").records
    local scores = {}
    for _, record in ipairs(records) do scores[record.record_score] = true end
    assert.is_true(scores[90] and scores[91])
  end)

  it("with a window of no days scores stay what they were first", function()
    local path = open("not-renormalized", "1h", { ["function"] = "count" }, { renormalization_window_days = 0 })
    counts(path, 50, { [35] = 10, [45] = 100 })
    local records = get(path, "/results/records").records
    assert.is_true(#records >= 2)
    for _, record in ipairs(records) do assert.equal(record.initial_record_score, record.record_score) end
  end)

  it("overall buckets over three thousand hours", function()
    local path = open("overall", "1h", { ["function"] = "count" })
    local lines = {}
    for hour = 0, 2999 do
      for _ = 1, hour > 0 and hour % 1000 == 0 and 4 or 1 do
        lines[#lines + 1] = ('{"time":%d}'):format(START + hour * HOUR)
      end
    end
    post(path, lines)
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
    assert.equal(3000, get(path, "/results/buckets?size=0").count)
    assert.equal(3000, get(path, "/results/overall_buckets").count)
    assert.equal(1500, get(path, "/results/overall_buckets?bucket_span=2h").count)
    assert.equal(2, get(path, "/results/overall_buckets?overall_score=0.1").count)
  end)

  it("events of calendars hide what happens in them, also when they come while the job is open", function()
    local path = open("eventful", "30m", { ["function"] = "count" })
    local generator = random.new(11)
    local function half_hours(first, last, odd)
      local lines = {}
      for i = first, last do
        for _ = 1, odd[i] and 200 or 10 + math.floor(generator:uniform() * 5) do
          lines[#lines + 1] = ('{"time":%d}'):format(START + i * 1800)
        end
      end
      post(path, lines)
    end
    half_hours(0, 99, {})
    ok(blip:put("/_ml/calendars/closing-days", { job_ids = { "eventful" } }))
    ok(blip:post("/_ml/calendars/closing-days/events", { events = { {
      description = "fair", start_time = (START + 120 * 1800) * 1000, end_time = (START + 124 * 1800) * 1000,
    }, {
      description = "siren", start_time = (START + 150 * 1800 + 60) * 1000, end_time = (START + 150 * 1800 + 660) * 1000,
    } } }))
    half_hours(100, 200, { [121] = true, [150] = true, [180] = true })
    ok(blip:post(path .. "/_close"))
    local function bucket(i) return get(path, "/results/buckets/" .. (START + i * 1800) * 1000 .. "?expand=true").buckets[1] end
    for i, description in pairs { [120] = "fair", [121] = "fair", [123] = "fair", [150] = "siren" } do
      assert.same({ description }, bucket(i).scheduled_events)
      assert.equal(0, bucket(i).anomaly_score)
      assert.is_nil(bucket(i).records)
    end
    for _, i in ipairs { 119, 124, 149, 151 } do assert.is_nil(bucket(i).scheduled_events) end
    assert.is_true(bucket(180).anomaly_score > 50)
  end)

  it("rules and filters that change while the job is open count from then on", function()
    ok(blip:put("/_ml/filters/quiet", { items = { "h1" } }))
    local function rule(id) return { { actions = { "skip_result" }, scope = { host = { filter_id = id, filter_type = "include" } } } } end
    local path = open("ruled", "1h", {
      ["function"] = "mean", field_name = "value", partition_field_name = "host", custom_rules = rule "quiet",
    })
    local generator = random.new(13)
    local function hours(first, last, odd)
      local lines = {}
      for hour = first, last do
        for host = 1, 3 do
          lines[#lines + 1] = ('{"time":%d,"host":"h%d","value":%.3f}'):format(
            START + hour * HOUR, host, 100 + generator:normal() + (odd[hour] and 50 or 0))
        end
      end
      post(path, lines)
    end
    local function hosts_at(hour)
      local at, list = (START + hour * HOUR) * 1000, {}
      for _, record in ipairs(get(path, ("/results/records?start=%d&end=%d"):format(at, at + 1)).records) do
        list[#list + 1] = record.partition_field_value
      end
      table.sort(list)
      return list
    end
    hours(0, 101, { [100] = true })
    assert.same({ "h2", "h3" }, hosts_at(100))
    ok(blip:post("/_ml/filters/quiet/_update", { add_items = { "h2" } }))
    hours(102, 141, { [140] = true })
    assert.same({ "h3" }, hosts_at(140))
    ok(blip:post(path .. "/_update", { detectors = { { detector_index = 0, custom_rules = json.array {} } } }))
    hours(142, 181, { [180] = true })
    assert.same({ "h1", "h2", "h3" }, hosts_at(180))
  end)

  it("model plots are documents that a search finds, of the terms that were asked for", function()
    local function plotted(id, terms)
      local path = open(id, "1h", { ["function"] = "mean", field_name = "value", partition_field_name = "host" },
        { model_plot_config = { enabled = true, terms = terms } })
      local lines = {}
      for hour = 0, 24 do
        for host = 1, 3 do lines[#lines + 1] = ('{"time":%d,"host":"h%d","value":%d}'):format(START + hour * HOUR, host, hour % 3) end
      end
      post(path, lines)
      ok(blip:post(path .. "/_close"))
      local answer = ok(blip:post("/.ml-anomalies-" .. id .. "/_search", { size = 0,
        query = { term = { result_type = "model_plot" } }, aggs = { hosts = { terms = { field = "partition_field_value" } } } }))
      local found = {}
      for _, bucket in ipairs(answer.aggregations.hosts.buckets) do found[bucket.key] = bucket.doc_count end
      return found
    end
    assert.same({ h1 = 24, h2 = 24, h3 = 24 }, plotted("plotted", nil))
    assert.same({ h2 = 24, h3 = 24 }, plotted("plotted-some", "h2,h3"))
  end)
end)
