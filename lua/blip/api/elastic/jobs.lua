--- Routes: create, read, change and delete jobs (elastic-ml.md 2.1 and 3).
-- @module blip.api.elastic.jobs
local analysis = require "blip.job.analysis"
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local config = require "blip.job.config"
local context = require "blip.job.context"
local job_body = require "blip.api.elastic.job_body"
local ids = require "blip.job.ids"
local job_index = require "blip.result.job_index"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local state = require "blip.job.state"
local store = require "runtime.store"
local update = require "blip.job.update"

local TIMES = { "create_time", "finished_time" }
local INDICES_OPTIONS = { "ignore_unavailable", "allow_no_indices", "ignore_throttled", "expand_wildcards" }

local routes = {}

local function shown(request, job)
  return answers.human(request, job, TIMES)
end

local function warn_of_span(request, job)
  local text = analysis.span_warning(job.analysis_config.bucket_span)
  if text then paths.warn(request, text) end
end

paths.both(routes, "PUT /anomaly_detectors/{job_id}", "cluster:admin/xpack/ml/job/put", function(request)
  request:allow(INDICES_OPTIONS)
  local sent = job_body.read(bodies.text(request), request.legacy)
  local job = config.new(sent, { id = request.params.job_id })
  registry.check_free(job)
  assert(job_index.prepare(job))
  registry.create(job)
  warn_of_span(request, job)
  return reply.ok(shown(request, job))
end)

local list_options = options.new("cluster:monitor/xpack/ml/job/get", {
  allow_no_match = options.boolean, exclude_generated = options.boolean,
})

local function get(request)
  local wanted = list_options:read(request)
  local list = {}
  for i, job in ipairs(registry.list(request.params.job_id, wanted.allow_no_match)) do
    list[i] = shown(request, wanted.exclude_generated and config.exported(job) or job)
  end
  return answers.list("jobs", list)
end

paths.both(routes, "GET /anomaly_detectors", "cluster:monitor/xpack/ml/job/get", get)
paths.both(routes, "GET /anomaly_detectors/{job_id}", "cluster:monitor/xpack/ml/job/get", get)

-- What an update must know of the job besides its configuration.
local function state_of(id)
  local row = assert(state.load(assert(store.connection()), id))
  return { is_open = row.state == "opened" }
end

paths.both(routes, "POST /anomaly_detectors/{job_id}/_update", "cluster:admin/xpack/ml/job/update", function(request)
  request:allow {}
  local id = request.params.job_id
  if id == ids.ALL then refuse.argument "Job Id must be explicit: it cannot be [_all]" end
  local sent = job_body.update:parse(bodies.text(request))
  ids.check_same("job_id", sent.job_id, id)
  local now = state_of(registry.get(id).job_id)
  local job = registry.update_groups(id, function(job) return update.apply(job, sent, now) end)
  context.changed { id }
  return reply.ok(shown(request, job))
end)

local delete_options = options.new("cluster:admin/xpack/ml/job/delete", {
  force = options.boolean,
  wait_for_completion = options.boolean,
  delete_user_annotations = options.boolean,
  timeout = options.time_value,
  master_timeout = options.time_value,
})

local function delete(request)
  delete_options:read(request)
  local job = registry.get(request.params.job_id)
  assert(job_index.release(job))
  registry.delete(job.job_id)
  return answers.acknowledged()
end

paths.both(routes, "DELETE /anomaly_detectors/{job_id}", "cluster:admin/xpack/ml/job/delete", delete)

return routes
