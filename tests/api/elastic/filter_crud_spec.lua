-- luacheck: no max line length
-- The rows of elastic-ml.md 12.12, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local refused = jobs.refused
local FILTERS = "/_ml/filters/"

describe("filter_crud", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)
  before_each(function()
    blip:put(FILTERS .. "filter-foo", { items = { "xyz", "abc", "xyz" } })
    blip:put(FILTERS .. "filter-foo2", { description = "This filter has a description", items = { "123", "lmnop" } })
  end)
  after_each(function()
    for _, job in ipairs(blip:get("/_ml/anomaly_detectors").json.jobs) do
      blip:delete("/_ml/anomaly_detectors/" .. job.job_id)
    end
    for _, filter in ipairs(blip:get("/_ml/filters").json.filters) do blip:delete(FILTERS .. filter.filter_id) end
  end)

  it("get bad id", function()
    refused(blip:get(FILTERS .. "missing-filter-list"), 404, "No filter with id [missing-filter-list] exists")
  end)

  it("get filter", function()
    assert.same({ count = 1, filters = { { filter_id = "filter-foo", items = { "abc", "xyz" } } } }, blip:get(FILTERS .. "filter-foo").json)
  end)

  it("list", function()
    local answer = blip:get("/_ml/filters").json
    assert.equal(2, answer.count)
    assert.same({ "filter-foo", "filter-foo2" }, jobs.pluck(answer.filters, "filter_id"))
    assert.equal("This filter has a description", answer.filters[2].description)
  end)

  it("paging", function()
    local answer = blip:get("/_ml/filters?from=1&size=1").json
    assert.equal(2, answer.count)
    assert.same({ "filter-foo2" }, jobs.pluck(answer.filters, "filter_id"))
    refused(blip:get "/_ml/filters?from=-1", 400, "Parameter [from] cannot be < 0")
    refused(blip:get "/_ml/filters?from=9990&size=20", 400, "Result window is too large")
  end)

  it("expressions", function()
    assert.equal(2, blip:get(FILTERS .. "filter-foo,filter-foo2").json.count)
    assert.equal(2, blip:get(FILTERS .. "filter-foo*").json.count)
  end)

  it("bad id Invalid", function()
    refused(blip:put(FILTERS .. "Invalid", { items = { "abc" } }), 400, "Invalid filter_id; 'Invalid' can contain lowercase alphanumeric")
  end)

  it("create / get", function()
    local made = blip:put(FILTERS .. "filter-new", { description = "A newly created filter", items = { "a" } }).json
    assert.same({ filter_id = "filter-new", description = "A newly created filter", items = { "a" } }, made)
    assert.same(made, blip:get(FILTERS .. "filter-new").json.filters[1])
  end)

  it("body id mismatch", function()
    local answer = blip:put(FILTERS .. "uri_filter", { filter_id = "body_filter", items = { "abc" } })
    refused(answer, 400, "Inconsistent filter_id; 'body_filter' specified in the body differs from 'uri_filter' specified as a URL argument")
    assert.equal("illegal_argument_exception", answer.json.error.type)
  end)

  it("update missing", function()
    refused(blip:post(FILTERS .. "missing_filter/_update", { description = "x" }), 404)
  end)

  it("update", function()
    blip:put(FILTERS .. "test", { items = { "a", "b" } })
    local answer = blip:post(FILTERS .. "test/_update", { description = "new", add_items = { "c", "d" }, remove_items = { "a" } })
    assert.same({ filter_id = "test", description = "new", items = { "b", "c", "d" } }, answer.json)
    assert.same(answer.json, blip:get(FILTERS .. "test").json.filters[1])
  end)

  it("remove absent item", function()
    refused(blip:post(FILTERS .. "filter-foo/_update", { remove_items = { "not there" } }), 400,
      "Cannot remove item [not there] as it is not present in filter [filter-foo]")
  end)

  it("delete in use", function()
    jobs.create(blip, "filter-crud", { analysis_config = { detectors = { {
      ["function"] = "mean", field_name = "responsetime", by_field_name = "airline",
      custom_rules = { { scope = { airline = { filter_id = "filter-foo" } } } },
    } } } })
    refused(blip:delete(FILTERS .. "filter-foo"), 409, "Cannot delete filter [filter-foo] currently used by jobs [filter-crud]")
  end)

  it("delete missing / delete / list empty", function()
    refused(blip:delete(FILTERS .. "not-a-filter"), 404, "No filter with id [not-a-filter] exists")
    assert.same({ acknowledged = true }, blip:delete(FILTERS .. "filter-foo").json)
    blip:delete(FILTERS .. "filter-foo2")
    assert.same({ count = 0, filters = {} }, blip:get("/_ml/filters").json)
  end)

  it("too many items are refused", function()
    local items = {}
    for i = 1, 10001 do items[i] = "i" .. i end
    refused(blip:put(FILTERS .. "big", { items = items }), 400, "Filter [big] contains too many items; up to [10000] items are allowed")
  end)
end)
