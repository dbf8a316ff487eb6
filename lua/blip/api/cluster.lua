--- Routes about the server itself: its name and its health.
-- @module blip.api.cluster
local fail = require "blip.fail"
local json = require "runtime.json"
local names = require "blip.index.names"
local reply = require "blip.api.reply"

local routes = {}

--- The dialect that clients are to speak with us, not our own version.
local DIALECT = {
  distribution = "opensearch", number = "3.6.0", build_type = "unknown", build_hash = "blip",
  build_date = "2026-01-01T00:00:00.000000000Z", build_snapshot = false, lucene_version = "10.4.0",
  minimum_wire_compatibility_version = "2.19.0", minimum_index_compatibility_version = "2.0.0",
}
local DIALECT_ORDER = {
  "distribution", "number", "build_type", "build_hash", "build_date", "build_snapshot", "lucene_version",
  "minimum_wire_compatibility_version", "minimum_index_compatibility_version",
}

--- Who answers.
routes["GET /"] = function(request)
  request:allow {}
  return reply.ok(json.ordered({
    name = "blip", cluster_name = "blip", cluster_uuid = "_na_",
    version = json.ordered(DIALECT, DIALECT_ORDER),
    tagline = "The OpenSearch Project: https://opensearch.org/",
  }, { "name", "cluster_name", "cluster_uuid", "version", "tagline" }))
end

-- --- health ---------------------------------------------------------------------------------

local STATUSES = { green = true, yellow = true, red = true }

local function index_health()
  return {
    status = "green", number_of_shards = 1, number_of_replicas = 0,
    active_primary_shards = 1, active_shards = 1, relocating_shards = 0,
    initializing_shards = 0, unassigned_shards = 0,
  }
end

local function with_shards(health)
  health.shards = { ["0"] = {
    status = "green", primary_active = true, active_shards = 1, relocating_shards = 0,
    initializing_shards = 0, unassigned_shards = 0,
  } }
  return health
end

local HEALTH_ORDER = {
  "cluster_name", "status", "timed_out", "number_of_nodes", "number_of_data_nodes", "discovered_master",
  "discovered_cluster_manager", "active_primary_shards", "active_shards", "relocating_shards",
  "initializing_shards", "unassigned_shards", "delayed_unassigned_shards", "number_of_pending_tasks",
  "number_of_in_flight_fetch", "task_max_waiting_in_queue_millis", "active_shards_percent_as_number",
  "indices",
}

local function nodes_suffice(text)
  if not text then return true end
  local operator, number = text:match "^([<>=]*)(%d+)$"
  number = tonumber(number)
  if not number then operator, number = text:match "^(%a+)%((%d+)%)$" end
  number = tonumber(number) or 1
  local holds = {
    [""] = 1 >= number, [">="] = 1 >= number, ["<="] = 1 <= number, [">"] = 1 > number, ["<"] = 1 < number,
    ge = 1 >= number, le = 1 <= number, gt = 1 > number, lt = 1 < number,
  }
  return holds[operator or ""]
end

local function health(request)
  request:allow {
    "level", "wait_for_status", "timeout", "wait_for_nodes", "wait_for_active_shards", "wait_for_events",
    "wait_for_no_relocating_shards", "wait_for_no_initializing_shards", "local", "master_timeout",
    "cluster_manager_timeout", "expand_wildcards", "awareness_attribute", "ensure_node_weighed_in",
  }
  local wanted = request.query.wait_for_status
  if wanted and not STATUSES[wanted] then
    assert(fail.invalid("No enum constant org.opensearch.cluster.health.ClusterHealthStatus.%s",
      wanted:upper()))
  end
  local list, err = names.expand(request.params.index or "_all", {
    expand_wildcards = request.query.expand_wildcards or "all",
  })
  local present = list ~= nil
  if not present and err.status ~= 404 then error(err, 0) end
  list = list or {}
  local timed_out = not present or not nodes_suffice(request.query.wait_for_nodes)
  local answer = {
    cluster_name = "blip", status = present and "green" or "red", timed_out = timed_out, number_of_nodes = 1,
    number_of_data_nodes = 1, discovered_master = true, discovered_cluster_manager = true,
    active_primary_shards = #list, active_shards = #list, relocating_shards = 0, initializing_shards = 0,
    unassigned_shards = 0, delayed_unassigned_shards = 0, number_of_pending_tasks = 0,
    number_of_in_flight_fetch = 0, task_max_waiting_in_queue_millis = 0,
    active_shards_percent_as_number = 100.0,
  }
  local level = request.query.level or "cluster"
  if level ~= "cluster" then
    answer.indices = {}
    for _, name in ipairs(list) do
      answer.indices[name] = level == "shards" and with_shards(index_health()) or index_health()
    end
    json.object(answer.indices)
  end
  return reply.status(timed_out and 408 or 200, json.ordered(answer, HEALTH_ORDER))
end

--- How the server is.
routes["GET /_cluster/health"] = health
routes["GET /_cluster/health/{index}"] = health

return routes
