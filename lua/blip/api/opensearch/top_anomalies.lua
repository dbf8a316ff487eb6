--- Routes: the entities of a detector with the worst or the most anomalies (opensearch-ad.md 3.8).
-- @module blip.api.opensearch.top_anomalies
local document = require "blip.api.opensearch.document"
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"
local result_index = require "blip.api.opensearch.result_index"
local stored = require "blip.api.opensearch.stored"

local DEFAULT_SIZE, MAX_SIZE = 10, 1000
-- The worst anomalies of the period that are looked at.
local MAX_ANOMALIES = 10000
local BUCKET = { "key", "doc_count", "max_anomaly_grade" }

local routes = {}

-- order -> whether one bucket comes before another.
local ORDERS = {
  severity = function(a, b)
    return a.max_anomaly_grade > b.max_anomaly_grade
  end,
  occurrence = function(a, b)
    return a.doc_count > b.doc_count
  end,
}

local function read(reader)
  local asked = { size = DEFAULT_SIZE, order = "severity" }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "start_time_ms" then
      asked.from = reader:instant()
    elseif name == "end_time_ms" then
      asked.to = reader:instant()
    elseif name == "size" then
      asked.size = reader:integer()
    elseif name == "order" or name == "task_id" then
      asked[name] = reader:text()
    elseif name == "category_field" then
      reader:expect "START_ARRAY"
      asked.fields = reader:tree()
    else
      reader:skip()
    end
  end)
  return asked
end

local function check_period(asked)
  if not asked.from or not asked.to then
    refuse.request "Must set both start time and end time with epoch of milliseconds"
  elseif asked.from >= asked.to then
    refuse.request "Start time should be before end time"
  end
end

local function check_fields(asked, id, detector)
  if not document.has_categories(detector) then
    refuse.argument("No category fields found for detector ID %s", id)
  end
  local known = {}
  for _, field in ipairs(detector.category_field) do
    known[field] = true
  end
  asked.fields = asked.fields or detector.category_field
  for _, field in ipairs(asked.fields) do
    if not known[field] then
      refuse.argument("Category field %s doesn't exist for detector ID %s", tostring(field), id)
    end
  end
end

local function check_options(asked)
  if not ORDERS[asked.order] then
    refuse.argument("Ordering by %s is not a valid option", asked.order)
  elseif asked.size > MAX_SIZE then
    refuse.argument("Size cannot exceed %d", MAX_SIZE)
  elseif asked.size <= 0 then
    refuse.argument "Size must be a positive integer"
  end
end

-- The results of a task, or of the detector's real-time job.
local function run_filter(id, historical, task_id)
  if not historical then
    return { term = { detector_id = id } }, { { exists = { field = "task_id" } } }
  end
  if not task_id then
    local task = stored.task(id, "historical")
    if not task then
      refuse.not_found("No historical tasks found for detector ID %s", id)
    end
    task_id = task.task_id
  end
  return { term = { task_id = task_id } }, nil
end

-- The anomalies of the period, worst first.
local function anomalies(asked, detector, of_run, not_of_run)
  local indices = detector.result_index and detector.result_index .. "*" or result_index.PATTERN
  local answer = assert(stored.search({ indices }, {
    size = MAX_ANOMALIES,
    _source = { "entity", "anomaly_grade" },
    sort = { { anomaly_grade = "desc" } },
    query = {
      bool = {
        filter = {
          of_run,
          { range = { data_end_time = { gte = asked.from, lte = asked.to } } },
          { range = { anomaly_grade = { gt = 0 } } },
        },
        must_not = not_of_run,
      },
    },
  }))
  return answer.hits.hits
end

local function key_of(entity, fields)
  local values, key = {}, {}
  for _, attribute in ipairs(entity) do
    values[attribute.name] = attribute.value
  end
  for i, field in ipairs(fields) do
    key[field], values[i] = values[field], values[field] or ""
  end
  return json.ordered(key, fields), table.concat(values, "\0", 1, #fields)
end

local function buckets_of(hits, fields)
  local by_key, list = {}, {}
  for _, hit in ipairs(hits) do
    local source = json.plain(hit._source)
    local key, text = key_of(source.entity or {}, fields)
    local bucket = by_key[text]
    if not bucket then
      bucket = { key = key, doc_count = 0, max_anomaly_grade = source.anomaly_grade + 0.0 }
      by_key[text], list[#list + 1] = bucket, json.ordered(bucket, BUCKET)
    end
    bucket.doc_count = bucket.doc_count + 1
  end
  return list
end

-- The first buckets in order; those alike stay in the order in which they came.
local function first(buckets, order, size)
  local place = {}
  for i, bucket in ipairs(buckets) do
    place[bucket] = i
  end
  table.sort(buckets, function(a, b)
    if order(a, b) or order(b, a) then
      return order(a, b)
    end
    return place[a] < place[b]
  end)
  return json.array(table.move(buckets, 1, math.min(size, #buckets), 1, {}))
end

local function top_anomalies(request)
  local id = request.params.id
  local asked = read(incoming.reader(request))
  local historical = request:flag "historical"
  request:allow { "historical" }
  check_period(asked)
  local detector = stored.detector(id)._source
  check_fields(asked, id, detector)
  check_options(asked)
  local hits = anomalies(asked, detector, run_filter(id, historical, asked.task_id))
  return reply.ok { buckets = first(buckets_of(hits, asked.fields), ORDERS[asked.order], asked.size) }
end

paths.current(routes, "GET /detectors/{id}/results/_topAnomalies", "result/topAnomalies", top_anomalies)
paths.current(routes, "POST /detectors/{id}/results/_topAnomalies", "result/topAnomalies", top_anomalies)

return routes
