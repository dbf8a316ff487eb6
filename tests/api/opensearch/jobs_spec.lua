-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"
local time = require "runtime.time"

local refused = orders.refused

describe("jobs of the OpenSearch dialect", function()
  local blip, id

  setup(function()
    blip = server.start()
    orders.load(blip)
  end)
  teardown(function()
    blip:stop()
  end)

  local function post(detector, rest, body)
    return blip:post(("%s/%s/%s"):format(orders.DETECTORS, detector, rest), body)
  end

  it("need an index of detectors", function()
    local reason = "no such index [.opendistro-anomaly-detectors]"
    refused(post("x", "_start"), 404, "index_not_found_exception", reason)
    refused(post("x", "_stop"), 404, "index_not_found_exception", reason)
  end)

  describe("with a detector", function()
    setup(function()
      id = orders.create(blip)
    end)

    it("need one that exists", function()
      refused(post("nobody", "_start"), 404, "status_exception", "Can't find config with id: nobody")
      refused(post("nobody", "_stop"), 404, "status_exception", "Can't find config with id: nobody")
    end)

    it("need a feature that is on", function()
      local bare = orders.create(blip, { name = "bare", feature_attributes = json.array {} })
      refused(post(bare, "_start"), 400, "status_exception", "Can't start job as no features configured")
      local feature = orders.feature("a", "amount")
      feature.feature_enabled = false
      local off = orders.create(blip, { name = "off", feature_attributes = { feature } })
      refused(post(off, "_start"), 400, "status_exception", "Can't start job as no enabled features configured")
    end)

    it("need features that Blip can run", function()
      local feature = orders.feature("a", "amount")
      feature.aggregation_query.a = { avg = { script = "doc['amount'].value" } }
      local scripted = orders.create(blip, { name = "scripted", feature_attributes = { feature } })
      refused(
        post(scripted, "_start"),
        400,
        "illegal_argument_exception",
        "Feature [a] cannot run: [script] of aggregation [avg] is not supported"
      )
    end)

    it("need a whole range", function()
      local argument, range = "illegal_argument_exception", "Detection data range's "
      refused(post(id, "_start", { end_time = 5 }), 400, argument, range .. "start time must not be null")
      refused(post(id, "_start", { start_time = 5 }), 400, argument, range .. "end time must not be null")
      refused(
        post(id, "_start", { start_time = 5, end_time = 4 }),
        400,
        argument,
        range .. "end time must be after start time"
      )
      refused(post(id, "_start", { start_time = "abc", end_time = 4 }), 400, argument, 'For input string: "abc"')
    end)

    it("stop what never started", function()
      assert.same({ _id = id }, post(id, "_stop").json)
      refused(post(id, "_stop?historical=true"), 400, "status_exception", "Detector not started")
    end)

    it("start once and stop once", function()
      assert.same({ _id = id }, post(id, "_start").json)
      local answer = post(id, "_start")
      refused(answer, 200, "status_exception", "Anomaly detector job is already running: " .. id)
      assert.equal(200, answer.json.status)
      local shown = blip:get(("%s/%s?job=true&task=true"):format(orders.DETECTORS, id)).json
      assert.is_true(shown.anomaly_detector_job.enabled)
      assert.equal("REALTIME_SINGLE_ENTITY", shown.realtime_task.task_type)
      refused(blip:delete(("%s/%s"):format(orders.DETECTORS, id)), 400, "status_exception", "Job is running: " .. id)
      assert.same({ _id = id }, post(id, "_stop").json)
      refused(post(id, "_stop"), 200, "status_exception", "job is already stopped: " .. id)
      shown = blip:get(("%s/%s?job=true&task=true"):format(orders.DETECTORS, id)).json
      assert.is_false(shown.anomaly_detector_job.enabled)
      assert.equal("STOPPED", shown.realtime_task.state)
    end)

    it("run as often as the detector asks for", function()
      local rare = orders.create(blip, { name = "rare", frequency = { period = { interval = 5, unit = "Minutes" } } })
      assert.equal(200, post(rare, "_start").status)
      local job = blip:get(("%s/%s?job=true"):format(orders.DETECTORS, rare)).json.anomaly_detector_job
      assert.equal(5, job.schedule.interval.period)
      assert.equal(200, post(rare, "_stop").status)
    end)

    it("analyse a range and keep its results apart", function()
      local range = { start_time = orders.START_MS, end_time = orders.END_MS }
      local task_id = post(id, "_start", range).json._id
      local task = orders.await_task(blip, id)
      assert.same({ task_id, "FINISHED", 1.0 }, { task.task_id, task.state, task.task_progress })
      assert.same(range, task.detection_date_range)
      refused(post(id, "_stop?historical=true"), 400, "status_exception", "No running task found")
      local found = blip:post(orders.DETECTORS .. "/results/_search", {
        query = { term = { task_id = task_id } },
        size = 0,
      }).json
      assert.equal(599, found.hits.total.value)
    end)

    it("rest between pieces when the cluster asks for it, and can be stopped then", function()
      local function pace(size, seconds)
        local prefix = "plugins.anomaly_detection.batch_task_piece_"
        local settings = { [prefix .. "size"] = size, [prefix .. "interval_seconds"] = seconds }
        assert.equal(200, blip:put("/_cluster/settings", { transient = settings }).status)
      end
      pace(100, 600)
      local task_id = post(id, "_start", { start_time = orders.START_MS, end_time = orders.END_MS }).json._id
      local task
      repeat
        time.sleep_ms(10)
        task = blip:get(("%s/%s?task=true"):format(orders.DETECTORS, id)).json.historical_analysis_task
      until task.current_piece == orders.START_MS + 100 * 60000
      assert.equal("RUNNING", task.state)
      assert.same({ _id = task_id }, post(id, "_stop?historical=true").json)
      task = orders.await_task(blip, id)
      assert.same({ "STOPPED", "Historical analysis cancelled by user" }, { task.state, task.error })
      pace(json.null, json.null)
    end)

    it("fail when a range has no data", function()
      local barren = orders.create(blip, { name = "barren" })
      post(barren, "_start", { start_time = 0, end_time = 60000000 })
      local task = orders.await_task(blip, barren)
      assert.same({ "FAILED", "There is no data in the detection date range" }, { task.state, task.error })
    end)
  end)
end)
