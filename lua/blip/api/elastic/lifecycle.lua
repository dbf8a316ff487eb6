--- Routes: open, close and reset jobs (elastic-ml.md 7.2 and 7.7).
-- @module blip.api.elastic.lifecycle
local answers = require "blip.api.elastic.answers"
local datafeed = require "blip.job.datafeed"
local json = require "runtime.json"
local lifecycle = require "blip.job.lifecycle"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local settings = require "blip.job.settings"
local time = require "runtime.time"

local routes = {}

local ADMIN = "cluster:admin/xpack/ml/job/"

-- --- open -----------------------------------------------------------------------------------

local open_options = options.new(ADMIN .. "open", { job_id = options.text, timeout = options.time_value })

local function check_assignment()
  if settings.upgrade_mode() then
    refuse.status(429, "Cannot open jobs when upgrade mode is enabled")
  elseif settings.assignment_disabled() then
    refuse.status(429, "Cannot open jobs because persistent task assignment is disabled by the "
      .. "[cluster.persistent_tasks.allocation.enable] setting")
  end
end

paths.both(routes, "POST /anomaly_detectors/{job_id}/_open", ADMIN .. "open", function(request)
  open_options:read(request)
  local job = registry.get(request.params.job_id)
  check_assignment()
  local opened = assert(lifecycle.open(job))
  return reply.ok(json.ordered({ opened = true, node = opened.node }, { "opened", "node" }))
end)

-- --- close ----------------------------------------------------------------------------------

local close_options = options.new(ADMIN .. "close", {
  job_id = options.text, allow_no_match = options.boolean, force = options.boolean,
  timeout = options.time_value,
})

paths.both(routes, "POST /anomaly_detectors/{job_id}/_close", ADMIN .. "close", function(request)
  local given = close_options:read(request)
  for _, job in ipairs(registry.list(request.params.job_id, given.allow_no_match)) do
    assert(datafeed.stop_of(job.job_id))
    local was_open, err = lifecycle.close(job, given.force)
    if was_open == nil then error(err, 0) end
  end
  return reply.ok { closed = true }
end)

-- --- reset ----------------------------------------------------------------------------------

local reset_options = options.query {
  wait_for_completion = options.boolean, delete_user_annotations = options.boolean,
}

paths.both(routes, "POST /anomaly_detectors/{job_id}/_reset", ADMIN .. "reset", function(request)
  local given = reset_options:read(request)
  local job = registry.get(request.params.job_id)
  if settings.upgrade_mode() then
    refuse.status(409, "cannot reset job while indices are being upgraded")
  end
  local started_ms = time.now_ms()
  assert(lifecycle.reset(job, given))
  if given.wait_for_completion == false then return answers.task(ADMIN .. "reset", started_ms) end
  return answers.acknowledged()
end)

return routes
