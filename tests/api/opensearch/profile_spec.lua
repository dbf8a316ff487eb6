-- luacheck: no max line length
local orders = require "support.orders"
local server = require "support.server"
local time = require "runtime.time"

local refused = orders.refused

describe("profiles of the OpenSearch dialect", function()
  local blip, single, entities

  setup(function()
    blip = server.start()
    orders.load(blip)
    -- An order each minute up to now, so that a job trains at once.
    local lines, now_ms = {}, time.now_ms()
    for minute = 0, 120 do
      for _, region in ipairs { "EU", "US" } do
        lines[#lines + 1] = '{"index":{"_index":"now"}}'
        lines[#lines + 1] = ('{"ts":%d,"amount":%d,"region":"%s"}'):format(
          now_ms - minute * 60000,
          100 + minute % 7,
          region
        )
      end
    end
    assert.equal(200, blip:put("/now", {
      mappings = { properties = { ts = { type = "date" }, region = { type = "keyword" } } },
    }).status)
    local ndjson = { ["content-type"] = "application/x-ndjson" }
    assert.is_false(blip:post("/_bulk", table.concat(lines, "\n") .. "\n", ndjson).json.errors)
    single = orders.create(blip, { name = "single", indices = { "now" } })
    entities = orders.create(blip, { name = "entities", indices = { "now" }, category_field = { "region" } })
  end)
  teardown(function()
    blip:stop()
  end)

  local function profile(id, rest, body)
    return blip:request("GET", ("%s/%s/_profile%s"):format(orders.DETECTORS, id, rest or ""), body)
  end

  local function await_running(id)
    for _ = 1, 500 do
      if profile(id).json.state == "RUNNING" then
        return
      end
      time.sleep_ms(10)
    end
    error "not running after five seconds"
  end

  it("say that a detector is off before it starts", function()
    assert.same({ state = "DISABLED" }, profile(single).json)
    assert.same({}, profile(single, "?_all=true").json)
    assert.same({}, profile(single, "/models,init_progress").json)
  end)

  it("refuse names that they do not know, unless one is known", function()
    refused(profile(single, "/foo"), 400, "status_exception", "profiles to collect are missing or invalid")
    assert.same({ state = "DISABLED" }, profile(single, "/foo,state").json)
    refused(profile "nobody", 404, "status_exception", "Can't find config with id: nobody")
  end)

  it("show a running detector with its models", function()
    assert.equal(200, blip:post(("%s/%s/_start"):format(orders.DETECTORS, single)).status)
    await_running(single)
    local all = profile(single, "?_all=true").json
    assert.same({ "RUNNING", 1, "100%" }, { all.state, all.model_count, all.init_progress.percentage })
    assert.equal(single .. "_model_rcf_0", all.models[1].model_id)
    assert.is_true(all.total_size_in_bytes > 0)
    assert.is_nil(all.total_entities)
  end)

  it("show the entities of a running detector", function()
    assert.equal(200, blip:post(("%s/%s/_start"):format(orders.DETECTORS, entities)).status)
    await_running(entities)
    local some = profile(entities, "/total_entities,active_entities,models").json
    assert.same({ 2, 2, 2 }, { some.total_entities, some.active_entities, some.model_count })
    assert.matches("^" .. entities:gsub("%-", "%%-") .. "_entity_", some.models[1].model_id)
  end)

  it("show one entity", function()
    local function entity(value)
      return { entity = { { name = "region", value = value } } }
    end
    local shown = profile(entities, "/state,init_progress,entity_info,models", entity "EU").json
    assert.same({ "RUNNING", true, "100%" }, { shown.state, shown.is_active, shown.init_progress.percentage })
    assert.equal("EU", shown.model.entity[1].value)
    assert.equal("RUNNING", profile(entities, "?category_field=region&entity=US").json.state)
    assert.same({}, profile(entities, "", entity "XX").json)
    refused(profile(single, "", entity "EU"), 400, "status_exception", "This is not a high cardinality detector")
    refused(
      profile(entities, "", { entity = { { name = "other", value = "EU" } } }),
      400,
      "status_exception",
      "Cannot find entity"
    )
  end)

  it("are counted in the statistics", function()
    local stats = blip:get(orders.CURRENT .. "/stats").json
    assert.same({ 2, 1, 1 }, { stats.detector_count, stats.single_stream_detector_count, stats.hc_detector_count })
    local _, node = next(stats.nodes)
    assert.equal(3, node.model_count)
    assert.is_true(node.ad_execute_request_count > 30)
    assert.same({ detector_count = 2, nodes = {} }, blip:get(orders.LEGACY .. "/other/stats/detector_count").json)
    refused(
      blip:get(orders.CURRENT .. "/stats/foo"),
      400,
      "illegal_argument_exception",
      "request [/_plugins/_anomaly_detection/stats/foo] contains unrecognized stat: [foo]"
    )
  end)

  it("show the last analysis of a stopped detector", function()
    assert.equal(200, blip:post(("%s/%s/_stop"):format(orders.DETECTORS, single)).status)
    assert.same({ state = "DISABLED" }, profile(single).json)
    blip:post(("%s/%s/_start"):format(orders.DETECTORS, single), { start_time = 0, end_time = 5 })
    orders.await_task(blip, single)
    assert.equal("FAILED", profile(single, "/ad_task").json.ad_task.ad_task.state)
  end)

  it("read what a run made of a window", function()
    local path = ("%s/%s/_run"):format(orders.DETECTORS, single)
    local answer = blip:post(path, { period_start = 0, period_end = 60000 })
    assert.same({ 200, "NaN", 1 }, {
      answer.status,
      answer.json.anomalyGrade,
      answer.json.detectorIntervalInMinutes,
    })
    assert.equal("Period start date should be before end date", blip:post(path, { period_start = 5, period_end = 5 }).body)
    refused(
      blip:post(orders.DETECTORS .. "/nobody/_run", { period_start = 0, period_end = 5 }),
      500,
      "end_run_exception",
      "config is not available."
    )
  end)
end)
