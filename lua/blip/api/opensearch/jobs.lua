--- Routes: start and stop the real-time job and historical analyses (opensearch-ad.md 3.10, 3.11).
-- @module blip.api.opensearch.jobs
local features = require "blip.api.opensearch.features"
local incoming = require "blip.api.opensearch.incoming"
local normal = require "blip.api.opensearch.normal"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local replay = require "blip.detector.replay"
local reply = require "blip.api.reply"
local scheduler = require "blip.detector.scheduler"
local source_checks = require "blip.api.opensearch.source_checks"
local stored = require "blip.api.opensearch.stored"

local routes = {}

-- The range of a historical analysis; nil when the body asks for none.
local function read_range(reader)
  if not reader then
    return nil
  end
  local range = {}
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "start_time" then
      range.from = reader:instant()
    elseif name == "end_time" then
      range.to = reader:instant()
    else
      reader:skip()
    end
  end)
  if not range.from then
    refuse.argument "Detection data range's start time must not be null"
  elseif not range.to then
    refuse.argument "Detection data range's end time must not be null"
  elseif range.to < range.from then
    refuse.argument "Detection data range's end time must be after start time"
  end
  return range
end

local function find(id)
  if not stored.any() then
    refuse.no_index(stored.INDEX, "index_expression")
  end
  return stored.detector(id)
end

-- The detector in the engine's form; it must have something to run.
local function runnable(id)
  local found = find(id)
  local list = found._source.feature_attributes
  if #list == 0 then
    refuse.status(400, "Can't start job as no features configured")
  elseif features.enabled(list) == 0 then
    refuse.status(400, "Can't start job as no enabled features configured")
  end
  source_checks.readable(found._source)
  return assert(normal.definition(id, found._source, found._version))
end

local function start_job(definition)
  local job = stored.job(definition.id)
  if job and job.enabled then
    refuse.status(200, "Anomaly detector job is already running: %s", definition.id)
  end
  assert(scheduler.start(definition))
  return definition.id
end

local function start_historical(definition, range)
  local task = stored.task(definition.id, "historical")
  if task and stored.is_open(task) then
    refuse.status(400, "Detector is already running")
  end
  return assert(replay.start(definition, range.from, range.to))
end

paths.both(routes, "POST /detectors/{id}/_start", "detector/jobmanagement", function(request)
  local range = read_range(incoming.optional_reader(request))
  request:allow {}
  local definition = runnable(request.params.id)
  return reply.ok { _id = range and start_historical(definition, range) or start_job(definition) }
end)

local function stop_job(id)
  local job = stored.job(id)
  if job and not job.enabled then
    refuse.status(200, "job is already stopped: %s", id)
  elseif job then
    assert(scheduler.stop(id))
  end
  return id
end

local function stop_historical(id)
  local task = stored.task(id, "historical")
  if not task then
    refuse.status(400, "Detector not started")
  elseif not stored.is_open(task) then
    refuse.status(400, "No running task found")
  end
  assert(replay.stop(task.task_id))
  return task.task_id
end

paths.both(routes, "POST /detectors/{id}/_stop", "detector/jobmanagement", function(request)
  local of_history = request:flag "historical"
  request:allow { "historical" }
  local id = request.params.id
  find(id)
  return reply.ok { _id = of_history and stop_historical(id) or stop_job(id) }
end)

return routes
