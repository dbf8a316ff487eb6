-- luacheck: no max line length
-- The rows of elastic-ml.md 12.18 about all jobs together, each a spec named after it.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"

describe("ml_info", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  local function info() return blip:get("/_ml/info").json end

  local function limit(value)
    assert.equal(200, blip:put("/_cluster/settings", { persistent = { ["xpack.ml.max_model_memory_limit"] = value } }).status)
  end

  it("defaults", function()
    local answer = info()
    local defaults = answer.defaults.anomaly_detectors
    assert.equal("ml_standard", defaults.categorization_analyzer.tokenizer)
    assert.same({ "1gb", 4, 10, 1 }, { defaults.model_memory_limit, defaults.categorization_examples_limit,
      defaults.model_snapshot_retention_days, defaults.daily_model_snapshot_retention_after_days })
    assert.equal(1000, answer.defaults.datafeeds.scroll_size)
    assert.is_false(answer.upgrade_mode)
    assert.is_nil(answer.limits.max_model_memory_limit)
  end)

  it("limits", function()
    local limits = info().limits
    assert.truthy(limits.effective_max_model_memory_limit:find "^%d+[kmg]?b$")
    assert.truthy(limits.total_ml_memory:find "^%d+[kmg]?b$")
  end)

  it("cluster setting changes default", function()
    for _, size in ipairs { "512mb", "1mb" } do
      limit(size)
      local answer = info()
      assert.same({ size, size }, { answer.limits.max_model_memory_limit, answer.defaults.anomaly_detectors.model_memory_limit })
    end
    limit(json.null)
    assert.equal("1gb", info().defaults.anomaly_detectors.model_memory_limit)
  end)

  it("memory", function()
    local answer = blip:get("/_ml/memory/_stats").json
    assert.same({ total = 1, successful = 1, failed = 0 }, answer._nodes)
    local _, node = next(answer.nodes)
    assert.is_true(node.mem.total_in_bytes >= node.mem.ml.max_in_bytes)
    assert.equal(0, node.mem.ml.anomaly_detectors_in_bytes)
  end)
end)

describe("set_upgrade_mode", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "set-upgrade-mode-job")
  end)
  teardown(function() blip:stop() end)

  it("enable → open refused; disable restores", function()
    assert.same({ acknowledged = true }, blip:post("/_ml/set_upgrade_mode?enabled=true").json)
    assert.is_true(blip:get("/_ml/info").json.upgrade_mode)
    refused(blip:post(JOBS .. "set-upgrade-mode-job/_open"), 429, "Cannot open jobs when upgrade mode is enabled")
    assert.same({ acknowledged = true }, blip:post("/_ml/set_upgrade_mode?enabled=false").json)
    assert.is_false(blip:get("/_ml/info").json.upgrade_mode)
    assert.equal(200, blip:post(JOBS .. "set-upgrade-mode-job/_open").status)
  end)

  it("stats assignment_explanation text", function()
    blip:post(JOBS .. "set-upgrade-mode-job/_open")
    blip:post "/_ml/set_upgrade_mode?enabled=true"
    local job = blip:get(JOBS .. "set-upgrade-mode-job/_stats").json.jobs[1]
    blip:post "/_ml/set_upgrade_mode?enabled=false"
    assert.equal("persistent task cannot be assigned while upgrade mode is enabled.", job.assignment_explanation)
    assert.equal("opened", job.state)
  end)
end)

describe("delete_expired_data", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "expiring", { results_retention_days = 1 })
    jobs.results(blip, "expiring", "bucket", {
      { timestamp = "2016-06-01T00:00:00Z", anomaly_score = 1.0, bucket_span = 3600 },
      { timestamp = "2016-06-09T00:00:00Z", anomaly_score = 1.0, bucket_span = 3600 },
      { timestamp = "2016-06-10T00:00:00Z", anomaly_score = 1.0, bucket_span = 3600 },
    })
  end)
  teardown(function() blip:stop() end)

  it("no body, body timeout/rps, query params", function()
    assert.same({ deleted = true }, blip:delete("/_ml/_delete_expired_data").json)
    assert.same({ deleted = true }, blip:delete("/_ml/_delete_expired_data", { timeout = "10h", requests_per_second = 100000.0 }).json)
    assert.same({ deleted = true }, blip:delete("/_ml/_delete_expired_data?timeout=10h&requests_per_second=1.5").json)
  end)

  it("unknown job", function()
    refused(blip:delete "/_ml/_delete_expired_data/not-a-job", 404, "No known job with id 'not-a-job'")
  end)

  it("a retention of more days than there are keeps everything", function()
    jobs.create(blip, "keeping", { results_retention_days = 9223372036854775807 })
    jobs.results(blip, "keeping", "bucket", { { timestamp = 0, anomaly_score = 1.0 }, { timestamp = 4000000000000, anomaly_score = 1.0 } })
    blip:delete "/_ml/_delete_expired_data/keeping"
    assert.equal(2, blip:get(JOBS .. "keeping/results/buckets").json.count)
  end)

  it("results go when they are older than the job's newest by its retention", function()
    blip:delete "/_ml/_delete_expired_data/expiring"
    local answer = blip:get(JOBS .. "expiring/results/buckets").json
    assert.same({ 1465430400000, 1465516800000 }, jobs.pluck(answer.buckets, "timestamp"))
  end)
end)

describe("options of a request", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  it("a parameter that nobody reads is refused, with the one that was meant", function()
    refused(blip:get "/_ml/anomaly_detectors?allow_no_mach=true", 400,
      "request [/_ml/anomaly_detectors] contains unrecognized parameter: [allow_no_mach] -> did you mean [allow_no_match]?")
    refused(blip:get "/_ml/anomaly_detectors?aaa=1&zzz=2", 400, "contains unrecognized parameters: [aaa], [zzz]")
  end)

  it("a word that is neither true nor false is refused", function()
    refused(blip:get "/_ml/anomaly_detectors?allow_no_match=maybe", 400, "Failed to parse value [maybe] as only [true] or [false] are allowed.")
  end)

  it("a body names the place of what is wrong", function()
    refused(blip:put(JOBS .. "j", '{\n  "analysis_config": {\n    "bucket_spam": "1h"\n  }\n}'), 400, "[3:5] [analysis_config] unknown field [bucket_spam] did you mean [bucket_span]?")
    refused(blip:put(JOBS .. "j", '{"groups": {"a": 1}}'), 400, "[1:12] [job_details] groups doesn't support values of type: START_OBJECT")
    refused(blip:put(JOBS .. "j", '{"description": 5}'), 400, "[1:17] [job_details] description doesn't support values of type: VALUE_NUMBER")
    refused(blip:put(JOBS .. "j", "[]"), 400, "[1:1] [job_details] Expected START_OBJECT but was: START_ARRAY")
    refused(blip:put(JOBS .. "j", "{"), 400)
    refused(blip:put(JOBS .. "j"), 400, "request body is required")
  end)

  it("booleans and numbers may be texts", function()
    local made = blip:put(JOBS .. "j", jobs.body { allow_lazy_open = "true", results_retention_days = "5" }).json
    assert.same({ true, 5 }, { made.allow_lazy_open, made.results_retention_days })
  end)
end)
