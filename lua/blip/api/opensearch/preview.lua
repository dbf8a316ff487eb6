--- Routes: run a detector over a past period and store nothing (opensearch-ad.md 3.9).
-- @module blip.api.opensearch.preview
local document = require "blip.api.opensearch.document"
local features = require "blip.api.opensearch.features"
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local log = require "runtime.log"
local normal = require "blip.api.opensearch.normal"
local over_sample = require "blip.detector.preview"
local owners = require "blip.api.opensearch.owners"
local parse = require "blip.api.opensearch.parse"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"
local settings = require "blip.api.opensearch.settings"
local source_checks = require "blip.api.opensearch.source_checks"
local stored = require "blip.api.opensearch.stored"

-- What a detector that is not stored is called while it runs.
local UNSAVED = "unsaved"
local RESULT = {
  "detector_id",
  "schema_version",
  "data_start_time",
  "data_end_time",
  "feature_data",
  "anomaly_score",
  "anomaly_grade",
  "confidence",
  "entity",
  "approx_anomaly_start_time",
  "relevant_attribution",
  "past_values",
  "expected_values",
  "threshold",
}
local ANSWER = { "anomaly_result", "anomaly_detector" }

local routes = {}

-- What a body asks for: a period, and a detector or the id of one. An id counts for the detector
-- only when it comes first, as the plugin reads it.
local function read(reader)
  local asked = {}
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "period_start" then
      asked.from = reader:instant()
    elseif name == "period_end" then
      asked.to = reader:instant()
    elseif name == "detector_id" then
      asked.id = reader:text()
    elseif name == "detector" then
      asked.detector, asked.detector_id = parse.read(reader, incoming.defaults(false)), asked.id
    else
      reader:skip()
    end
  end)
  return asked
end

-- Why a period cannot be run, in plain text; nil when it can.
local function refusal_of(asked, id)
  if not asked.from or not asked.to then
    return "Must set both period start and end date with epoch of milliseconds"
  elseif asked.from >= asked.to then
    return "Period start date should be before end date"
  elseif not asked.detector and not id then
    return "Must set detector id or detector"
  end
end

-- The stored detector, in the words that only the preview has.
local function find(id)
  owners.check(id)
  if not stored.any() then
    refuse.status(500, "Could not execute get query to find detector")
  end
  local found = stored.find(id)
  if not found then
    refuse.status(404, "Can't find anomaly detector with id:%s", id)
  end
  return found._source
end

local function check(detector)
  source_checks.readable(detector)
  if #detector.feature_attributes == 0 then
    refuse.status(400, "Can't preview detector without feature")
  end
  features.check_list(detector.feature_attributes, settings.get "max_anomaly_features")
end

-- The results; none where the plugin gives none either: too little data, no enabled feature, a
-- source that fails.
local function run(id, detector, asked)
  if features.enabled(detector.feature_attributes) == 0 then
    return json.array {}
  end
  local definition = assert(normal.definition(id or UNSAVED, detector))
  local results, err = over_sample.run(definition, asked.from, asked.to)
  if not results then
    log.info("preview_without_results", { detector = detector.name, reason = err.reason })
    return json.array {}
  end
  for _, result in ipairs(results) do
    result.detector_id = id or json.null
    json.ordered(result, RESULT)
  end
  return json.array(results)
end

local function preview(request)
  local asked = read(incoming.reader(request))
  request:allow {}
  local id = request.params.id or asked.id
  local text = refusal_of(asked, id)
  if text then
    return reply.text(400, text)
  end
  local shown, results
  if asked.detector then
    check(asked.detector)
    shown, results = asked.detector, run(asked.detector_id, asked.detector, asked)
  else
    local detector = find(id)
    check(detector)
    shown, results = document.shown(detector), run(id, detector, asked)
  end
  return reply.ok(json.ordered({ anomaly_result = results, anomaly_detector = shown }, ANSWER))
end

paths.both(routes, "POST /detectors/{id}/_preview", "detector/preview", preview)
paths.current(routes, "POST /detectors/_preview", "detector/preview", preview)

return routes
