-- luacheck: no max line length
-- The rows of elastic-ml.md 12.9 and the first ones of 12.10, each a spec named after it.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"
local users = require "support.users"

local refused = jobs.refused
local JOBS, FEEDS = "/_ml/anomaly_detectors/", "/_ml/datafeeds/"

describe("datafeeds_crud", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)
  before_each(function()
    jobs.create(blip, "datafeeds-crud-1")
    jobs.create(blip, "datafeeds-crud-2")
    jobs.create(blip, "summed", { analysis_config = {
      bucket_span = "1h", summary_count_field_name = "doc_count", detectors = { { ["function"] = "count" } },
    } })
  end)
  after_each(function()
    for _, job in ipairs(blip:get("/_ml/anomaly_detectors").json.jobs) do blip:delete(JOBS .. job.job_id) end
  end)

  local function put(id, changes, query)
    local body = { job_id = "datafeeds-crud-1", indices = { "index-foo" } }
    for name, value in pairs(changes or {}) do body[name] = value end
    return blip:put(FEEDS .. id .. (query or ""), body)
  end
  local function update(id, body, query) return blip:post(FEEDS .. id .. "/_update" .. (query or ""), body) end
  local function get(ids) return blip:get(FEEDS .. ids) end

  it("none", function()
    assert.same({ count = 0, datafeeds = {} }, get("_all").json)
  end)

  it("allow_no_match", function()
    assert.equal(0, get("missing-*?allow_no_match=true").json.count)
    refused(get "missing-*?allow_no_match=false", 404, "No datafeed with id [missing-*] exists")
    assert.truthy(get("missing-*?allow_no_datafeeds=true").headers.warning)
  end)

  it("missing job", function()
    local answer = put("test-datafeed-1", { job_id = "not-a-job" })
    refused(answer, 404, "No known job with id 'not-a-job'")
    assert.equal("resource_not_found_exception", answer.json.error.type)
  end)

  it("headers in body", function()
    refused(put("test-datafeed-1", { headers = { a_security_header = "secret" } }), 400, "unknown field [headers]")
  end)

  it("create", function()
    local answer = blip:put(FEEDS .. "test-datafeed-1", { job_id = "datafeeds-crud-1", indexes = { "index-foo" } })
    assert.equal(200, answer.status, answer.body)
    assert.same({ "index-foo" }, answer.json.indices)
    assert.equal(1000, answer.json.scroll_size)
    assert.same({ match_all = { boost = 1.0 } }, answer.json.query)
    assert.same({ mode = "auto" }, answer.json.chunking_config)
    assert.same(answer.json, get("test-datafeed-1").json.datafeeds[1])
  end)

  it("id taken", function()
    put "test-datafeed-1"
    local answer = put("test-datafeed-1", { job_id = "datafeeds-crud-2" })
    refused(answer, 400, "A datafeed with id [test-datafeed-1] already exists")
    assert.equal("resource_already_exists_exception", answer.json.error.type)
  end)

  it("job used", function()
    put "test-datafeed-1"
    refused(put "test-datafeed-2", 409, "A datafeed [test-datafeed-1] already exists for job [datafeeds-crud-1]")
  end)

  it("bad query", function()
    refused(put("test-datafeed-1", { query = { match_all_misspelled = json.object {} } }), 400, "failed to parse field [query]")
  end)

  it("update", function()
    put("test-datafeed-1", { scroll_size = 2000, frequency = "1m", query_delay = "1m", max_empty_searches = 42 })
    local answer = update("test-datafeed-1", { indices = { "index-*" }, scroll_size = 10000, frequency = "2m", query_delay = "0s", max_empty_searches = -1 })
    assert.equal(200, answer.status, answer.body)
    local feed = answer.json
    assert.same({ { "index-*" }, 10000, "2m", "0s" }, { feed.indices, feed.scroll_size, feed.frequency, feed.query_delay })
    assert.is_nil(feed.max_empty_searches)
    assert.same(feed, get("test-datafeed-1").json.datafeeds[1])
  end)

  it("update job_id", function()
    put "test-datafeed-1"
    assert.equal(200, update("test-datafeed-1", { job_id = "datafeeds-crud-1", indices = { "a" } }).status)
    for _, job in ipairs { "datafeeds-crud-2", "not-a-job" } do
      refused(update("test-datafeed-1", { job_id = job }), 400, "Datafeed's job_id cannot be changed")
    end
  end)

  it("update missing", function() refused(update("not-a-feed", { indices = { "a" } }), 404, "No datafeed with id [not-a-feed] exists") end)
  it("delete missing", function() refused(blip:delete(FEEDS .. "not-a-feed"), 404) end)

  it("chunking", function()
    local chunking = { mode = "manual", time_span = "1h" }
    assert.same(chunking, put("test-datafeed-1", { chunking_config = chunking }).json.chunking_config)
    refused(update("test-datafeed-1", { chunking_config = { mode = "manual" } }), 400, "when chunk mode is manual time_span is required")
    refused(update("test-datafeed-1", { chunking_config = { mode = "auto", time_span = "1h" } }), 400, "chunk time_span may only be set when mode is manual")
    refused(update("test-datafeed-1", { chunking_config = { mode = "manual", time_span = "0s" } }), 400, "chunk time_span has to be positive")
  end)

  local function histogram(interval, subs, more)
    local aggregations = { buckets = { date_histogram = { field = "time", fixed_interval = interval }, aggregations = subs or { time = { max = { field = "time" } } } } }
    for name, value in pairs(more or {}) do aggregations[name] = value end
    return { job_id = "summed", aggregations = aggregations }
  end

  it("aggregations", function()
    local given = histogram("1h", { time = { max = { field = "time" } }, bytes_in_avg = { avg = { field = "bytes_in" } } })
    local made = put("test-datafeed-aggs-1", given)
    assert.equal(200, made.status, made.body)
    assert.same(given.aggregations, made.json.aggregations)
    assert.same({ mode = "manual", time_span = "1000h" }, made.json.chunking_config)
  end)

  it("aggregations that a job cannot use are refused", function()
    local max = { max = { field = "time" } }
    refused(put("f", { aggregations = histogram("1h").aggregations }), 400, "A job configured with a datafeed with aggregations must set summary_count_field_name; use doc_count or suitable alternative")
    refused(put("f", { job_id = "summed", aggregations = { a = max } }), 400, "A date_histogram (or histogram) aggregation is required")
    refused(put("f", histogram("1h", nil, { b = max })), 400, "The date_histogram (or histogram) aggregation cannot have sibling aggregations")
    refused(put("f", histogram("1h", { time = max, a = histogram("1h").aggregations.buckets })), 400, "Aggregations can only have 1 date_histogram or histogram aggregation")
    refused(put("f", histogram("1h", { bytes = { avg = { field = "bytes" } } })), 400, "Date histogram must have nested max aggregation for time_field [time]")
    refused(put("f", histogram "25m"), 400, "Aggregation interval [25m] must be a divisor of the bucket_span [1h]")
    local both = histogram "1h"
    both.aggs = both.aggregations
    refused(put("f", both), 400, "Found two aggregation definitions: [aggs] and [aggregations]")
    local fields = histogram "1h"
    fields.script_fields = { a = { script = "1" } }
    refused(put("f", fields), 400, "script_fields cannot be used in combination with aggregations")
    local odd = histogram "1h"
    odd.frequency = "90m"
    refused(put("f", odd), 400, "Datafeed frequency [90m] must be a multiple of the aggregation interval [1h]")
  end)

  it("delete / force delete", function()
    put "test-datafeed-1"
    assert.same({ acknowledged = true }, blip:delete(FEEDS .. "test-datafeed-1").json)
    put "test-datafeed-1"
    assert.same({ acknowledged = true }, blip:delete(FEEDS .. "test-datafeed-1?force=true").json)
    refused(get "test-datafeed-1", 404)
  end)

  it("indices_options", function()
    put("test-datafeed-1", { indices_options = { expand_wildcards = { "closed", "open" }, ignore_throttled = false } })
    local options = get("test-datafeed-1").json.datafeeds[1].indices_options
    assert.same({ "open", "closed" }, options.expand_wildcards)
    assert.is_false(options.ignore_throttled)
    update("test-datafeed-1", { indices_options = { ignore_throttled = true } })
    options = get("test-datafeed-1").json.datafeeds[1].indices_options
    assert.same({ "open", "closed" }, options.expand_wildcards)
    assert.is_true(options.ignore_throttled)
  end)

  it("indices_options as params", function()
    local answer = put("test-datafeed-1", nil, "?ignore_throttled=false")
    assert.is_false(answer.json.indices_options.ignore_throttled)
    assert.truthy(answer.headers.warning:find("[ignore_throttled] parameter is deprecated because frozen indices have been deprecated. Consider cold or frozen tiers in place of frozen indices.", 1, true))
    assert.is_false(update("test-datafeed-1", json.object {}, "?allow_no_indices=false").json.indices_options.allow_no_indices)
  end)

  it("export", function()
    put "test-datafeed-1"
    local feed = get("test-datafeed-1?exclude_generated=true").json.datafeeds[1]
    for _, name in ipairs { "query_delay", "chunking_config", "create_time", "authorization" } do assert.is_nil(feed[name]) end
    blip:delete(FEEDS .. "test-datafeed-1")
    assert.equal(200, blip:put(FEEDS .. "test-datafeed-1", feed).status)
  end)

  it("values out of range", function()
    for text, changes in pairs {
      ["Invalid indices value '[]' in datafeed configuration"] = { indices = json.array {} },
      ["Invalid scroll_size value '-1' in datafeed configuration"] = { scroll_size = -1 },
      ["Invalid scroll_size value '10001' in datafeed configuration"] = { scroll_size = 10001 },
      ["Invalid max_empty_searches value '0' in datafeed configuration"] = { max_empty_searches = 0 },
      ["delayed_data_check_config: check_window [1h] must be greater than the bucket_span [1h]"] = { delayed_data_check_config = { enabled = true, check_window = "1h" } },
      ["delayed_data_check_config: check_window [25h] must be less than or equal to [24h]"] = { delayed_data_check_config = { enabled = true, check_window = "25h" } },
      ["frequency has to be a multiple of 1s; actual was '1500ms'"] = { frequency = "1500ms" },
      ["Inconsistent datafeed_id; 'g' specified in the body differs from 'f' specified as a URL argument"] = { datafeed_id = "g" },
    } do
      refused(put("f", changes), 400, text)
    end
    jobs.create(blip, "late", { analysis_config = { bucket_span = "1h", latency = "1h", detectors = { { ["function"] = "count" } } } })
    refused(put("f", { job_id = "late" }), 400, "A job configured with datafeed cannot support latency")
  end)
end)

describe("datafeeds with users", function()
  local blip, folder
  local ROLES = {
    feeder = { cluster = { "manage_ml" }, indices = { { names = { "open-*" }, privileges = { "read" } } } },
  }

  setup(function()
    folder = server.folder()
    blip = server.start { users = users.write(folder .. "/users.json", { ada = { "superuser" }, fay = { "feeder" } }, ROLES) }
    for _, id in ipairs { "one", "two" } do
      assert.equal(200, blip:put(JOBS .. id, jobs.body(), users.basic "ada").status)
    end
  end)
  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  it("create: authorization.roles set", function()
    local answer = blip:put(FEEDS .. "f1", { job_id = "one", indices = { "open-a" } }, users.basic "fay")
    assert.equal(200, answer.status, answer.body)
    assert.same({ roles = { "feeder" } }, answer.json.authorization)
    assert.is_nil(answer.json.user)
    assert.is_nil(blip:get(FEEDS .. "f1?exclude_generated=true", users.basic "ada").json.datafeeds[1].authorization)
  end)

  it("indices that the caller may not read are refused", function()
    refused(blip:put(FEEDS .. "f2", { job_id = "two", indices = { "closed" } }, users.basic "fay"), 403,
      "Cannot create datafeed [f2] because user fay lacks permissions on the indices")
    refused(blip:post(FEEDS .. "f1/_update", { indices = { "closed" } }, users.basic "fay"), 403,
      "Cannot update datafeed [f1] because user fay lacks permissions on the indices")
  end)
end)

describe("get_datafeeds", function()
  local blip

  setup(function()
    blip = server.start()
    for i = 1, 2 do
      jobs.create(blip, "get-datafeed-job-" .. i)
      blip:put(FEEDS .. "get-datafeed-" .. i, { job_id = "get-datafeed-job-" .. i, indices = { "airline-data" } })
    end
  end)
  teardown(function() blip:stop() end)

  local function named(path)
    local answer = blip:get(path).json
    return { answer.count, table.unpack(jobs.pluck(answer.datafeeds, "datafeed_id")) }
  end

  it("unknown", function() refused(blip:get(FEEDS .. "missing-datafeed"), 404, "No datafeed with id [missing-datafeed] exists") end)
  it("single", function() assert.same({ 1, "get-datafeed-1" }, named(FEEDS .. "get-datafeed-1")) end)
  it("explicit all", function() assert.same({ 2, "get-datafeed-1", "get-datafeed-2" }, named(FEEDS .. "_all")) end)
  it("implicit all", function() assert.same({ 2, "get-datafeed-1", "get-datafeed-2" }, named "/_ml/datafeeds") end)
end)
