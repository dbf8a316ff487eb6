--- Routes: create, read, change and delete detectors (opensearch-ad.md 3.1 to 3.4).
-- @module blip.api.opensearch.detectors
local checks = require "blip.api.opensearch.checks"
local document = require "blip.api.opensearch.document"
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local parse = require "blip.api.opensearch.parse"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local registry = require "blip.detector.registry"
local removal = require "blip.api.opensearch.removal"
local reply = require "blip.api.reply"
local result_index = require "blip.api.opensearch.result_index"
local rights = require "blip.source.rights"
local settings = require "blip.api.opensearch.settings"
local stored = require "blip.api.opensearch.stored"
local time = require "runtime.time"

local LOCATION = "/_opendistro/_anomaly_detection/"
local WRITTEN = { "_id", "_version", "_seq_no", "anomaly_detector", "_primary_term" }
local READ = {
  "_id",
  "_version",
  "_primary_term",
  "_seq_no",
  "anomaly_detector",
  "anomaly_detector_job",
  "realtime_task",
  "historical_analysis_task",
}
local DELETED = {
  "_index",
  "_id",
  "_version",
  "result",
  "forced_refresh",
  "_shards",
  "_seq_no",
  "_primary_term",
}

local routes = {}

local function written(answer, detector)
  return json.ordered({
    _id = answer._id,
    _version = answer._version,
    _seq_no = answer._seq_no,
    _primary_term = answer._primary_term,
    anomaly_detector = detector,
  }, WRITTEN)
end

-- What a body asks to store: it is read first, then the parameters are.
local function sent(request, parameters)
  local detector = parse.read(incoming.reader(request), incoming.defaults(true))
  local guard = incoming.guard(request)
  incoming.check_refresh(request)
  request:allow(parameters)
  detector.last_update_time = time.now_ms()
  return detector, guard
end

paths.both(routes, "POST /detectors", "detector/write", function(request)
  local detector = sent(request, { "refresh", "if_seq_no", "if_primary_term", "detectorID" })
  checks.for_create(detector)
  detector.user = rights.present()
  local answer = stored.write("Fail to create detector", registry.create, detector)
  return reply.created(written(answer, detector), LOCATION .. answer._id)
end)

paths.both(routes, "PUT /detectors/{id}", "detector/write", function(request)
  local id = request.params.id
  local detector, guard = sent(request, { "refresh", "if_seq_no", "if_primary_term" })
  checks.for_update(id, detector)
  detector.user = stored.detector(id)._source.user or rights.present()
  if guard.if_seq_no and not guard.if_primary_term then
    refuse.status(400, "Validation Failed: 1: ifSeqNo is set, but primary term is [0];")
  end
  local answer = stored.write("Fail to update detector", registry.update, id, detector, guard)
  return reply.ok(written(answer, detector))
end)

local function get(request)
  local id = request.params.id
  local with_job, with_tasks = request:flag "job", request:flag "task"
  incoming.long(request, "version")
  request:allow { "job", "task", "version" }
  local found = stored.detector(id)
  return reply.ok(json.ordered({
    _id = id,
    _version = found._version,
    _primary_term = found._primary_term,
    _seq_no = found._seq_no,
    anomaly_detector = document.shown(found._source),
    anomaly_detector_job = with_job and (stored.job(id) or json.null) or nil,
    realtime_task = with_tasks and (stored.task(id, "realtime") or json.null) or nil,
    historical_analysis_task = with_tasks and (stored.task(id, "historical") or json.null) or nil,
  }, READ))
end

paths.both(routes, "GET /detectors/{id}", "detectors/get", get)
paths.both(routes, "HEAD /detectors/{id}", "detectors/get", get)

paths.both(routes, "DELETE /detectors/{id}", "detector/delete", function(request)
  request:allow {}
  local id = request.params.id
  checks.for_delete(id)
  if settings.get "delete_anomaly_result_when_delete_detector" then
    removal.by_query(result_index.PATTERN, { query = { term = { detector_id = id } } })
  end
  local answer = stored.delete(id)
  return reply.ok(json.ordered({
    _index = answer._index,
    _id = answer._id,
    _version = answer._version,
    result = answer.result,
    forced_refresh = true,
    _shards = { total = 1, successful = 1, failed = 0 },
    _seq_no = answer._seq_no,
    _primary_term = answer._primary_term,
  }, DELETED))
end)

return routes
