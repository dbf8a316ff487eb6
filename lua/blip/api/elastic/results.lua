--- What jobs found: buckets, records, influencers, categories (elastic-ml.md 6).
-- @module blip.api.elastic.results
local answers = require "blip.api.elastic.answers"
local bucket = require "blip.result.bucket"
local category = require "blip.result.category"
local date_math = require "blip.query.date_math"
local fail = require "blip.fail"
local influencer = require "blip.result.influencer"
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local options = require "blip.api.elastic.options"
local ordinal = require "blip.result.ordinal"
local paths = require "blip.api.elastic.paths"
local record = require "blip.result.record"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"

local routes = {}

local ACTIONS = "cluster:monitor/xpack/ml/job/results/"
local READ = { read = ".ml-anomalies-{job_id}" }
local RESULTS = "/anomaly_detectors/{job_id}/results/"

local MOST_RECORDS = 10000 -- that expand a bucket

local function show_each(documents, show, legacy)
  for i, document in ipairs(documents) do documents[i] = show(document, legacy) end
  return documents
end

-- The oldest clients say what is to be seen, newer ones what is not; both may be said.
local function settle_interim(given)
  if given.include_interim == nil then return given end
  if given.exclude_interim ~= nil and given.exclude_interim == given.include_interim then
    refuse.argument("[include_interim] and [exclude_interim] contradict each other")
  end
  given.exclude_interim = not given.include_interim
  return given
end

-- The page may be an object, or `from` and `size` beside the other options.
local function settle_page(given)
  local page = given.page or given
  given.from, given.size = page.from or 0, page.size or 100
  return given
end

local RANGE = {
  job_id = options.text, start = options.text, ["end"] = options.text, sort = options.text,
  desc = options.boolean, exclude_interim = options.boolean, include_interim = options.boolean,
  from = options.count, size = options.count, page = options.page,
}

local function with_range(more)
  local readers = {}
  for name, reader in pairs(RANGE) do readers[name] = reader end
  for name, reader in pairs(more) do readers[name] = reader end
  return readers
end

-- --- buckets --------------------------------------------------------------------------------

local BUCKETS = options.new(ACTIONS .. "buckets/get", with_range {
  timestamp = options.text, anomaly_score = options.number, expand = options.boolean,
})

-- A single bucket has no page, range or least score.
local function check_single(given)
  if not given.timestamp then return end
  for _, name in ipairs { "start", "end", "anomaly_score" } do
    if given[name] ~= nil then
      refuse.argument("Param [%s] is incompatible with [timestamp].", name)
    end
  end
  if given.from or given.size or given.page then
    refuse.argument "Param [from, size] is incompatible with [timestamp]."
  end
end

-- A bucket's records, the least probable first.
local function expand(job, document, given)
  if #(document.bucket_influencers or {}) == 0 then return end
  local time = assert(date_math.resolve(document.timestamp))
  local page = assert(job_search.page(job, "record", {
    start = tostring(time), ["end"] = tostring(time + 1), exclude_interim = given.exclude_interim,
    sort = "probability", size = MOST_RECORDS,
  }))
  if page.count > 0 then document.records = json.array(show_each(page.documents, record.show)) end
end

local function single_bucket(job, given)
  local time = assert(date_math.resolve(given.timestamp))
  local page = assert(job_search.page(job, "bucket", {
    start = tostring(time), ["end"] = tostring(time + 1), sort = given.sort, desc = given.desc, size = 1,
  }))
  if page.count == 0 then refuse.missing "Could not find requested buckets" end
  page.count = 1
  return page
end

local function page_of_buckets(job, given)
  settle_page(given)
  given.score, given.score_field, given.then_by = given.anomaly_score, "anomaly_score", "timestamp"
  return assert(job_search.page(job, "bucket", given))
end

local function get_buckets(request)
  local job = registry.get(request.params.job_id)
  local given = BUCKETS:read(request)
  given.timestamp = request.params.timestamp or given.timestamp
  check_single(given)
  settle_interim(given)
  given.sort = given.sort or "timestamp"
  local page = (given.timestamp and single_bucket or page_of_buckets)(job, given)
  for _, document in ipairs(page.documents) do
    if given.expand then expand(job, document, given) end
  end
  return answers.list("buckets", show_each(page.documents, bucket.show, request.legacy), page.count)
end

paths.read(routes, RESULTS .. "buckets", ACTIONS .. "buckets/get", get_buckets, READ)
paths.read(routes, RESULTS .. "buckets/{timestamp}", ACTIONS .. "buckets/get", get_buckets, READ)

-- --- records and influencers ----------------------------------------------------------------

-- Adds the route that lists results of a kind, the highest scores first.
local function list_of(kind)
  local action = ("%s%s/get"):format(ACTIONS, kind.name)
  local wanted = options.new(action, with_range { [kind.score] = options.number })
  paths.read(routes, RESULTS .. kind.name, action, function(request)
    local job = registry.get(request.params.job_id)
    local given = settle_page(settle_interim(wanted:read(request, { "start", "end" })))
    given.sort = given.sort or kind.score
    if given.desc == nil then given.desc = true end
    given.score, given.score_field = given[kind.score], kind.score
    local page = assert(job_search.page(job, kind.result_type, given))
    if request.legacy then assert(ordinal.add(job, kind.result_type, page.documents)) end
    return answers.list(kind.name, show_each(page.documents, kind.show), page.count)
  end, READ)
end

list_of { name = "records", result_type = "record", score = "record_score", show = record.show }
list_of {
  name = "influencers", result_type = "influencer", score = "influencer_score", show = influencer.show,
}

-- --- categories -----------------------------------------------------------------------------

-- An id is a whole number, in a body also one written as text.
local function category_id(value)
  local number = math.tointeger(tonumber(value))
  if number then return number end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(tostring(value)) }
end

local ACTION = ACTIONS .. "categories/get"
local IN_BODY = options.new(ACTION, {
  job_id = options.text, category_id = category_id, page = options.page, partition_field_value = options.text,
})
local IN_QUERY = options.new(ACTION, {
  from = options.count, size = options.count, partition_field_value = options.text,
})

local function get_categories(request)
  local job = registry.get(request.params.job_id)
  local has_body = request:json { optional = true } ~= nil
  local given = (has_body and IN_BODY or IN_QUERY):read(request)
  if request.params.category_id then given.category_id = assert(category_id(request.params.category_id)) end
  if given.category_id and (given.from or given.size or given.page) then
    refuse.argument "Param [from, size] is incompatible with [category_id]."
  end
  local page = assert(category.page(job, settle_page(given)))
  return answers.list("categories", page.documents, page.count)
end

paths.read(routes, RESULTS .. "categories", ACTION, get_categories, READ)
paths.read(routes, RESULTS .. "categories/{category_id}", ACTION, get_categories, READ)

return routes
