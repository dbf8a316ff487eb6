local orders = require "support.orders"
local server = require "support.server"
local time = require "runtime.time"
local users = require "support.users"

local ROLES = {
  orders_reader = { indices = { { names = { "orders", "orders-*" }, privileges = { "read" } } } },
  orders_maker = { indices = { { names = { "ord*" }, privileges = { "all" } } } },
}
local PEOPLE = {
  ada = { "superuser" }, fay = { "anomaly_full_access", "orders_reader" }, fred = { "anomaly_full_access" },
  rose = { "anomaly_read_access", "orders_reader" },
  red = { "anomaly_full_access", "orders_reader", backend_roles = { "red", "all" } },
  rob = { "anomaly_full_access", "orders_reader", backend_roles = { "red" } },
  blue = { "anomaly_full_access", "orders_reader", backend_roles = { "blue" } },
}

describe("detectors of callers who may not everything", function()
  local blip, folder

  setup(function()
    folder = server.folder()
    blip = server.start { users = users.write(folder .. "/users.json", PEOPLE, ROLES) }
    local ada = {}
    function ada.put(_, path, body) return blip:put(path, body, users.basic "ada") end
    function ada.post(_, path, body, headers)
      headers.Authorization = users.basic("ada").Authorization
      return blip:post(path, body, headers)
    end
    orders.load(ada)
  end)

  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  local function as(name, method, path, body)
    return blip:request(method, orders.CURRENT .. path, body, users.basic(name))
  end

  local function create(name, changes)
    return as(name, "POST", "/detectors", orders.detector(changes))
  end

  local DENIED = "no permissions for [indices:data/read/search] and User [name=fred, backend_roles=[], "
    .. "requestedTenant=null]"

  it("are made only over sources that their maker may read", function()
    local answer = create("fred", { name = "fred" })
    assert.equal(403, answer.status)
    assert.same({ "security_exception", DENIED }, { answer.json.error.type, answer.json.error.reason })
    assert.equal(403, as("fred", "POST", "/detectors/_validate", orders.detector { name = "f" }).status)
    assert.equal(403, create("fay", { name = "wild", indices = { "o*" } }).status)
    assert.equal(201, create("fay", { name = "fay" }).status)
  end)

  it("carry who made them, whoever changes them", function()
    local made = create("fay", { name = "kept" }).json
    local user = made.anomaly_detector.user
    assert.same({ "fay", { "anomaly_full_access", "orders_reader" } }, { user.name, user.roles })
    local changed = as("ada", "PUT", "/detectors/" .. made._id, orders.detector { name = "kept2" }).json
    assert.equal("fay", changed.anomaly_detector.user.name)
  end)

  it("cannot be written with a maker of one's choice", function()
    local body = orders.detector { name = "forged" }
    body.user = { name = "ada", roles = { "superuser" }, backend_roles = {} }
    local made = as("fay", "POST", "/detectors", body)
    assert.equal(201, made.status)
    assert.equal("fay", made.json.anomaly_detector.user.name)
  end)

  it("are not previewed and not started by those who may not read the source", function()
    local id = create("fay", { name = "seen" }).json._id
    local period = { period_start = orders.START_MS, period_end = orders.END_MS }
    assert.equal(403, as("fred", "POST", ("/detectors/%s/_preview"):format(id), period).status)
    assert.equal(403, as("fred", "POST", ("/detectors/%s/_start"):format(id)).status)
    assert.equal(200, as("fay", "POST", ("/detectors/%s/_preview"):format(id), period).status)
  end)

  it("are read by anomaly_read_access, and not changed", function()
    local id = create("fay", { name = "read" }).json._id
    assert.equal(200, as("rose", "GET", "/detectors/" .. id).status)
    assert.equal(200, as("rose", "POST", "/detectors/_search", { query = { match_all = {} } }).status)
    assert.equal(200, as("rose", "POST", "/detectors/results/_search", { query = { match_all = {} } }).status)
    assert.equal(200, as("rose", "POST", "/detectors/_validate", orders.detector { name = "r" }).status)
    local answer = as("rose", "DELETE", "/detectors/" .. id)
    assert.equal(403, answer.status)
    assert.equal("no permissions for [cluster:admin/opendistro/ad/detector/delete] and User [name=rose, "
      .. "backend_roles=[], requestedTenant=null]", answer.json.error.reason)
    assert.equal(403, create("rose", { name = "mine" }).status)
    assert.equal(403, as("rose", "POST", ("/detectors/%s/_start"):format(id)).status)
  end)

  it("and their searches look up no terms where the caller may not read", function()
    local place = { index = ".opendistro-anomaly-detectors", id = "x", path = "name" }
    local query = { terms = { amount = place } }
    assert.equal(403, as("rose", "POST", "/detectors/results/_search", { query = query }).status)
    assert.equal(403, create("fay", { name = "peeks", filter_query = query }).status)
  end)

  it("put results of their own only where their maker may", function()
    local answer = create("fay", { name = "own", result_index = "opensearch-ad-plugin-result-x" })
    assert.equal(403, answer.status)
    assert.matches("no permissions for %[indices:admin/create%]", answer.json.error.reason)
  end)

  it("belong to backend roles when the cluster says so", function()
    local function filter_by_roles(value)
      local setting = { transient = { ["plugins.anomaly_detection.filter_by_backend_roles"] = value } }
      assert.equal(200, blip:put("/_cluster/settings", setting, users.basic "ada").status)
    end
    filter_by_roles(true)
    local refused = create("fay", { name = "homeless" })
    assert.equal(500, refused.status)
    assert.equal("Filter by backend roles is enabled and User fay does not have backend roles configured",
      refused.json.error.reason)
    local id = create("red", { name = "red" }).json._id
    local answer = as("blue", "GET", "/detectors/" .. id)
    assert.equal(403, answer.status)
    assert.equal("User does not have permissions to access config: " .. id, answer.json.error.reason)
    assert.equal(403, as("blue", "DELETE", "/detectors/" .. id).status)
    local period = { period_start = orders.START_MS, period_end = orders.END_MS, detector_id = id }
    assert.equal(403, as("blue", "POST", "/detectors/_preview", period).status)
    assert.equal(404, as("blue", "GET", "/detectors/none").status)
    assert.equal(200, as("rob", "GET", "/detectors/" .. id).status)
    assert.equal(200, as("ada", "GET", "/detectors/" .. id).status)
    local function found(name)
      return as(name, "POST", "/detectors/_search", { query = { match_all = {} } }).json.hits.total.value
    end
    assert.same({ 0, 1 }, { found "blue", found "rob" })
    assert.is_true(found "ada" > 1)
    filter_by_roles(false)
    assert.equal(found "ada", found "blue")
  end)

  it("read with their maker's rights, as the roles are when they read", function()
    local id = create("fay", { name = "runs" }).json._id
    local range = { start_time = orders.START_MS, end_time = orders.END_MS }
    local function analyse()
      assert.equal(200, as("ada", "POST", ("/detectors/%s/_start"):format(id), range).status)
      for _ = 1, 300 do
        local task = as("ada", "GET", ("/detectors/%s?task=true"):format(id)).json.historical_analysis_task
        if task.state == "FINISHED" or task.state == "FAILED" then return task end
        time.sleep_ms(20)
      end
    end
    local first = analyse()
    assert.equal("FINISHED", first.state, first.error)
    local fewer = { orders_reader = {}, orders_maker = ROLES.orders_maker }
    users.write(folder .. "/users.json", PEOPLE, fewer)
    blip:signal "HUP"
    assert.is_truthy(blip:event "server_reloaded")
    local task = analyse()
    assert.equal("FAILED", task.state)
    assert.matches("action %[indices:data/read/search%] is unauthorized for user %[fay%]", task.error)
  end)
end)
