-- luacheck: no max line length
local orders = require "support.orders"
local server = require "support.server"

local refused = orders.refused

describe("searches of the OpenSearch dialect", function()
  local blip, id

  setup(function()
    blip = server.start()
    orders.load(blip)
  end)
  teardown(function()
    blip:stop()
  end)

  local function search(what, body, headers)
    return blip:post(("%s/%s_search"):format(orders.DETECTORS, what), body, headers)
  end

  it("find no index before there is a detector, but results are nothing", function()
    refused(
      search("", { size = 0 }),
      404,
      "index_not_found_exception",
      "no such index [.opendistro-anomaly-detectors]"
    )
    refused(
      search("tasks/", { size = 0 }),
      404,
      "index_not_found_exception",
      "no such index [.opendistro-anomaly-detection-state]"
    )
    assert.equal(0, search("results/", { size = 0 }).json.hits.total.value)
    assert.same({ count = 0, match = false }, blip:get(orders.DETECTORS .. "/count").json)
    assert.same({ count = 0, match = false }, blip:get(orders.DETECTORS .. "/match?name=x").json)
  end)

  describe("with a detector", function()
    setup(function()
      id = orders.create(blip, { name = "orders-by-minute", ui_metadata = { k = 1 } })
    end)

    it("find detectors by their fields", function()
      for _, query in ipairs {
        { match = { name = "minute" } },
        { term = { ["name.keyword"] = "orders-by-minute" } },
        { term = { time_field = "ts" } },
        { ids = { values = { id } } },
        { nested = { path = "feature_attributes", query = { match = { ["feature_attributes.feature_name"] = "amount" } } } },
        {
          nested = {
            path = "feature_attributes",
            query = { term = { ["feature_attributes.feature_name.keyword"] = "amount" } },
          },
        },
      } do
        local hit = search("", { query = query }).json.hits.hits[1]
        assert.same({ id, 1, 1 }, { hit._id, hit._version, hit._primary_term })
      end
    end)

    it("show what a page keeps to pages alone", function()
      assert.is_nil(search("", {}).json.hits.hits[1]._source.ui_metadata)
      local page = { ["user-agent"] = "OpenSearch Dashboards" }
      assert.same({ k = 1 }, search("", {}, page).json.hits.hits[1]._source.ui_metadata)
    end)

    it("want a body, from the query string if need be", function()
      local reason = "request body or source parameter is required"
      refused(blip:get(orders.DETECTORS .. "/_search"), 400, "parse_exception", reason)
      local source = "?source=%7B%22size%22%3A0%7D&source_content_type=application/json"
      assert.equal(1, blip:get(orders.DETECTORS .. "/_search" .. source).json.hits.total.value)
    end)

    it("tell what they cannot read from what they cannot do", function()
      refused(search("", { query = { foo = {} } }), 400, "parsing_exception", "unknown query [foo]")
      refused(
        search("", { size = -1 }),
        400,
        "illegal_argument_exception",
        "[size] parameter cannot be negative, found [-1]"
      )
      assert.equal(500, search("", { size = 10001 }).status)
    end)

    it("count and match names exactly", function()
      assert.same({ count = 1, match = false }, blip:get(orders.DETECTORS .. "/count").json)
      assert.is_true(blip:get(orders.DETECTORS .. "/match?name=orders-by-minute").json.match)
      assert.is_false(blip:get(orders.DETECTORS .. "/match?name=orders").json.match)
      refused(blip:get(orders.DETECTORS .. "/match"), 500, "status_exception", "Fail to get config info")
    end)

    it("belong to their path whatever the method", function()
      local answer = blip:delete(orders.DETECTORS .. "/_search")
      assert.same({ 405, "GET,POST" }, { answer.status, answer.headers.allow })
    end)
  end)

  describe("of results", function()
    local own, common

    setup(function()
      own = orders.create(blip, { name = "own", result_index = "opensearch-ad-plugin-result-own" })
      common = orders.create(blip, { name = "common" })
      for _, detector in ipairs { own, common } do
        local range = { start_time = orders.START_MS, end_time = orders.END_MS }
        assert.equal(200, blip:post(("%s/%s/_start"):format(orders.DETECTORS, detector), range).status)
        assert.equal("FINISHED", orders.await_task(blip, detector).state)
      end
    end)

    local function count(path, detector)
      local query = { size = 0, track_total_hits = true, query = { term = { detector_id = detector } } }
      return blip:post(path, query).json.hits.total.value
    end

    it("look into the common indices, by both paths of the old prefix", function()
      assert.equal(599, count(orders.DETECTORS .. "/results/_search", common))
      assert.equal(599, count(orders.LEGACY .. "/detectors/results/_search", common))
      assert.equal(599, count(orders.LEGACY .. "/results/_search", common))
      assert.equal(0, count(orders.DETECTORS .. "/results/_search", own))
    end)

    it("look into a detector's own index beside them or alone", function()
      local path = orders.DETECTORS .. "/results/_search/opensearch-ad-plugin-result-*"
      assert.same({ 599, 599 }, { count(path, own), count(path, common) })
      path = path .. "?only_query_custom_result_index=true"
      assert.same({ 599, 0 }, { count(path, own), count(path, common) })
    end)

    it("refuse to look into own indices that nobody names", function()
      local only = "?only_query_custom_result_index=true"
      refused(
        blip:post(orders.DETECTORS .. "/results/_search" .. only, {}),
        500,
        "illegal_state_exception",
        "No custom result index set."
      )
      refused(
        blip:post(orders.DETECTORS .. "/results/_search/nope" .. only, {}),
        400,
        "illegal_argument_exception",
        "No custom result indices found"
      )
    end)

    it("delete what a query finds", function()
      local path = orders.DETECTORS .. "/results"
      local answer = blip:delete(path, { query = { term = { detector_id = common } } })
      assert.same({ 200, 599, 1 }, { answer.status, answer.json.deleted, answer.json.batches })
      assert.equal(0, count(path .. "/_search", common))
      refused(blip:delete(path, { query = { foo = {} } }), 400, "parsing_exception", "unknown query [foo]")
      refused(blip:delete(path), 400, "parse_exception", "request body or source parameter is required")
    end)

    it("find nothing of a deleted detector when the cluster deletes results with it", function()
      local key = "plugins.anomaly_detection.delete_anomaly_result_when_delete_detector"
      assert.equal(200, blip:put("/_cluster/settings", { persistent = { [key] = true } }).status)
      local detector = orders.create(blip, { name = "short-lived" })
      local range = { start_time = orders.START_MS, end_time = orders.END_MS }
      assert.equal(200, blip:post(("%s/%s/_start"):format(orders.DETECTORS, detector), range).status)
      orders.await_task(blip, detector)
      assert.equal(599, count(orders.DETECTORS .. "/results/_search", detector))
      assert.equal(200, blip:delete(("%s/%s"):format(orders.DETECTORS, detector)).status)
      assert.equal(0, count(orders.DETECTORS .. "/results/_search", detector))
    end)

    it("find tasks", function()
      local hits = search("tasks/", { query = { term = { detector_id = own } } }).json.hits
      assert.same({ 1, "FINISHED" }, { hits.total.value, hits.hits[1]._source.state })
    end)
  end)
end)
