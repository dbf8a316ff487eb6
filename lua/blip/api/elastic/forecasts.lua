--- Routes: forecasts (elastic-ml.md 7.9), which are checked and then refused: nothing makes any.
-- @module blip.api.elastic.forecasts
local answers = require "blip.api.elastic.answers"
local config = require "blip.job.config"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local state = require "blip.job.state"
local store = require "runtime.store"
local units = require "blip.job.units"

local FORECAST, DELETE = "cluster:admin/xpack/ml/job/forecast", "cluster:admin/xpack/ml/job/forecast/delete"
local PATH = "/anomaly_detectors/{job_id}/_forecast"
local MAX_DURATION_MS, DAY = 3650 * 86400000, 86400000
local MIN_MEMORY, MAX_MEMORY = 1 << 20, 500 << 20

local routes = {}

local forecast_options = options.new(FORECAST, {
  job_id = options.text, duration = options.text, expires_in = options.text, max_model_memory = options.text,
})

local function check_duration(text, job)
  local ms, span = units.time_ms(text, "duration"), config.bucket_span_ms(job)
  if ms <= 0 then
    refuse.argument("[duration] must be positive: [%s]", ms < 0 and "-1" or text)
  elseif ms > MAX_DURATION_MS then
    refuse.argument("[duration] must be 3650d or less: [%dd]", ms // DAY)
  elseif ms < span then
    refuse.status(400, "[duration] must be greater or equal to the bucket span: [%s/%s]", text,
      job.analysis_config.bucket_span)
  end
end

local function check_memory(text)
  local bytes = units.bytes(text, "max_model_memory")
  if bytes < MIN_MEMORY then
    refuse.argument "[max_model_memory] must be at least 1mb."
  elseif bytes >= MAX_MEMORY then
    refuse.argument "[max_model_memory] must be less than 500mb"
  end
end

local function check(given, job)
  check_duration(given.duration or "1d", job)
  local expiry = given.expires_in and units.time_ms(given.expires_in, "expires_in")
  if expiry and expiry < 0 then refuse.argument "[expires_in] must be non-negative: [-1]" end
  if given.max_model_memory then check_memory(given.max_model_memory) end
end

paths.both(routes, "POST " .. PATH, FORECAST, function(request)
  local given = forecast_options:read(request)
  local job = registry.get(request.params.job_id)
  check(given, job)
  assert(state.check_open(assert(state.load(store.connection(), job.job_id))))
  refuse.status(400, "Cannot run forecast: Forecast is not supported")
end)

local delete_options = options.query { allow_no_forecasts = options.boolean, timeout = options.time_value }

local function delete(request)
  local given, ids = delete_options:read(request), request.params.forecast_id or "_all"
  local all = ids == "_all" or ids == "*"
  if all and given.allow_no_forecasts ~= false then return answers.acknowledged() end
  refuse.missing("No forecast(s) [%s] exists for job [%s]", ids, request.params.job_id)
end

paths.both(routes, "DELETE " .. PATH, DELETE, delete)
paths.both(routes, "DELETE " .. PATH .. "/{forecast_id}", DELETE, delete)

return routes
