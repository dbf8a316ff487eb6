-- luacheck: no max line length
-- The rows of elastic-ml.md 12.6 about open and closed jobs, and delete_job_force and reset_job of 12.18,
-- each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"

describe("jobs_crud (lifecycle)", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)
  after_each(function()
    for _, job in ipairs(blip:get("/_ml/anomaly_detectors").json.jobs) do
      assert(blip:delete(JOBS .. job.job_id .. "?force=true").status == 200)
    end
  end)

  local function open(id)
    local answer = blip:post(JOBS .. id .. "/_open")
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end
  local function close(ids, body) return blip:post(JOBS .. ids, body) end
  local function closed(ids, body) assert.same({ closed = true }, close(ids, body).json) end
  local function state(id) return blip:get(JOBS .. id .. "/_stats").json.jobs[1].state end
  local function delete(id) return blip:delete(JOBS .. id) end

  it("limit as string: a job that has no room waits", function()
    jobs.create(blip, "lazy", { allow_lazy_open = true, analysis_limits = { model_memory_limit = "3000g" } })
    assert.same({ opened = true, node = "" }, open "lazy")
    assert.equal("opening", state "lazy")
    closed "lazy/_close"
    assert.equal("closed", state "lazy")
  end)

  it("a job that has no room and does not want to wait", function()
    jobs.create(blip, "large", { analysis_limits = { model_memory_limit = "3000g" } })
    refused(blip:post(JOBS .. "large/_open"), 429, "Could not open job because no ML nodes with sufficient capacity were found")
  end)

  it("update limits open", function()
    jobs.create(blip, "j", { analysis_limits = { model_memory_limit = "30mb" } })
    open "j"
    local answer = blip:post(JOBS .. "j/_update", { analysis_limits = { model_memory_limit = "20mb" } })
    refused(answer, 400, "Cannot update analysis_limits while the job is open")
    assert.equal("status_exception", answer.json.error.type)
  end)

  it("delete opened", function()
    jobs.create(blip, "delete-opened-job")
    open "delete-opened-job"
    local answer = delete "delete-opened-job"
    refused(answer, 409, "Cannot delete job [delete-opened-job] because the job is opened")
    assert.equal("status_exception", answer.json.error.type)
  end)

  it("close", function()
    jobs.create(blip, "j")
    open "j"
    assert.equal("opened", state "j")
    closed "j/_close"
    assert.equal("closed", state "j")
  end)

  it("close a closed job", function()
    jobs.create(blip, "j")
    for _ = 1, 2 do closed "j/_close" end
  end)

  it("close all _all", function()
    for _, id in ipairs { "a", "b" } do jobs.create(blip, id) end
    open "a"
    closed "_all/_close"
    assert.same({ "closed", "closed" }, { state "a", state "b" })
  end)

  it("close *foo-*", function()
    for _, id in ipairs { "my-foo-1", "my-foo-2", "my-bar" } do
      jobs.create(blip, id)
      open(id)
    end
    closed "*foo-*/_close"
    assert.same({ "closed", "closed", "opened" }, { state "my-foo-1", state "my-foo-2", state "my-bar" })
  end)

  it("close no match / not allow", function()
    closed "missing-*/_close?allow_no_match=true"
    refused(close "missing-*/_close?allow_no_match=false", 404, "No known job with id 'missing-*'")
    local answer = close "missing-*/_close?allow_no_jobs=false"
    refused(answer, 404)
    assert.truthy(answer.headers.warning)
  end)

  it("force close", function()
    jobs.create(blip, "j")
    open "j"
    closed "j/_close?force=true"
    assert.equal("closed", state "j")
  end)

  it("force close closed", function()
    jobs.create(blip, "j")
    closed "j/_close?force=true"
  end)

  it("open/close unknown", function()
    refused(blip:post(JOBS .. "not-a-job/_open"), 404, "No known job with id 'not-a-job'")
    refused(close "not-a-job/_close", 404, "No known job with id 'not-a-job'")
  end)

  it("assignment disabled", function()
    jobs.create(blip, "j")
    local function allow(value)
      local name = "cluster.persistent_tasks.allocation.enable"
      assert.equal(200, blip:put("/_cluster/settings", { transient = { [name] = value } }).status)
    end
    allow "none"
    refused(blip:post(JOBS .. "j/_open"), 429, "Cannot open jobs because persistent task assignment is disabled by the [cluster.persistent_tasks.allocation.enable] setting")
    allow "all"
    assert.not_equal("", open("j").node)
  end)

  it("reopen", function()
    jobs.create(blip, "j")
    local function finished() return blip:get(JOBS .. "j").json.jobs[1].finished_time end
    open "j"
    assert.is_nil(finished())
    closed "j/_close"
    assert.equal("integer", math.type(finished()))
    open "j"
    assert.is_nil(finished())
    refused(blip:post(JOBS .. "j/_open"), 409, "Cannot open job [j] because it has already been opened")
  end)

  it("delete_model_snapshot: the active one stays", function()
    jobs.create(blip, "j")
    open "j"
    blip:post(JOBS .. "j/_data", '{"time":1403481600}\n{"time":1403485300}\n')
    closed "j/_close"
    local id = blip:get(JOBS .. "j").json.jobs[1].model_snapshot_id
    assert.equal(id, blip:get(JOBS .. "j/model_snapshots").json.model_snapshots[1].snapshot_id)
    refused(delete("j/model_snapshots/" .. id), 400, ("Model snapshot '%s' is the active snapshot for job 'j', so cannot be deleted"):format(id))
  end)

  it("job_health, datafeed_health: green", function()
    jobs.create(blip, "j", { datafeed_config = { indices = { "farequote" } } })
    local function health(path, list) return blip:get(path).json[list][1].health.status end
    assert.equal("green", health(JOBS .. "j/_stats", "jobs"))
    open "j"
    assert.equal("green", health(JOBS .. "j/_stats", "jobs"))
    assert.equal("green", health("/_ml/datafeeds/_stats", "datafeeds"))
  end)

  it("job_health: a job that waits for memory is yellow", function()
    jobs.create(blip, "lazy", { allow_lazy_open = true, analysis_limits = { model_memory_limit = "3000g" } })
    open "lazy"
    assert.equal("yellow", blip:get(JOBS .. "lazy/_stats").json.jobs[1].health.status)
  end)

  it("close body params", function()
    refused(close("missing-*/_close", { allow_no_match = false }), 404)
    closed("missing-*/_close", { allow_no_match = true })
    local answer = close("missing-*/_close", { allow_no_jobs = true })
    assert.equal(200, answer.status)
    assert.truthy(answer.headers.warning)
  end)

  it("a job that sorts records into categories is not opened", function()
    jobs.create(blip, "words", { analysis_config = { categorization_field_name = "m", detectors = { { ["function"] = "count", by_field_name = "mlcategory" } } } })
    refused(blip:post(JOBS .. "words/_open"), 400, "Cannot open job [words] because it uses categorization, which is not supported")
    assert.equal("closed", state "words")
  end)

  it("delete_job_force: closed job with delete_user_annotations, open job, unknown", function()
    jobs.create(blip, "force-delete-job")
    assert.same({ acknowledged = true }, delete("force-delete-job?force=true&delete_user_annotations=true").json)
    jobs.create(blip, "force-delete-job")
    open "force-delete-job"
    assert.same({ acknowledged = true }, delete("force-delete-job?force=true").json)
    refused(blip:get(JOBS .. "force-delete-job"), 404)
    refused(delete "inexistent-job?force=true", 404, "No known job with id 'inexistent-job'")
  end)

  it("delete_job_force: a job with a started datafeed takes it along", function()
    blip:put("/farequote", { mappings = { properties = { time = { type = "date" } } } })
    jobs.create(blip, "force-delete-job", { data_description = { time_field = "time", time_format = "epoch_ms" } })
    assert.equal(200, blip:put("/_ml/datafeeds/force-delete-feed", { job_id = "force-delete-job", indices = { "farequote" } }).status)
    open "force-delete-job"
    local started = blip:post "/_ml/datafeeds/force-delete-feed/_start"
    assert.equal(200, started.status, started.body)
    assert.same({ acknowledged = true }, delete("force-delete-job?force=true").json)
    refused(blip:get "/_ml/datafeeds/force-delete-feed", 404)
  end)

  it("reset_job: refused when open; forgets what was found", function()
    jobs.create(blip, "j")
    open "j"
    blip:post(JOBS .. "j/_data", '{"time":1403481600}\n{"time":1403485300}\n{"time":1403488900}\n')
    refused(blip:post(JOBS .. "j/_reset"), 409, "Can only reset a job when it is closed.")
    closed "j/_close"
    assert.same({ acknowledged = true }, blip:post(JOBS .. "j/_reset").json)
    assert.equal(0, blip:get(JOBS .. "j/_stats").json.jobs[1].data_counts.processed_record_count)
    assert.equal(0, blip:get(JOBS .. "j/results/buckets").json.count)
    assert.is_nil(blip:get(JOBS .. "j").json.jobs[1].finished_time)
  end)

  it("index_layout: two jobs share an index, which stays when one goes; one of its own goes with its job", function()
    jobs.create(blip, "a")
    jobs.create(blip, "b")
    jobs.create(blip, "c", { results_index_name = "mine" })
    jobs.results(blip, "a", "bucket", { { timestamp = 0, anomaly_score = 1.0 } })
    jobs.results(blip, "b", "bucket", { { timestamp = 0, anomaly_score = 2.0 } })
    local aliases = blip:get("/.ml-anomalies-shared/_alias").json[".ml-anomalies-shared"].aliases
    for _, id in ipairs { "a", "b" } do
      assert.equal(id, aliases[".ml-anomalies-" .. id].filter.term.job_id.value)
      assert.truthy(aliases[".ml-anomalies-.write-" .. id])
    end
    assert.equal(200, blip:get("/.ml-anomalies-custom-mine").status)
    delete "a"
    delete "c"
    assert.equal(404, blip:get("/.ml-anomalies-custom-mine").status)
    assert.equal(404, blip:get("/.ml-anomalies-a/_alias").status)
    assert.equal(1, blip:get("/.ml-anomalies-shared/_count?q=result_type:bucket").json.count)
    assert.equal(1, blip:get(JOBS .. "b/results/buckets").json.count)
  end)

  it("custom_all_field: dotted and plain names of fields clash in one index", function()
    local function by(field) return { analysis_config = { detectors = { { ["function"] = "count", by_field_name = field } } } } end
    jobs.create(blip, "one", by "response")
    refused(blip:put(JOBS .. "two", jobs.body(by "response.time")), 400,
      "This job would cause a mapping clash with existing field [response] - avoid the clash by assigning a dedicated results index")
    refused(blip:get(JOBS .. "two"), 404)
    local own = by "response.time"
    own.results_index_name = "two"
    assert.equal(200, blip:put(JOBS .. "two", jobs.body(own)).status)
  end)

  it("a job with more fields than its index may have is refused", function()
    local influencers = {}
    for i = 1, 1000 do influencers[i] = "f" .. i end
    refused(blip:put(JOBS .. "wide", jobs.body { analysis_config = { detectors = { { ["function"] = "count" } }, influencers = influencers } }), 400,
      "Cannot create job in index '.ml-anomalies-shared' as the index.mapping.total_fields.limit setting will be violated")
    refused(blip:get(JOBS .. "wide"), 404)
  end)

  it("an update reaches the open job", function()
    jobs.create(blip, "j", { analysis_config = { bucket_span = "1h", detectors = { { ["function"] = "count", by_field_name = "host" } } } })
    open "j"
    blip:put("/_ml/filters/f", { items = { "a" } })
    local changed = blip:post(JOBS .. "j/_update", { detectors = { { detector_index = 0, custom_rules = { { scope = { host = { filter_id = "f" } } } } } } })
    assert.equal(200, changed.status, changed.body)
    assert.equal(200, blip:post("/_ml/filters/f/_update", { add_items = { "b" } }).status)
    assert.equal(200, blip:put("/_ml/calendars/c", { job_ids = { "j" } }).status)
    assert.equal(200, blip:post("/_ml/calendars/c/events", { events = { { description = "e", start_time = 0, end_time = 7200000 } } }).status)
    assert.equal("opened", state "j")
    blip:delete "/_ml/calendars/c"
    local messages = blip:get("/.ml-notifications-000002/_search?q=job_id:j&size=100").json.hits.hits
    local found = false
    for _, hit in ipairs(messages) do found = found or hit._source.message == "Job updated: [detectors]" end
    assert.is_true(found)
  end)
end)
