-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"

describe("cluster settings", function()
  local blip

  setup(function()
    blip = server.start()
  end)
  teardown(function()
    blip:stop()
  end)

  local function put(body)
    return blip:put("/_cluster/settings", body)
  end

  it("are shown nested, as text", function()
    local answer = put { transient = { ["plugins.anomaly_detection.max_anomaly_features"] = 3 } }
    assert.same({
      acknowledged = true,
      persistent = {},
      transient = { plugins = { anomaly_detection = { max_anomaly_features = "3" } } },
    }, answer.json)
    assert.same(answer.json.transient, blip:get("/_cluster/settings").json.transient)
  end)

  it("may be sent nested, and with their old prefix", function()
    local nested = { opendistro = { anomaly_detection = { max_anomaly_features = 4 } } }
    assert.equal(200, put({ persistent = nested }).status)
  end)

  it("are reset by null, all of a pattern at once", function()
    put { persistent = { ["plugins.anomaly_detection.enabled"] = true } }
    local all = { ["plugins.*"] = json.null, ["opendistro.*"] = json.null }
    assert.equal(200, put({ persistent = all, transient = all }).status)
    assert.same({ persistent = {}, transient = {} }, blip:get("/_cluster/settings").json)
  end)

  it("are refused when nobody knows them or the value does not fit", function()
    local argument, key = "illegal_argument_exception", "plugins.anomaly_detection.max_anomaly_features"
    local function set(name, value)
      return put { persistent = { [name] = value } }
    end
    orders.refused(set("foo.bar", 1), 400, argument, "persistent setting [foo.bar], not recognized")
    orders.refused(
      put {},
      400,
      "action_request_validation_exception",
      "Validation Failed: 1: no settings to update;"
    )
    orders.refused(
      set("plugins.anomaly_detection.enabled", "maybe"),
      400,
      argument,
      "Failed to parse value [maybe] as only [true] or [false] are allowed."
    )
    orders.refused(
      set("plugins.anomaly_detection.detection_interval", "soon"),
      400,
      argument,
      "failed to parse setting [plugins.anomaly_detection.detection_interval] with value [soon] as a time value: "
        .. "unit is missing or unrecognized"
    )
    orders.refused(set(key, "x"), 400, argument, ("Failed to parse value [x] for setting [%s]"):format(key))
    orders.refused(set(key, 11), 400, argument, ("Failed to parse value [11] for setting [%s] must be <= 10"):format(key))
    orders.refused(set(key, -1), 400, argument, ("Failed to parse value [-1] for setting [%s] must be >= 0"):format(key))
    assert.same({}, blip:get("/_cluster/settings").json.persistent)
  end)
end)
