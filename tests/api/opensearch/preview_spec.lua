-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"

local refused = orders.refused
local PERIOD = { period_start = orders.START_MS, period_end = orders.END_MS }

describe("the preview of the OpenSearch dialect", function()
  local blip, id

  setup(function()
    blip = server.start()
    orders.load(blip)
  end)
  teardown(function()
    blip:stop()
  end)

  local function preview(body, detector)
    local path = detector and "/" .. detector or ""
    return blip:post(orders.DETECTORS .. path .. "/_preview", body)
  end

  local function inline(changes)
    return { period_start = PERIOD.period_start, period_end = PERIOD.period_end, detector = orders.detector(changes) }
  end

  it("finds no detector before there is any", function()
    refused(preview(PERIOD, "x"), 500, "status_exception", "Could not execute get query to find detector")
  end)

  describe("with a detector", function()
    setup(function()
      id = orders.create(blip)
    end)

    it("gives results of the schema of previews", function()
      local answer = preview(PERIOD, id)
      assert.equal(200, answer.status)
      assert.is_true(#answer.json.anomaly_result > 400)
      local first = answer.json.anomaly_result[1]
      assert.same({ id, 0, orders.START_MS }, { first.detector_id, first.schema_version, first.data_start_time })
      assert.is_nil(first.execution_start_time or first.model_id or first.task_id)
      assert.equal("orders", answer.json.anomaly_detector.name)
    end)

    it("is the same under the old prefix", function()
      local old = blip:post(("%s/detectors/%s/_preview"):format(orders.LEGACY, id), PERIOD)
      assert.equal(preview(PERIOD, id).body, old.body)
    end)

    it("runs a detector that is not stored", function()
      local answer = preview(inline { name = "inline" })
      assert.equal(json.null, answer.json.anomaly_result[1].detector_id)
    end)

    it("takes an id from the body", function()
      local body = { detector_id = id, period_start = PERIOD.period_start, period_end = PERIOD.period_end }
      assert.equal(id, preview(body).json.anomaly_result[1].detector_id)
    end)

    it("gives each entity results of its own", function()
      local found = {}
      for _, result in ipairs(preview(inline { category_field = { "region" } }).json.anomaly_result) do
        found[result.entity[1].value] = true
      end
      assert.same({ EU = true, US = true }, found)
    end)

    it("says in plain text what a period lacks", function()
      local both = "Must set both period start and end date with epoch of milliseconds"
      local cases = {
        { {}, both },
        { { period_end = 5 }, both },
        { { period_start = 5, period_end = 5 }, "Period start date should be before end date" },
      }
      for _, case in ipairs(cases) do
        local answer = preview(case[1], id)
        assert.same({ 400, case[2] }, { answer.status, answer.body })
        assert.equal("text/plain; charset=UTF-8", answer.headers["content-type"])
      end
      assert.equal("Must set detector id or detector", preview(PERIOD).body)
    end)

    it("finds nothing where there is too little to look at", function()
      local cases = {
        { period_start = orders.START_MS, period_end = orders.START_MS + 3600000 },
        { period_start = 0, period_end = 60000000 },
        inline { indices = { "nope" } },
        inline { feature_attributes = { orders.feature("a", "nope") } },
      }
      for _, body in ipairs(cases) do
        local answer = preview(body, not body.detector and id or nil)
        assert.same({ 200, {} }, { answer.status, answer.json.anomaly_result })
      end
    end)

    it("refuses a detector that cannot be previewed", function()
      local status = "status_exception"
      local bare = inline { feature_attributes = json.array {} }
      refused(preview(bare), 400, status, "Can't preview detector without feature")
      local hour = inline { detection_interval = json.null }
      refused(preview(hour), 500, "validation_exception", "Detection interval should be set")
      refused(preview(PERIOD, "nobody"), 404, status, "Can't find anomaly detector with id:nobody")
      refused(blip:post(("%s/%s/_preview"):format(orders.DETECTORS, id)), 400, "parse_exception", "request body is required")
    end)

    it("has no route without an id under the old prefix", function()
      assert.equal(405, blip:post(orders.LEGACY .. "/detectors/_preview", inline()).status)
    end)
  end)
end)
