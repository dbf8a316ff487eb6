--- Routes: numbers about all detectors (opensearch-ad.md 3.16).
-- What the plugin counts in memory is counted here from what is stored, so it survives a restart.
-- @module blip.api.opensearch.stats
local json = require "runtime.json"
local live = require "blip.api.opensearch.live"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"
local result_index = require "blip.api.opensearch.result_index"
local stored = require "blip.api.opensearch.stored"

local MOST_JOBS = 10000
local NOT_OF_TASK = { { exists = { field = "task_id" } } }
local BATCH_TYPES = { "HISTORICAL_SINGLE_ENTITY", "HISTORICAL_HC_DETECTOR" }

local routes = {}

local function status_of(index)
  return function()
    return stored.exists(index) and "green" or "non-existent"
  end
end

local CATEGORIES = { exists = { field = "category_field" } }

-- Statistics of the whole cluster, by name.
local CLUSTER = {
  anomaly_detectors_index_status = status_of(stored.INDEX),
  anomaly_results_index_status = status_of ".opendistro-anomaly-results",
  models_checkpoint_index_status = status_of ".opendistro-anomaly-checkpoints",
  anomaly_detection_state_status = status_of(stored.TASKS),
  anomaly_detection_job_index_status = status_of(stored.JOBS),
  forecast_config_index_status = status_of ".opensearch-forecasters",
  detector_count = function()
    return stored.count()
  end,
  hc_detector_count = function()
    return stored.count(CATEGORIES)
  end,
  single_stream_detector_count = function()
    return stored.count { bool = { must_not = { CATEGORIES } } }
  end,
}

-- How many documents of an index a query finds.
local function total(index, query)
  local body = { size = 0, track_total_hits = true, query = query }
  return assert(stored.search({ index }, body)).hits.total.value
end

local function results(...)
  return total(result_index.PATTERN, { bool = { filter = { ... }, must_not = NOT_OF_TASK } })
end

local ENTITY = { wildcard = { model_id = "*_entity_*" } }
local SINGLE = { wildcard = { model_id = "*_model_rcf_0" } }
local FAILED = { exists = { field = "error" } }

-- How many runs wrote results: those of one run share its time.
local function runs(...)
  local answer = assert(stored.search({ result_index.PATTERN }, {
    size = 0,
    query = { bool = { filter = { ... }, must_not = NOT_OF_TASK } },
    aggs = { runs = { cardinality = { field = "execution_start_time" } } },
  }))
  return answer.aggregations and answer.aggregations.runs.value or 0
end

-- Counts the historical analyses that are in one of some states.
local function in_states(...)
  local filters = { { terms = { task_type = BATCH_TYPES } }, { terms = { state = { ... } } } }
  return function()
    return total(stored.TASKS, { bool = { filter = filters } })
  end
end

-- The models of all running detectors.
local function models()
  local list = {}
  if not stored.exists(stored.JOBS) then
    return list
  end
  local running = assert(stored.search({ stored.JOBS }, {
    size = MOST_JOBS,
    query = { term = { enabled = true } },
  }))
  for _, hit in ipairs(running.hits.hits) do
    local _, last_ms = live.results(hit._id)
    for _, model in ipairs(live.models(hit._id)) do
      list[#list + 1] = {
        model_id = model.model_id,
        model_type = "trcf",
        entity = model.entity,
        last_used_time = last_ms,
        last_checkpoint_time = last_ms,
      }
    end
  end
  return list
end

-- Statistics of the node, by name.
local NODE = {
  ad_execute_request_count = function()
    return results(SINGLE) + results(FAILED)
  end,
  ad_execute_failure_count = function()
    return results(FAILED)
  end,
  ad_hc_execute_request_count = function()
    return runs(ENTITY)
  end,
  ad_hc_execute_failure_count = function()
    return 0
  end,
  ad_executing_batch_task_count = in_states("CREATED", "INIT", "RUNNING"),
  ad_canceled_batch_task_count = in_states "STOPPED",
  ad_batch_task_failure_count = in_states "FAILED",
  ad_total_batch_task_execution_count = in_states(
    "CREATED",
    "INIT",
    "RUNNING",
    "STOPPED",
    "FAILED",
    "FINISHED"
  ),
  ad_model_corruption_count = function()
    return 0
  end,
  models = function()
    return json.array(models())
  end,
  model_count = function()
    return #models()
  end,
}

-- The set of names in a comma list; nil for all of them.
local function asked(request)
  local names, count = {}, 0
  for name in (request.params.stat or "_all"):gmatch "[^,]+" do
    names[name], count = true, count + 1
  end
  if names._all then
    if count > 1 then
      refuse.argument("Request %s contains _all and individual stats", request.path)
    end
    return nil
  end
  for name in pairs(names) do
    if not CLUSTER[name] and not NODE[name] then
      refuse.argument("request [%s] contains unrecognized stat: [%s]", request.path, name)
    end
  end
  return names
end

-- Whether a list of node ids means this node.
local function means_here(nodes)
  for id in (nodes or "_all"):gmatch "[^,]+" do
    if id == "_all" or id == "_local" or id == live.NODE then
      return true
    end
  end
  return false
end

local function stats(request)
  local names = asked(request)
  request:allow { "timeout" }
  local answer, node = {}, json.object {}
  for name, value in pairs(CLUSTER) do
    answer[name] = (not names or names[name]) and value() or nil
  end
  local here = means_here(request.params.nodeId)
  for name, value in pairs(here and NODE or {}) do
    node[name] = (not names or names[name]) and value() or nil
  end
  answer.nodes = json.object { [live.NODE] = here and node or nil }
  return reply.ok(answer)
end

for _, path in ipairs { "/stats", "/stats/{stat}", "/{nodeId}/stats", "/{nodeId}/stats/{stat}" } do
  paths.both(routes, "GET " .. path, "detector/stats", stats)
end

return routes
