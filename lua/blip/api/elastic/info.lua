--- Routes about all jobs together: defaults and limits, memory, upgrade mode, what has expired
-- (elastic-ml.md 7.11).
-- @module blip.api.elastic.info
local answers = require "blip.api.elastic.answers"
local capacity = require "blip.job.capacity"
local categorization = require "blip.job.categorization"
local expiry = require "blip.job.expiry"
local json = require "runtime.json"
local node = require "blip.job.node"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local settings = require "blip.job.settings"
local size = require "blip.job.size"
local state = require "blip.job.state"
local store = require "runtime.store"

local ADMIN, MONITOR = "cluster:admin/xpack/ml/", "cluster:monitor/xpack/ml/"
local VERSION, BUILD = "8.4.0", "blip"
local MEBIBYTE = 1 << 20

local routes = {}

local function mb(bytes)
  return ("%dmb"):format(bytes // MEBIBYTE)
end

local function defaults()
  return json.ordered({
    anomaly_detectors = json.ordered({
      categorization_analyzer = categorization.default_analyzer(),
      model_memory_limit = settings.size_text(settings.default_memory_bytes()),
      categorization_examples_limit = 4,
      model_snapshot_retention_days = 10,
      daily_model_snapshot_retention_after_days = 1,
    }, {
      "categorization_analyzer", "model_memory_limit", "categorization_examples_limit",
      "model_snapshot_retention_days", "daily_model_snapshot_retention_after_days",
    }),
    datafeeds = { scroll_size = 1000 },
  }, { "anomaly_detectors", "datafeeds" })
end

local function limits()
  local most = settings.max_model_memory_bytes()
  return json.ordered({
    max_model_memory_limit = most and settings.size_text(most),
    effective_max_model_memory_limit = mb(math.min(most or math.maxinteger, capacity.most_bytes())),
    total_ml_memory = mb(capacity.most_bytes()),
  }, { "max_model_memory_limit", "effective_max_model_memory_limit", "total_ml_memory" })
end

paths.both(routes, "GET /info", MONITOR .. "info/get", function(request)
  request:allow {}
  return reply.ok(json.ordered({
    defaults = defaults(), upgrade_mode = settings.upgrade_mode(),
    native_code = { version = VERSION, build_hash = BUILD }, limits = limits(),
  }, { "defaults", "upgrade_mode", "native_code", "limits" }))
end)

-- --- memory ---------------------------------------------------------------------------------

local memory_options = options.query { timeout = options.time_value, master_timeout = options.time_value }

-- What the models of open jobs take.
local function used_bytes()
  local rows, sum = assert(state.all(store.connection())), 0
  for _, job in ipairs(registry.list()) do
    local row = rows[job.job_id]
    if row and row.state == "opened" then sum = sum + size.load(job).model_bytes end
  end
  return sum
end

local function node_memory()
  local shown = node.shown()
  shown.roles = json.array { "data", "ingest", "master", "ml" }
  shown.mem = json.ordered({
    total_in_bytes = capacity.machine_bytes(), adjusted_total_in_bytes = capacity.machine_bytes(),
    ml = json.ordered({
      max_in_bytes = capacity.most_bytes(), native_code_overhead_in_bytes = 0,
      anomaly_detectors_in_bytes = used_bytes(), data_frame_analytics_in_bytes = 0,
      native_inference_in_bytes = 0,
    }, { "max_in_bytes", "native_code_overhead_in_bytes", "anomaly_detectors_in_bytes" }),
  }, { "total_in_bytes", "adjusted_total_in_bytes", "ml" })
  shown.jvm = { heap_max_in_bytes = 0, java_inference_max_in_bytes = 0, java_inference_in_bytes = 0 }
  return shown
end

local function memory(request)
  memory_options:read(request)
  return reply.ok(json.ordered({
    _nodes = json.ordered({ total = 1, successful = 1, failed = 0 }, { "total", "successful", "failed" }),
    cluster_name = "blip", nodes = { [node.ID] = node_memory() },
  }, { "_nodes", "cluster_name", "nodes" }))
end

paths.both(routes, "GET /memory/_stats", MONITOR .. "memory/stats/get", memory)
paths.both(routes, "GET /memory/{node_id}/_stats", MONITOR .. "memory/stats/get", memory)

-- --- upgrade mode ---------------------------------------------------------------------------

local mode_options = options.query { enabled = options.boolean, timeout = options.time_value }

paths.both(routes, "POST /set_upgrade_mode", ADMIN .. "upgrade_mode", function(request)
  settings.set_upgrade_mode(mode_options:read(request).enabled or false)
  return answers.acknowledged()
end)

-- --- what has expired -----------------------------------------------------------------------

local expiry_options = options.new(ADMIN .. "delete_expired_data", {
  timeout = options.time_value, requests_per_second = options.number, job_id = options.text,
})

local function delete_expired(request)
  local wanted = expiry_options:read(request)
  expiry.run(request.params.job_id or wanted.job_id)
  return reply.ok { deleted = true }
end

paths.both(routes, "DELETE /_delete_expired_data", ADMIN .. "delete_expired_data", delete_expired)
paths.both(routes, "DELETE /_delete_expired_data/{job_id}", ADMIN .. "delete_expired_data", delete_expired)

return routes
