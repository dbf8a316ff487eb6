--- Routes about the server itself: its name and its health.
-- @module blip.api.cluster
local catalog = require "blip.index.catalog"
local fail = require "blip.fail"
local json = require "runtime.json"
local metric = require "runtime.metric"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local settings = require "blip.index.settings"

local routes = {}

local BUILD_DATE = "2026-01-01T00:00:00.000000000Z"

--- What we are to clients that speak OpenSearch's dialect, not our own version.
local OPENSEARCH = {
  distribution = "opensearch", number = "3.6.0", build_type = "unknown", build_hash = "blip",
  build_date = BUILD_DATE, build_snapshot = false, lucene_version = "10.4.0",
  minimum_wire_compatibility_version = "2.19.0", minimum_index_compatibility_version = "2.0.0",
}
local VERSION_ORDER = {
  "distribution", "number", "build_flavor", "build_type", "build_hash", "build_date", "build_snapshot",
  "lucene_version", "minimum_wire_compatibility_version", "minimum_index_compatibility_version",
}

--- And to Elastic's own clients, which talk to nobody else (elastic-ml.md 1.3): a server of their
-- major version, for what they call is the same in all of them.
local ELASTIC = { [7] = "7.17.29", [8] = "8.19.0", [9] = "9.1.0" }
local NEWEST = 9

local function elastic_version(major)
  return json.ordered({
    number = ELASTIC[major], build_flavor = "default", build_type = "unknown", build_hash = "blip",
    build_date = BUILD_DATE, build_snapshot = false,
    lucene_version = "10.2.2", minimum_wire_compatibility_version = "7.17.0",
    minimum_index_compatibility_version = "7.0.0",
  }, VERSION_ORDER)
end

-- The major version of an Elastic client; nil for all others. They say it in a header of their own,
-- and in the media types that they ask for.
local function elastic_major(request)
  local told = request.headers["x-elastic-client-meta"] or ""
  local asked = (request.headers.accept or ""):match "compatible%-with=(%d+)"
  local agent = (request.headers["user-agent"] or ""):match "^elasticsearch%-%a+/(%d+)"
  local major = tonumber(asked or told:match "^es=(%d+)" or agent)
  if not major then return nil end
  return ELASTIC[major] and major or NEWEST
end

--- Who answers.
routes["GET /"] = needs("cluster:monitor/main", function(request)
  request:allow {}
  local major = elastic_major(request)
  return reply.ok(json.ordered({
    name = "blip", cluster_name = "blip", cluster_uuid = "_na_",
    version = major and elastic_version(major) or json.ordered(OPENSEARCH, VERSION_ORDER),
    tagline = major and "You Know, for Search" or "The OpenSearch Project: https://opensearch.org/",
  }, { "name", "cluster_name", "cluster_uuid", "version", "tagline" }))
end)

routes["HEAD /"] = routes["GET /"]

--- Counters and gauges as Prometheus reads them. Without users the host answers this itself.
routes["GET /metrics"] = needs("cluster:monitor/metrics", function(request)
  request:allow {}
  return reply.text(200, metric.text(), "text/plain; version=0.0.4; charset=utf-8")
end)

-- --- health ---------------------------------------------------------------------------------

local RANKS = { green = 1, yellow = 2, red = 3 }

--- One process has no place for copies: an index that wants some is yellow, as it is on one node of
-- a cluster.
local function index_health(name)
  local shards, replicas = settings.shards(catalog.find(name))
  return {
    status = replicas == 0 and "green" or "yellow", number_of_shards = shards, number_of_replicas = replicas,
    active_primary_shards = shards, active_shards = shards, relocating_shards = 0, initializing_shards = 0,
    unassigned_shards = shards * replicas,
  }
end

local function with_shards(health)
  health.shards = {}
  for i = 1, health.number_of_shards do
    health.shards[tostring(i - 1)] = {
      status = health.status, primary_active = true, active_shards = 1, relocating_shards = 0,
      initializing_shards = 0, unassigned_shards = health.number_of_replicas,
    }
  end
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

--- The health of all of these indices together.
local function total_health(list)
  local total = {
    cluster_name = "blip", status = "green", number_of_nodes = 1, number_of_data_nodes = 1,
    discovered_master = true, discovered_cluster_manager = true, active_primary_shards = 0, active_shards = 0,
    relocating_shards = 0, initializing_shards = 0, unassigned_shards = 0, delayed_unassigned_shards = 0,
    number_of_pending_tasks = 0, number_of_in_flight_fetch = 0, task_max_waiting_in_queue_millis = 0,
  }
  for _, name in ipairs(list) do
    local one = index_health(name)
    for _, key in ipairs { "active_primary_shards", "active_shards", "unassigned_shards" } do
      total[key] = total[key] + one[key]
    end
    if RANKS[one.status] > RANKS[total.status] then total.status = one.status end
  end
  local wanted = total.active_shards + total.unassigned_shards
  total.active_shards_percent_as_number = wanted == 0 and 100.0 or total.active_shards * 100.0 / wanted
  return total
end

local function health(request)
  request:allow {
    "level", "wait_for_status", "timeout", "wait_for_nodes", "wait_for_active_shards", "wait_for_events",
    "wait_for_no_relocating_shards", "wait_for_no_initializing_shards", "local", "master_timeout",
    "cluster_manager_timeout", "expand_wildcards", "awareness_attribute", "ensure_node_weighed_in",
  }
  local wanted = request.query.wait_for_status
  if wanted and not RANKS[wanted] then
    assert(fail.invalid("No enum constant org.opensearch.cluster.health.ClusterHealthStatus.%s",
      wanted:upper()))
  end
  local level = request.query.level or "cluster"
  -- The sums are the server's own; the names of indices are their owners'.
  local named = request.params.index or level ~= "cluster"
  local list, err = names.expand(request.params.index or "_all", {
    expand_wildcards = request.query.expand_wildcards or "all", action = named and "indices:monitor/stats",
  })
  local present = list ~= nil
  if not present and err.status ~= 404 then error(err, 0) end
  list = list or {}
  local answer = total_health(list)
  if not present then answer.status = "red" end
  answer.timed_out = not present or RANKS[answer.status] > RANKS[wanted or "red"]
    or not nodes_suffice(request.query.wait_for_nodes)
  if level ~= "cluster" then
    answer.indices = {}
    for _, name in ipairs(list) do
      answer.indices[name] = level == "shards" and with_shards(index_health(name)) or index_health(name)
    end
    json.object(answer.indices)
  end
  return reply.status(answer.timed_out and 408 or 200, json.ordered(answer, HEALTH_ORDER))
end

--- How the server is.
routes["GET /_cluster/health"] = needs("cluster:monitor/health", health)
routes["GET /_cluster/health/{index}"] = needs("cluster:monitor/health", health)

return routes
