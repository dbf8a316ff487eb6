-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"

local refused = orders.refused

describe("detectors of the OpenSearch dialect", function()
  local blip

  setup(function()
    blip = server.start()
    orders.load(blip)
  end)
  teardown(function()
    blip:stop()
  end)

  local function create(changes, query)
    return blip:post(orders.DETECTORS .. (query or ""), orders.detector(changes))
  end

  local function at(id, rest)
    return ("%s/%s%s"):format(orders.DETECTORS, id, rest or "")
  end

  describe("before there is any:", function()
    it("an update finds no index", function()
      refused(
        blip:put(at "x", orders.detector()),
        404,
        "index_not_found_exception",
        "no such index [.opendistro-anomaly-detectors]"
      )
    end)

    it("a get finds no detector", function()
      refused(blip:get(at "x"), 404, "status_exception", "Can't find config with id: x")
    end)

    it("a delete finds no index", function()
      refused(blip:delete(at "x"), 404, "index_not_found_exception", "no such index [.opendistro-anomaly-detectors]")
    end)

    it("the first one may have any time field and name", function()
      local answer = create { name = "a b", time_field = "nothing" }
      assert.equal(201, answer.status)
      assert.equal("/_opendistro/_anomaly_detection/" .. answer.json._id, answer.headers.location)
      assert.equal(200, blip:delete(at(answer.json._id)).status)
    end)
  end)

  describe("are refused by create:", function()
    local status, index = "status_exception", "index_not_found_exception"
    local time_field = "Validation failed for timefield of bad,  Exceptions: [Timestamp field: "
    local features = "Validation failed for feature(s) of detector bad Exceptions: "
    local six = {}
    for i = 1, 6 do
      six[i] = orders.feature("f" .. i, "amount")
    end
    local cases = {
      { "an unknown index", { indices = { "nope" } }, 404, index, "no such index [nope]" },
      {
        "a name with blanks",
        { name = "a b" },
        500,
        status,
        "Valid characters for name are a-z, A-Z, 0-9, -(hyphen), _(underscore) and .(period)",
      },
      {
        "a name of 65 characters",
        { name = ("x"):rep(65) },
        500,
        status,
        "Name should be shortened. The maximum limit is 64 characters.",
      },
      {
        "an unknown time field",
        { time_field = "nope" },
        500,
        status,
        time_field .. "(nope) is not found in the (orders) index mapping]",
      },
      { "a number as time field", { time_field = "amount" }, 500, status, time_field .. "(amount) must be of type date]" },
      {
        "a pattern that matches nothing",
        { indices = { "nope-*" } },
        500,
        status,
        time_field .. "(ts) is not found in index mapping]",
      },
      {
        "an unknown category field",
        { category_field = { "nope" } },
        500,
        status,
        "Can't find the categorical field nope in index [orders]",
      },
      {
        "a category field of text",
        { category_field = { "note" } },
        500,
        status,
        "Categorical field note must be of type keyword or ip.",
      },
      {
        "an index without documents",
        { indices = { "empty" } },
        400,
        status,
        "Can't create anomaly detector as no document is found in the indices: [empty]",
      },
      { "six features", { feature_attributes = six }, 400, status, "Can't create more than 5 feature(s)" },
      {
        "one aggregation name twice",
        {
          feature_attributes = {
            { feature_name = "a", feature_enabled = true, aggregation_query = { x = { avg = { field = "amount" } } } },
            { feature_name = "b", feature_enabled = true, aggregation_query = { x = { max = { field = "amount" } } } },
          },
        },
        400,
        status,
        "Config has duplicate feature aggregation query names: x",
      },
      {
        "a feature without data",
        { feature_attributes = { orders.feature("a", "nope") } },
        500,
        status,
        features .. "[Feature has an invalid query returning empty aggregated data: a]",
      },
      {
        "the average of a keyword",
        { feature_attributes = { orders.feature("a", "region") } },
        500,
        status,
        features .. "[Feature has an invalid query causing a runtime exception: a]",
      },
      {
        "a feature of many values",
        {
          feature_attributes = {
            { feature_name = "a", feature_enabled = true, aggregation_query = { a = { stats = { field = "amount" } } } },
          },
        },
        500,
        status,
        features .. "[Feature has an invalid query causing a runtime exception: a]",
      },
      {
        "a shingle that the seasonality makes too small",
        { suggested_seasonality = 1 },
        500,
        status,
        "Suggested shingle size must be between 1 and 128. Got 0.",
      },
      {
        "an interval that no mapping holds",
        { detection_interval = { period = { interval = 99999999999, unit = "Minutes" } } },
        500,
        status,
        "Fail to create detector",
      },
      {
        "what breaks a rule of the document",
        { shingle_size = 0 },
        500,
        "validation_exception",
        "Suggested shingle size must be between 1 and 128. Got 0.",
      },
    }
    setup(function()
      orders.create(blip, { name = "taken" })
      assert.equal(200, blip:put("/opensearch-ad-plugin-result-wrong", {
        mappings = { properties = { a = { type = "long" } } },
      }).status)
    end)
    for _, case in ipairs(cases) do
      it(case[1], function()
        local changes = { name = "bad" }
        for name, value in pairs(case[2]) do
          changes[name] = value
        end
        refused(create(changes), case[3], case[4], case[5])
      end)
    end

    it("a name that is taken", function()
      refused(
        create { name = "taken" },
        409,
        "status_exception",
        "Cannot create anomaly detector with name [taken] as it's already used by another detector"
      )
    end)

    it("a result index that holds something else", function()
      refused(
        create { name = "bad", result_index = "opensearch-ad-plugin-result-wrong" },
        400,
        "status_exception",
        "Result index mapping is not correct for index: opensearch-ad-plugin-result-wrong"
      )
    end)

    it("no body", function()
      refused(blip:post(orders.DETECTORS), 400, "parse_exception", "request body is required")
    end)

    it("unknown words of parameters", function()
      local argument = "illegal_argument_exception"
      refused(create({ name = "bad" }, "?refresh=maybe"), 400, argument, "Unknown value for refresh: [maybe].")
      refused(
        create({ name = "bad" }, "?if_seq_no=x"),
        400,
        argument,
        "Failed to parse long parameter [if_seq_no] with value [x]"
      )
      refused(
        create({ name = "bad" }, "?foo=1"),
        400,
        argument,
        "request [/_plugins/_anomaly_detection/detectors] contains unrecognized parameter: [foo]"
      )
    end)

    it("too many of them", function()
      local function limit(name, value)
        local setting = { ["plugins.anomaly_detection." .. name] = value }
        assert.equal(200, blip:put("/_cluster/settings", { transient = setting }).status)
      end
      limit("max_anomaly_detectors", 1)
      limit("max_multi_entity_anomaly_detectors", 0)
      refused(
        create { name = "more" },
        400,
        "status_exception",
        "Can't create more than 1 single-stream anomaly detectors."
      )
      refused(
        create { name = "more", category_field = { "region" } },
        400,
        "status_exception",
        "Can't create more than 0 HC anomaly detectors."
      )
      limit("max_anomaly_detectors", json.null)
      limit("max_multi_entity_anomaly_detectors", json.null)
      assert.equal(201, create({ name = "more" }).status)
    end)
  end)

  describe("once stored", function()
    it("are encoded each time they are read", function()
      local id = orders.create(blip, { name = "encoded", description = "<b>" })
      assert.equal("&amp;lt;b&amp;gt;", blip:get(at(id)).json.anomaly_detector.description)
    end)

    it("are shown in the order in which create answers", function()
      local created = create { name = "ordered" }
      local text = created.body:match '"anomaly_detector":(.*),"_primary_term"'
      local shown = blip:get(at(created.json._id)).body
      assert.equal(text, shown:match '"anomaly_detector":(.*)}$')
    end)

    it("show job and tasks only when asked", function()
      local id = orders.create(blip, { name = "plain" })
      assert.is_nil(blip:get(at(id)).json.anomaly_detector_job)
      local answer = blip:get(at(id, "?job=true&task=true")).json
      assert.equal(json.null, answer.anomaly_detector_job)
      assert.same({ json.null, json.null }, { answer.realtime_task, answer.historical_analysis_task })
    end)

    it("answer HEAD without a body", function()
      local id = orders.create(blip, { name = "head" })
      assert.same({ 200, "" }, { blip:head(at(id)).status, blip:head(at(id)).body })
      assert.equal(404, blip:head(at "nobody").status)
    end)

    it("are replaced as a whole by an update", function()
      local id = orders.create(blip, { name = "whole", shingle_size = 4 })
      local answer = blip:put(at(id), orders.detector { name = "whole" })
      assert.same({ 200, 2, 8 }, { answer.status, answer.json._version, answer.json.anomaly_detector.shingle_size })
      assert.is_nil(answer.headers.location)
    end)

    it("keep category fields and result index", function()
      local id = orders.create(blip, { name = "fixed", category_field = { "region" } })
      refused(blip:put(at(id), orders.detector { name = "fixed" }), 400, "status_exception", "Can't change category field")
      local other = { name = "fixed", category_field = { "region" }, result_index = "opensearch-ad-plugin-result-x" }
      refused(blip:put(at(id), orders.detector(other)), 400, "status_exception", "Can't change custom result index")
    end)

    it("are updated by who read them last", function()
      local id = orders.create(blip, { name = "guarded" })
      local body = orders.detector { name = "guarded" }
      refused(
        blip:put(at(id, "?if_seq_no=0"), body),
        400,
        "status_exception",
        "Validation Failed: 1: ifSeqNo is set, but primary term is [0];"
      )
      refused(
        blip:put(at(id, "?if_seq_no=0&if_primary_term=1"), body),
        400,
        "status_exception",
        ("There was a problem updating the config:[%s]"):format(id)
      )
    end)

    it("may keep their own name, and not take another's", function()
      local id = orders.create(blip, { name = "own" })
      assert.equal(200, blip:put(at(id), orders.detector { name = "own" }).status)
      assert.equal(409, blip:put(at(id), orders.detector { name = "taken" }).status)
    end)

    it("are unknown to an update of another id", function()
      refused(
        blip:put(at "nobody", orders.detector { name = "nobody" }),
        404,
        "status_exception",
        "Can't find config with id: nobody"
      )
    end)

    it("are deleted once", function()
      local id = orders.create(blip, { name = "gone" })
      local answer = blip:delete(at(id))
      assert.same({ 200, "deleted", true }, { answer.status, answer.json.result, answer.json.forced_refresh })
      answer = blip:delete(at(id))
      assert.same({ 200, "not_found" }, { answer.status, answer.json.result })
    end)
  end)

  it("cannot be asked anything while they are switched off", function()
    local off = { ["plugins.anomaly_detection.enabled"] = false }
    assert.equal(200, blip:put("/_cluster/settings", { persistent = off }).status)
    refused(
      blip:get(at "count"),
      500,
      "illegal_state_exception",
      "AD functionality is disabled. To enable update plugins.anomaly_detection.enabled to true"
    )
    off["plugins.anomaly_detection.enabled"] = json.null
    assert.equal(200, blip:put("/_cluster/settings", { persistent = off }).status)
    assert.equal(200, blip:get(at "count").status)
  end)
end)
