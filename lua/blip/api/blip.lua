--- Routes of Blip's own: detectors that are scripts.
--
--     GET  /_blip/detectors               what runs, and what is wrong with which file
--     GET  /_blip/detectors/{id}          one detector, and where its run stands
--     GET  /_blip/detectors/{id}/results  its anomalies, worst first
--     POST /_blip/detectors/{id}/_start   runs it; with { "from", "to" } over that past only
--     POST /_blip/detectors/{id}/_stop    ends both
--     POST /_blip/detectors/_check        { "script": "<text>" }: what is wrong with it
-- @module blip.api.blip
local date_math = require "blip.query.date_math"
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"
local library = require "blip.detector.library"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local replay = require "blip.detector.replay"
local results = require "blip.result.index"
local scheduler = require "blip.detector.scheduler"
local script = require "blip.detector.script"
local shape = require "blip.shape"
local shelf = require "blip.detector.shelf"
local tasks = require "blip.detector.tasks"

local routes = {}

--- Scripts are detectors like those of the OpenSearch dialect, and need the same rights.
local AD = "cluster:admin/opendistro/ad/"

local function feature_names(d)
  local names = {}
  for i, feature in ipairs(d.features) do names[i] = feature.name end
  return json.array(names)
end

local DETECTOR = {
  "id", "script", "description", "indices", "time_field", "category", "interval_ms", "delay_ms", "model",
  "features", "running", "status", "analysis",
}

local function shown_detector(d, script_name)
  return json.ordered({
    id = d.id, script = script_name, description = d.description,
    indices = json.array(d.indices), time_field = d.time_field, category = json.array(d.category),
    interval_ms = d.interval_ms, delay_ms = d.delay_ms,
    model = d.model.kind, features = feature_names(d), running = scheduler.is_running(d.id),
  }, DETECTOR)
end

local PROBLEM = { "line", "message" }

local function shown_problems(problems)
  local list = {}
  for i, problem in ipairs(problems) do
    list[i] = json.ordered({ line = problem.line, message = problem.message }, PROBLEM)
  end
  return json.array(list)
end

local SCRIPT = { "script", "changed", "detectors", "problems" }

local function shown_script(entry)
  return json.ordered({
    script = entry.script, changed = entry.changed,
    detectors = json.array(entry.detectors), problems = shown_problems(entry.problems),
  }, SCRIPT)
end

--- Lists what runs, and every script with what is wrong with its file.
routes["GET /_blip/detectors"] = needs(AD .. "detector/search", function(request)
  request:allow {}
  local detectors, scripts = {}, {}
  for i, entry in ipairs(shelf.all()) do
    scripts[i] = shown_script(entry)
    for _, d in ipairs(library.definitions(entry)) do
      detectors[#detectors + 1] = shown_detector(d, entry.script)
    end
  end
  return reply.ok(json.ordered({
    folder = library.folder(), detectors = json.array(detectors), scripts = json.array(scripts),
  }, { "folder", "detectors", "scripts" }))
end)

local ANALYSIS = { "task", "state", "progress", "from", "to", "error" }

-- The latest analysis of the past; nil when there was none.
local function shown_analysis(id)
  local task = tasks.latest(id, true)
  if not task then return nil end
  return json.ordered({
    task = task.id, state = task.state, progress = task.task_progress, error = task.error,
    from = task.detection_date_range.start_time, to = task.detection_date_range.end_time,
  }, ANALYSIS)
end

--- One detector, and where its run stands.
routes["GET /_blip/detectors/{id}"] = needs(AD .. "detectors/get", function(request)
  request:allow {}
  local d = assert(library.find(request.params.id))
  local shown = shown_detector(d, shelf.find(d.id).script)
  shown.status = scheduler.profile(d.id)
  shown.analysis = shown_analysis(d.id)
  return reply.ok(shown)
end)

-- The past that a body names, in ms; nil for no body.
local function wanted_range(request)
  if not request.body then return nil end
  local given = assert(request:json())
  if type(given) ~= "table" or given.from == nil or given.to == nil then
    assert(fail.invalid "an analysis needs both 'from' and 'to'")
  end
  for name in pairs(given) do
    if name ~= "from" and name ~= "to" then assert(fail.invalid("unknown field '%s'", name)) end
  end
  return assert(date_math.resolve(given.from)), assert(date_math.resolve(given.to))
end

--- Starts a detector in real time, or an analysis of the past.
routes["POST /_blip/detectors/{id}/_start"] = needs(AD .. "detector/jobmanagement", function(request)
  request:allow {}
  local d = assert(library.find(request.params.id))
  local from, to = wanted_range(request)
  if not from then
    assert(scheduler.start(d))
    return reply.ok { id = d.id }
  end
  local task = tasks.latest(d.id, true)
  if task and not tasks.is_ended(task) then
    return fail.conflict("detector '%s' is being analysed already", d.id)
  end
  return reply.ok { id = d.id, task = assert(replay.start(d, from, to)) }
end)

--- Stops a detector and its analysis.
routes["POST /_blip/detectors/{id}/_stop"] = needs(AD .. "detector/jobmanagement", function(request)
  request:allow {}
  local d = assert(library.find(request.params.id))
  local stopped = scheduler.is_running(d.id) and assert(scheduler.stop(d.id))
  local task = tasks.latest(d.id, true)
  if task and not tasks.is_ended(task) then stopped = assert(replay.stop(task.id)) end
  return reply.ok { id = d.id, stopped = stopped or false }
end)

local wanted = shape {
  min_grade = shape.number(0, 1):default(0),
  size = shape.integer(0, 10000):default(10),
  from = shape.string(100),
  to = shape.string(100),
}

local function results_query(id, query)
  local time = { gte = query.from and assert(date_math.resolve(query.from)),
                 lt = query.to and assert(date_math.resolve(query.to)) }
  local filters = {
    { term = { detector_id = id } },
    { range = { anomaly_grade = query.min_grade > 0 and { gte = query.min_grade } or { gt = 0 } } },
  }
  if next(time) then filters[#filters + 1] = { range = { data_start_time = time } } end
  return {
    size = query.size, track_total_hits = true, query = { bool = { filter = json.array(filters) } },
    sort = json.array { { anomaly_grade = "desc" }, { data_start_time = "asc" } },
  }
end

--- A detector's anomalies, worst first: `min_grade`, `from`, `to`, `size`.
routes["GET /_blip/detectors/{id}/results"] = needs(AD .. "result/search", function(request)
  local d = assert(library.find(request.params.id))
  request:allow { "min_grade", "from", "to", "size" }
  local query = assert(wanted:check {
    min_grade = request.query.min_grade, from = request.query.from, to = request.query.to,
    size = request.query.size,
  })
  local alias = d.result_index or results.ALIAS
  local answer = json.plain(assert(documents.search(alias .. "*", results_query(d.id, query))).hits)
  local anomalies = {}
  for i, hit in ipairs(answer.hits) do anomalies[i] = hit._source end
  return reply.ok(json.ordered({
    total = answer.total.value, anomalies = json.array(anomalies),
  }, { "total", "anomalies" }))
end)

--- Says what is wrong with a script, without running a detector.
routes["POST /_blip/detectors/_check"] = needs(AD .. "detector/validate", function(request)
  request:allow {}
  local body = assert(request:json())
  if type(body) ~= "table" or type(body.script) ~= "string" then
    return fail.invalid "the body needs a text 'script'"
  end
  local read, err = script.read(body.script, "script.lua")
  if not read and not err.problems then return nil, err end
  local names = {}
  for i, d in ipairs(read and read.detectors or {}) do names[i] = d.id end
  return reply.ok(json.ordered({
    detectors = json.array(names), problems = shown_problems(read and {} or err.problems),
  }, { "detectors", "problems" }))
end)

return routes
