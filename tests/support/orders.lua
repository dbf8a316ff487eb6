--- An index of orders and bodies of detectors over it, for specs of the OpenSearch dialect.
--     local orders = require "support.orders"
--     orders.load(blip)                                   -- ten hours of orders
--     blip:post(orders.DETECTORS, orders.detector { name = "mine" })
-- @module support.orders
local json = require "runtime.json"

local orders = {
  CURRENT = "/_plugins/_anomaly_detection",
  LEGACY = "/_opendistro/_anomaly_detection",
  DETECTORS = "/_plugins/_anomaly_detection/detectors",
  START_MS = 1760000400000 - 600 * 60000,
  END_MS = 1760000400000,
}

local MAPPING = {
  properties = {
    ts = { type = "date" },
    amount = { type = "double" },
    status = { type = "keyword" },
    region = { type = "keyword" },
    address = { type = "ip" },
    note = { type = "text" },
  },
}

--- Makes index `orders` with one order a minute and region, ten hours of them; a spike of amounts
-- in region EU ten minutes before the end. Also an index `empty` of the same mapping.
function orders.load(blip)
  for _, name in ipairs { "orders", "empty" } do
    assert(blip:put("/" .. name, { mappings = MAPPING }).status == 200)
  end
  local lines = {}
  for minute = 0, 599 do
    for i, region in ipairs { "EU", "US" } do
      local spike = minute == 590 and i == 1 and 5000 or 0
      lines[#lines + 1] = '{"index":{"_index":"orders"}}'
      lines[#lines + 1] = ('{"ts":%d,"amount":%.2f,"status":"paid","region":"%s","note":"n"}'):format(
        orders.START_MS + minute * 60000,
        100 + 10 * i + 5 * math.sin(minute / 9) + spike,
        region
      )
    end
  end
  local ndjson = { ["content-type"] = "application/x-ndjson" }
  assert(not blip:post("/_bulk", table.concat(lines, "\n") .. "\n", ndjson).json.errors)
end

--- A feature that is the average of a field.
function orders.feature(name, field)
  return {
    feature_name = name,
    feature_enabled = true,
    aggregation_query = { [name] = { avg = { field = field } } },
  }
end

--- The body of a detector over the orders; `changes` replace fields, `json.null` leaves one out.
function orders.detector(changes)
  local body = {
    name = "orders",
    description = "d",
    time_field = "ts",
    indices = { "orders" },
    feature_attributes = { orders.feature("amount", "amount") },
    detection_interval = { period = { interval = 1, unit = "Minutes" } },
    window_delay = { period = { interval = 0, unit = "Minutes" } },
  }
  for name, value in pairs(changes or {}) do
    if value == json.null then
      body[name] = nil
    else
      body[name] = value
    end
  end
  return body
end

--- Creates a detector and returns its id.
function orders.create(blip, changes)
  local answer = blip:post(orders.DETECTORS, orders.detector(changes))
  assert(answer.status == 201, answer.body)
  return answer.json._id
end

--- Asserts that an answer is an error: status, type and reason.
function orders.refused(answer, status, kind, reason)
  local err = answer.json and answer.json.error or {}
  local luassert = require "luassert"
  luassert.same({ status, kind, reason }, { answer.status, err.type, err.reason })
end

--- Waits until the historical task of a detector has ended, and returns it.
function orders.await_task(blip, id)
  local time = require "runtime.time"
  for _ = 1, 1000 do
    local answer = blip:get(("%s/%s?task=true"):format(orders.DETECTORS, id))
    assert(answer.status == 200, answer.body)
    local task = answer.json.historical_analysis_task
    if task ~= json.null and ({ FINISHED = 1, FAILED = 1, STOPPED = 1 })[task.state] then
      return task
    end
    time.sleep_ms(10)
  end
  error "the analysis did not end in ten seconds"
end

return orders
