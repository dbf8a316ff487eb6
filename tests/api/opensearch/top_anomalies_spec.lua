-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"

local refused = orders.refused

describe("top anomalies of the OpenSearch dialect", function()
  local blip, id, single

  setup(function()
    blip = server.start()
    orders.load(blip)
    id = orders.create(blip, { name = "entities", category_field = { "region", "status" } })
    single = orders.create(blip, { name = "single" })
  end)
  teardown(function()
    blip:stop()
  end)

  local function top(body, query, detector)
    local path = ("%s/%s/results/_topAnomalies%s"):format(orders.DETECTORS, detector or id, query or "")
    return blip:post(path, body)
  end

  local function period(more)
    local body = { start_time_ms = orders.START_MS, end_time_ms = orders.END_MS }
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    return body
  end

  it("are none before there are results", function()
    assert.same({ buckets = {} }, top(period()).json)
    refused(
      top(period(), "?historical=true"),
      500,
      "resource_not_found_exception",
      "No historical tasks found for detector ID " .. id
    )
  end)

  describe("refuse", function()
    local argument = "illegal_argument_exception"
    local both = "Validation Failed: 1: Must set both start time and end time with epoch of milliseconds;"
    local invalid = "action_request_validation_exception"
    local cases = {
      { "no start", { end_time_ms = 5 }, invalid, both },
      { "no end", { start_time_ms = 5 }, invalid, both },
      {
        "a start at the end",
        { start_time_ms = 5, end_time_ms = 5 },
        invalid,
        "Validation Failed: 1: Start time should be before end time;",
      },
      { "another order", period { order = "SEVERITY" }, argument, "Ordering by SEVERITY is not a valid option" },
      { "a large size", period { size = 1001 }, argument, "Size cannot exceed 1000" },
      { "no size", period { size = 0 }, argument, "Size must be a positive integer" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        refused(top(case[2]), 400, case[3], case[4])
      end)
    end

    it("what is no category field", function()
      refused(
        top(period { category_field = { "nope" } }),
        400,
        argument,
        "Category field nope doesn't exist for detector ID " .. id
      )
      refused(top(period(), "", single), 400, argument, "No category fields found for detector ID " .. single)
    end)

    it("an unknown detector", function()
      refused(top(period(), "", "nobody"), 404, "status_exception", "Can't find config with id: nobody")
    end)
  end)

  describe("of results", function()
    -- Results as a run writes them, with grades of our own.
    setup(function()
      blip:post(("%s/%s/_start"):format(orders.DETECTORS, id), {
        start_time = orders.START_MS,
        end_time = orders.END_MS,
      })
      orders.await_task(blip, id)
      local planted = { { "EU", 0.8 }, { "US", 0.5 }, { "US", 0.2 } }
      for i, each in ipairs(planted) do
        assert.equal(201, blip:post("/.opendistro-anomaly-results/_doc", {
          detector_id = id,
          data_end_time = orders.START_MS + i * 60000,
          anomaly_grade = each[2],
          entity = { { name = "region", value = each[1] }, { name = "status", value = "paid" } },
        }).status)
      end
    end)

    it("have the worst entity first", function()
      local buckets = top(period()).json.buckets
      assert.same({
        { key = { region = "EU", status = "paid" }, doc_count = 1, max_anomaly_grade = 0.8 },
        { key = { region = "US", status = "paid" }, doc_count = 2, max_anomaly_grade = 0.5 },
      }, buckets)
    end)

    it("have the most frequent entity first", function()
      local buckets = top(period { order = "occurrence", size = 1 }).json.buckets
      assert.same({ 1, "US" }, { #buckets, buckets[1].key.region })
    end)

    it("are put together by some of the fields", function()
      local buckets = top(period { category_field = { "status" } }).json.buckets
      assert.same({ { key = { status = "paid" }, doc_count = 3, max_anomaly_grade = 0.8 } }, buckets)
    end)

    it("of history do not count those of the present", function()
      local buckets = top(period(), "?historical=true").json.buckets
      for _, bucket in ipairs(buckets) do
        assert.is_true(bucket.doc_count > 0 and bucket.max_anomaly_grade ~= 0.2)
      end
      assert.same({ buckets = {} }, top(period { task_id = "none" }, "?historical=true").json)
    end)
  end)

  it("have no route under the old prefix", function()
    local answer = blip:post(("%s/detectors/%s/results/_topAnomalies"):format(orders.LEGACY, id), period())
    assert.equal(400, answer.status)
    assert.equal("string", type(json.plain(answer.json.error)))
  end)
end)
