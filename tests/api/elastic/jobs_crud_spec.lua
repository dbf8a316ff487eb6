-- luacheck: no max line length
-- The rows of elastic-ml.md 12.6 about what a job may be, each a spec named after it.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"

describe("jobs_crud", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)
  after_each(function()
    for _, job in ipairs(blip:get("/_ml/anomaly_detectors").json.jobs) do
      blip:delete(JOBS .. job.job_id .. "?force=true")
    end
  end)

  local function put(id, changes) return blip:put(JOBS .. id, jobs.body(changes)) end
  local function get(ids) return blip:get(JOBS .. ids) end
  local function update(id, body) return blip:post(JOBS .. id .. "/_update", body) end

  local function analysis(detectors, changes)
    local config = { bucket_span = "1h", detectors = detectors }
    for name, value in pairs(changes or {}) do config[name] = value end
    return { analysis_config = config }
  end

  it("none exist", function()
    assert.same({ count = 0, jobs = {} }, get("_all").json)
    assert.same({ count = 0, jobs = {} }, blip:get("/_ml/anomaly_detectors").json)
  end)

  it("allow_no_match true", function()
    assert.equal(0, get("missing-*?allow_no_match=true").json.count)
    local answer = get "missing-*?allow_no_jobs=true"
    assert.equal(0, answer.json.count)
    assert.truthy(answer.headers.warning:find("Deprecated field [allow_no_jobs] used, expected [allow_no_match] instead", 1, true))
  end)

  it("allow_no_match false", function()
    refused(get "missing-*?allow_no_match=false", 404, "No known job with id 'missing-*'")
    local answer = get "missing-*?allow_no_jobs=false"
    refused(answer, 404)
    assert.truthy(answer.headers.warning)
  end)

  it("crud", function()
    local made = put("job-crud-test-apis", analysis { { ["function"] = "metric", field_name = "responsetime", by_field_name = "airline" } })
    assert.equal(200, made.status, made.body)
    assert.same({ model_memory_limit = "1024mb", categorization_examples_limit = 4 }, made.json.analysis_limits)
    local found = get "job-crud-test-apis"
    assert.equal(1, found.json.count)
    assert.same(made.json, found.json.jobs[1])
    assert.same({ acknowledged = true }, blip:delete(JOBS .. "job-crud-test-apis").json)
    refused(get "job-crud-test-apis", 404)
  end)

  it("limit as number", function()
    assert.equal("2048mb", put("j", { analysis_limits = { model_memory_limit = 2048 } }).json.analysis_limits.model_memory_limit)
  end)

  it("limit as string", function()
    local made = put("j", { allow_lazy_open = true, analysis_limits = { model_memory_limit = "3000g" } }).json
    assert.equal("3072000mb", made.analysis_limits.model_memory_limit)
    assert.is_true(made.allow_lazy_open)
  end)

  it("get missing", function()
    refused(get "non-existing", 404, "No known job with id 'non-existing'")
  end)

  it("snapshot settings", function()
    refused(put("j", { model_snapshot_retention_days = 3, daily_model_snapshot_retention_after_days = 4 }), 400,
      "The value of daily_model_snapshot_retention_after_days [4] cannot be greater than model_snapshot_retention_days [3]")
    refused(put("j", { daily_model_snapshot_retention_after_days = -1 }), 400,
      "daily_model_snapshot_retention_after_days cannot be less than 0. Value = -1")
  end)

  it("id mismatch", function()
    local answer = put("jobs-crud-id", { job_id = "different" })
    refused(answer, 400, "Inconsistent job_id; 'different' specified in the body differs from 'jobs-crud-id' specified as a URL argument")
    assert.equal("illegal_argument_exception", answer.json.error.type)
  end)

  it("id taken", function()
    put "jobs-crud-id-already-taken"
    local answer = put "jobs-crud-id-already-taken"
    refused(answer, 400, "The job cannot be created with the Id 'jobs-crud-id-already-taken'. The Id is already used.")
    assert.equal("resource_already_exists_exception", answer.json.error.type)
  end)

  it("update", function()
    local made = put("jobs-crud-update-job", {
      description = "Pre update description",
      analysis_config = {
        bucket_span = "1h", categorization_field_name = "some_category", categorization_filters = { "cat1.*", "cat2.*" },
        detectors = {
          { ["function"] = "mean", field_name = "responsetime", by_field_name = "mlcategory" },
          { ["function"] = "max", field_name = "responsetime", by_field_name = "mlcategory" },
        },
      },
      model_snapshot_retention_days = 4, daily_model_snapshot_retention_after_days = 2,
    })
    assert.equal(200, made.status, made.body)
    local analyzer = made.json.analysis_config.categorization_analyzer
    assert.equal("ml_standard", analyzer.tokenizer)
    assert.same({ "first_line_with_letters", { type = "pattern_replace", pattern = "cat1.*" }, { type = "pattern_replace", pattern = "cat2.*" } },
      analyzer.char_filter)
    assert.is_nil(made.json.analysis_config.categorization_filters)

    local changed = update("jobs-crud-update-job", {
      groups = { "group-1", "group-2" }, description = "Post update description",
      detectors = {
        { detector_index = 0, custom_rules = { { actions = { "skip_result" }, conditions = { { applies_to = "time", operator = "gte", value = 0 } } } } },
        { detector_index = 1, description = "updated description" },
      },
      model_plot_config = { enabled = false, terms = "foobar" },
      renormalization_window_days = 10, background_persist_interval = "3h", model_snapshot_retention_days = 30,
      results_retention_days = 40, categorization_filters = { "cat3.*" }, custom_settings = { setting3 = "custom3" },
    })
    assert.equal(200, changed.status, changed.body)
    local job = changed.json
    assert.same({ "group-1", "group-2" }, job.groups)
    assert.equal("Post update description", job.description)
    assert.same({ enabled = false, terms = "foobar", annotations_enabled = false }, job.model_plot_config)
    assert.same({ "skip_result" }, job.analysis_config.detectors[1].custom_rules[1].actions)
    assert.equal("updated description", job.analysis_config.detectors[2].detector_description)
    assert.equal("cat3.*", job.analysis_config.categorization_analyzer.char_filter[2].pattern)
    assert.same({ 10, "3h", 30, 2, 40 }, { job.renormalization_window_days, job.background_persist_interval,
      job.model_snapshot_retention_days, job.daily_model_snapshot_retention_after_days, job.results_retention_days })
    assert.same({ setting3 = "custom3" }, job.custom_settings)
    assert.same(job, get("jobs-crud-update-job").json.jobs[1])
  end)

  it("update limits closed", function()
    put("j", { analysis_limits = { model_memory_limit = "30mb" } })
    for _, limit in ipairs { "20mb", "15mb" } do
      assert.equal(limit, update("j", { analysis_limits = { model_memory_limit = limit } }).json.analysis_limits.model_memory_limit)
    end
  end)

  it("update retentions", function()
    put("j", { model_snapshot_retention_days = 30, daily_model_snapshot_retention_after_days = 2 })
    refused(update("j", { daily_model_snapshot_retention_after_days = 31 }), 400,
      "The value of daily_model_snapshot_retention_after_days [31] cannot be greater than model_snapshot_retention_days [30]")
    refused(update("j", { model_snapshot_retention_days = 1 }), 400,
      "The value of daily_model_snapshot_retention_after_days [2] cannot be greater than model_snapshot_retention_days [1]")
  end)

  it("update _all", function()
    refused(update("_all", { groups = { "x" } }), 400)
  end)

  it("update group = existing job id", function()
    put "jobs-crud-a"
    put "jobs-crud-b"
    refused(update("jobs-crud-a", { groups = { "jobs-crud-b" } }), 400, "job and group names must be unique")
    assert.is_nil(get("jobs-crud-a").json.jobs[1].groups)
  end)

  it("update of an unknown job, and of an unknown field", function()
    refused(update("nothing", { description = "x" }), 404, "No known job with id 'nothing'")
    put "j"
    local answer = update("j", { create_time = 1 })
    refused(answer, 400, "[job_update] unknown field [create_time]")
    assert.equal("x_content_parse_exception", answer.json.error.type)
    refused(update("j", { detectors = { { detector_index = 1, description = "x" } } }), 400,
      "Supplied detector_index [1] is >= the number of detectors [1]")
  end)

  it("delete unknown", function()
    refused(blip:delete(JOBS .. "not-a-job"), 404, "No known job with id 'not-a-job'")
    refused(blip:delete(JOBS .. "not-a-job?force=true"), 404)
  end)

  it("model_snapshot_id set at creation", function()
    local answer = put("j", { model_snapshot_id = "wont-create-with-this-setting" })
    refused(answer, 400, "The job is configured with fields [model_snapshot_id] that are illegal to set at job creation")
    assert.equal("illegal_argument_exception", answer.json.error.type)
  end)

  it("time field in analysis", function()
    local by_time = analysis { { ["function"] = "count", by_field_name = "@timestamp" } }
    by_time.data_description = { time_field = "@timestamp" }
    refused(put("j", by_time), 400)
    local of_time = analysis { { ["function"] = "mean", field_name = "time" } }
    refused(put("j", of_time), 400, "data_description.time_field may not be used in the analysis_config")
  end)

  it("duplicate detectors (± detector_index)", function()
    local text = "Duplicate detectors are not allowed: [max(responsetime)]"
    local function max(index) return { ["function"] = "max", field_name = "responsetime", detector_index = index } end
    refused(put("j", analysis { max(), max() }), 400, text)
    refused(put("j", analysis { max(0), max(1) }), 400, text)
  end)

  it("put with datafeed", function()
    local made = put("job-with-datafeed", { datafeed_config = { indices = { "a" }, query = { match_all = json.object {} } } })
    assert.equal(200, made.status, made.body)
    local feed = made.json.datafeed_config
    assert.same({ "job-with-datafeed", "job-with-datafeed" }, { feed.datafeed_id, feed.job_id })
    assert.equal(1, blip:get("/_ml/datafeeds/job-with-datafeed").json.count)
  end)

  it("put with a datafeed of another job makes neither", function()
    refused(put("j", { datafeed_config = { indices = { "a" }, job_id = "k" } }), 400, "datafeed job_id [k] does not equal job id [j]")
    refused(put("j", { datafeed_config = { indices = json.array {} } }), 400, "Invalid indices value '[]' in datafeed configuration")
    refused(get "j", 404)
    assert.equal(0, blip:get("/_ml/datafeeds").json.count)
  end)

  it("get job with datafeed", function()
    put("j", { datafeed_config = { indices = { "a" }, datafeed_id = "feed" } })
    assert.equal("feed", get("j").json.jobs[1].datafeed_config.datafeed_id)
  end)

  it("delete job referred by datafeed", function()
    put("j", { datafeed_config = { indices = { "a" }, datafeed_id = "feed" } })
    local old = "/_xpack/ml/anomaly_detectors/j"
    refused(blip:delete(old), 409, "Cannot delete job [j] because datafeed [feed] refers to it")
    assert.equal(200, blip:delete(old .. "?force=true").status)
    assert.equal(0, blip:get("/_ml/datafeeds").json.count)
  end)

  it("datafeed indices options as params", function()
    local answer = blip:put(JOBS .. "j?ignore_throttled=false", jobs.body { datafeed_config = { indices = { "a" } } })
    assert.equal(200, answer.status, answer.body)
    assert.is_false(answer.json.datafeed_config.indices_options.ignore_throttled)
    assert.truthy(answer.headers.warning:find("frozen indices have been deprecated", 1, true))
  end)

  it("analyzers", function()
    local function with(analyzer)
      return analysis({ { ["function"] = "count", by_field_name = "mlcategory" } },
        { categorization_field_name = "message", categorization_analyzer = analyzer })
    end
    assert.equal("standard", put("named", with "standard").json.analysis_config.categorization_analyzer)
    local given = { char_filter = { "html_strip" }, tokenizer = "classic", filter = { { type = "stop", stopwords = { "monday" } } } }
    assert.same(given, put("custom", with(given)).json.analysis_config.categorization_analyzer)
  end)

  it("analyzer + filters", function()
    refused(put("j", analysis({ { ["function"] = "count", by_field_name = "mlcategory" } }, {
      categorization_field_name = "message", categorization_analyzer = "standard", categorization_filters = { "a" },
    })), 400, "categorization_filters cannot be used with categorization_analyzer - instead specify them as pattern_replace char_filters in the analyzer")
  end)

  it("rules", function()
    local rule = {
      actions = { "skip_result", "skip_model_update" },
      scope = { country = { filter_id = "safe_countries" } },
      conditions = {
        { applies_to = "actual", operator = "lt", value = 33.3 },
        { applies_to = "typical", operator = "lte", value = 42.0 },
      },
    }
    local detector = { ["function"] = "count", by_field_name = "country", custom_rules = { rule } }
    assert.equal(200, put("j", analysis { detector }).status)
    rule.scope.country.filter_type = "include"
    assert.same({ rule }, get("j").json.jobs[1].analysis_config.detectors[1].custom_rules)
  end)

  it("shortcut", function()
    local made = put("j", analysis { { ["function"] = "nzc", by_field_name = "airline" } })
    assert.equal("non_zero_count", made.json.analysis_config.detectors[1]["function"])
  end)

  it("max memory setting", function()
    local function limit(value)
      assert.equal(200, blip:put("/_cluster/settings", { persistent = { ["xpack.ml.max_model_memory_limit"] = value } }).status)
    end
    limit "9g"
    assert.equal("8192mb", put("eight", { analysis_limits = { model_memory_limit = "8g" } }).json.analysis_limits.model_memory_limit)
    refused(put("ten", { analysis_limits = { model_memory_limit = "10g" } }), 400,
      "model_memory_limit [10gb] must be less than the value of the xpack.ml.max_model_memory_limit setting [9gb]")
    limit(json.null)
    assert.equal("10240mb", put("ten", { analysis_limits = { model_memory_limit = "10g" } }).json.analysis_limits.model_memory_limit)
  end)

  it("export leaves out what was generated", function()
    put("j", { custom_settings = { created_by = "somebody", kept = 1 }, datafeed_config = { indices = { "a" } } })
    local job = get("j?exclude_generated=true").json.jobs[1]
    for _, name in ipairs { "job_type", "job_version", "create_time" } do assert.is_nil(job[name]) end
    assert.same({ kept = 1 }, job.custom_settings)
    assert.is_nil(job.datafeed_config.query_delay)
    assert.equal(200, blip:delete(JOBS .. "j").status)
    local again = blip:put(JOBS .. "j", job)
    assert.equal(200, again.status, again.body)
  end)

  it("a span that does not divide a day is warned of", function()
    local answer = put("j", { analysis_config = { bucket_span = "17m", detectors = { { ["function"] = "count" } } } })
    assert.truthy(answer.headers.warning:find("bucket_span 17m [1020s] is not an integral divisor of the number of seconds in 1d [86400s]. This is now deprecated.", 1, true))
  end)

  it("both prefixes serve the same", function()
    assert.equal(200, blip:put("/_xpack/ml/anomaly_detectors/old", jobs.body()).status)
    assert.same(get("old").json, blip:get("/_xpack/ml/anomaly_detectors/old").json)
  end)

  it("the old prefix takes settings that went away", function()
    local body = jobs.body { analysis_config = { detectors = { { ["function"] = "count" } }, overlapping_buckets = false } }
    refused(blip:put(JOBS .. "j", body), 400, "unknown field [overlapping_buckets]")
    assert.is_nil(blip:put("/_xpack/ml/anomaly_detectors/j", body).json.analysis_config.overlapping_buckets)
  end)

  it("a wrong method is refused with those that there are", function()
    local answer = blip:request("PATCH", JOBS .. "j", { a = 1 })
    assert.equal(405, answer.status)
    assert.truthy(answer.headers.allow:find "PUT")
  end)
end)
