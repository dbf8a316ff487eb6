--- Routes: what a detector's real-time run made of one window (opensearch-ad.md 3.14).
-- The plugin scores the window with the models in memory; here a window is scored once, when it
-- is due, and this reads what came out. A window that was not scored has no numbers.
-- @module blip.api.opensearch.run_once
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local paths = require "blip.api.opensearch.paths"
local periods = require "blip.api.opensearch.periods"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"
local result_index = require "blip.api.opensearch.result_index"
local stored = require "blip.api.opensearch.stored"

local MINUTE_MS = 60000
local ANSWER = {
  "anomalyGrade",
  "confidence",
  "anomalyScore",
  "error",
  "features",
  "rcfTotalUpdates",
  "detectorIntervalInMinutes",
  "relativeIndex",
  "relevantAttribution",
  "pastValues",
  "expectedValuesList",
  "likelihoodOfValues",
  "threshold",
  "task_id",
}

local routes = {}

local function read_window(reader)
  local window = {}
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "period_start" then
      window.from = reader:instant()
    elseif name == "period_end" then
      window.to = reader:instant()
    else
      reader:skip()
    end
  end)
  return window
end

local function refusal_of(window)
  if not window.from or not window.to then
    return "Must set both period start and end date with epoch of milliseconds"
  elseif window.from >= window.to then
    return "Period start date should be before end date"
  end
end

-- The real-time result of a window; an empty table when there is none.
local function result_of(id, window)
  local answer = assert(stored.search({ result_index.PATTERN }, {
    size = 1,
    query = {
      bool = {
        filter = {
          { term = { detector_id = id } },
          { term = { data_start_time = window.from } },
          { term = { data_end_time = window.to } },
        },
        must_not = { { exists = { field = "task_id" } } },
      },
    },
  }))
  local hit = answer.hits.hits[1]
  return hit and json.plain(hit._source) or {}
end

local function shown(result, detector)
  local expected = result.expected_values and result.expected_values[1]
  return json.ordered({
    anomalyGrade = result.anomaly_grade or "NaN",
    confidence = result.confidence or "NaN",
    anomalyScore = result.anomaly_score or "NaN",
    error = result.error or json.null,
    features = result.feature_data or json.array {},
    rcfTotalUpdates = json.null,
    detectorIntervalInMinutes = periods.ms(detector.detection_interval) // MINUTE_MS,
    relativeIndex = json.null,
    relevantAttribution = result.relevant_attribution or json.null,
    pastValues = result.past_values or json.null,
    expectedValuesList = expected and json.array { expected.value_list } or json.null,
    likelihoodOfValues = expected and json.array { expected.likelihood } or json.null,
    threshold = result.threshold or "NaN",
    task_id = json.null,
  }, ANSWER)
end

paths.both(routes, "POST /detectors/{id}/_run", "detector/run", function(request)
  local window = read_window(incoming.reader(request))
  request:allow {}
  local text = refusal_of(window)
  if text then
    return reply.text(400, text)
  elseif not stored.any() then
    refuse.internal_failure(stored.INDEX)
  end
  local found = stored.find(request.params.id)
  if not found then
    refuse.end_run "config is not available."
  end
  return reply.ok(shown(result_of(request.params.id, window), found._source))
end)

return routes
