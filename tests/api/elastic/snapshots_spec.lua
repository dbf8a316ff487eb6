-- luacheck: no max line length
-- The rows of elastic-ml.md 12.17 and 12.14, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"
local PATH = JOBS .. "get-model-snapshots/model_snapshots"

local function snapshot(blip, id, timestamp, changes)
  local document = { job_id = "get-model-snapshots", timestamp = timestamp, snapshot_id = id, snapshot_doc_count = 2, retain = false }
  for name, value in pairs(changes or {}) do document[name] = value end
  local answer = blip:put("/.ml-anomalies-get-model-snapshots/_doc/get-model-snapshots_model_snapshot_" .. id, document)
  assert(answer.status == 201 or answer.status == 200, answer.body)
end

describe("get_model_snapshots", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "get-model-snapshots")
    snapshot(blip, "1", "2016-06-02T00:00:00Z")
    snapshot(blip, "2", "2016-06-01T00:00:00Z", { quantiles = { timestamp = 1 } })
  end)
  teardown(function() blip:stop() end)

  local function list(rest, body)
    local answer = body and blip:post(PATH .. rest, body) or blip:get(PATH .. rest)
    assert.equal(200, answer.status, answer.body)
    return table.concat(jobs.pluck(answer.json.model_snapshots, "snapshot_id"), ","), answer.json
  end

  it("no params", function()
    local ids, answer = list ""
    assert.same({ "1,2", 2 }, { ids, answer.count })
    assert.equal(1464825600000, answer.model_snapshots[1].timestamp)
    assert.is_nil(answer.model_snapshots[2].quantiles)
  end)

  it("_all", function() assert.equal("1,2", (list "/_all")) end)
  it("desc=false", function() assert.equal("2,1", (list "?desc=false")) end)
  it("start+end", function() assert.equal("2", (list "?start=2016-05-01T00:00:00Z&end=2016-06-02T00:00:00Z")) end)

  it("size 1 / from 1", function()
    local ids, answer = list "?size=1"
    assert.same({ "1", 2 }, { ids, answer.count })
    assert.equal("2", (list("", { page = { from = 1 } })))
  end)

  it("specific id", function() assert.equal("2", (list "/2")) end)

  it("unknown job", function()
    refused(blip:get(JOBS .. "non-existent-job/model_snapshots"), 404, "No known job with id 'non-existent-job'")
  end)

  it("unknown id", function()
    refused(blip:get(PATH .. "/3"), 404, "No model snapshot with id [3] exists for job [get-model-snapshots]")
  end)

  it("revert_model_snapshot: unknown snapshot / job", function()
    refused(blip:post(PATH .. "/not-a-snapshot/_revert"), 404, "No model snapshot with id [not-a-snapshot] exists for job [get-model-snapshots]")
    refused(blip:post(JOBS .. "not-a-job/model_snapshots/1/_revert"), 404, "No known job with id 'not-a-job'")
    refused(blip:post(PATH .. "/1/_revert"), 400, "not supported")
  end)

  it("update_model_snapshot: unknown job / snapshot", function()
    refused(blip:post(JOBS .. "not-a-job/model_snapshots/1/_update", { description = "x" }), 404)
    refused(blip:post(PATH .. "/not-a-snapshot/_update", { description = "x" }), 404)
    refused(blip:post(PATH .. "/1/_update", { description = "x" }), 400, "not supported")
  end)

  it("delete_model_snapshot: valid delete / unknown job", function()
    snapshot(blip, "inactive", "2016-05-01T00:00:00Z")
    assert.same({ acknowledged = true }, blip:delete(PATH .. "/inactive").json)
    assert.equal("1,2", (list ""))
    refused(blip:delete(PATH .. "/inactive"), 404)
    refused(blip:delete(JOBS .. "not-a-job/model_snapshots/1"), 404)
  end)

  it("upgrade_job_snapshot: nothing is being upgraded", function()
    assert.same({ count = 0, model_snapshot_upgrades = {} }, blip:get(PATH .. "/_all/_upgrade/_stats").json)
    refused(blip:post(PATH .. "/1/_upgrade"), 400)
  end)

  it("revert_model_snapshot: open job", function()
    jobs.open(blip, "get-model-snapshots")
    refused(blip:post(PATH .. "/1/_revert"), 409, "Can only revert to a model snapshot when the job is closed.")
  end)
end)

describe("forecast", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "forecast-job")
  end)
  teardown(function() blip:stop() end)

  local function forecast(query, body) return blip:post(JOBS .. "forecast-job/_forecast" .. (query or ""), body) end

  it("unknown job", function() refused(blip:post(JOBS .. "no-job/_forecast"), 404, "No known job with id 'no-job'") end)

  it("closed job", function()
    local answer = forecast()
    refused(answer, 409, "Cannot perform requested action because job [forecast-job] is not open")
    assert.equal("status_exception", answer.json.error.type)
  end)

  it("duration 0s / −1s / 3651d", function()
    refused(forecast "?duration=0s", 400, "[duration] must be positive: [0s]")
    refused(forecast "?duration=-1s", 400, "[duration] must be positive: [-1]")
    refused(forecast("", { duration = "3651d" }), 400, "[duration] must be 3650d or less: [3651d]")
    refused(forecast "?duration=1m", 400, "[duration] must be greater or equal to the bucket span: [1m/1h]")
  end)

  it("expires_in −1s", function() refused(forecast "?expires_in=-1s", 400, "[expires_in] must be non-negative: [-1]") end)

  it("max_model_memory 1000mb", function()
    refused(forecast "?max_model_memory=1000mb", 400, "[max_model_memory] must be less than 500mb")
    refused(forecast "?max_model_memory=1kb", 400, "[max_model_memory] must be at least 1mb.")
  end)

  it("delete unknown id", function()
    refused(blip:delete(JOBS .. "forecast-job/_forecast/f"), 404, "No forecast(s) [f] exists for job [forecast-job]")
  end)

  it("delete _all, allow_no_forecasts=false", function()
    refused(blip:delete(JOBS .. "forecast-job/_forecast/_all?allow_no_forecasts=false"), 404)
  end)

  it("delete _all true / no id", function()
    assert.same({ acknowledged = true }, blip:delete(JOBS .. "some-job/_forecast/_all?allow_no_forecasts=true").json)
    assert.same({ acknowledged = true }, blip:delete(JOBS .. "some-job/_forecast").json)
  end)
end)
