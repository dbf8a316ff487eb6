--- Routes: create, read, change and delete jobs (elastic-ml.md 2.1, 3 and 7.7).
-- @module blip.api.elastic.jobs
local analysis = require "blip.job.analysis"
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local calendar = require "blip.job.calendar"
local config = require "blip.job.config"
local context = require "blip.job.context"
local datafeed = require "blip.job.datafeed"
local feed_body = require "blip.api.elastic.feed_body"
local feed_config = require "blip.job.feed_config"
local feeds = require "blip.job.feeds"
local ids = require "blip.job.ids"
local job_body = require "blip.api.elastic.job_body"
local job_index = require "blip.result.job_index"
local lifecycle = require "blip.job.lifecycle"
local notification = require "blip.job.notification"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local size = require "blip.job.size"
local state = require "blip.job.state"
local store = require "runtime.store"
local time = require "runtime.time"
local update = require "blip.job.update"

local ADMIN, LIST = "cluster:admin/xpack/ml/job/", "cluster:monitor/xpack/ml/job/get"
local TIMES = { "create_time", "finished_time" }

local routes = {}

-- A job as it is answered: with its datafeed, as that is answered, inside.
local function shown(request, job, feed)
  job.datafeed_config = feed
  return answers.human(request, config.ordered(job), TIMES)
end

-- --- create ---------------------------------------------------------------------------------

local function warn_of_span(request, job)
  local text = analysis.span_warning(job.analysis_config.bucket_span)
  if text then paths.warn(request, text) end
end

-- The datafeed inside of a job's body, which is that job's and by default has its id.
local function embedded_feed(request, sent, job)
  if not sent then return nil end
  sent = feed_body.settle(sent)
  local chosen = feed_body.indices_options(request)
  for name, value in pairs(chosen) do
    sent.indices_options = sent.indices_options or {}
    sent.indices_options[name] = value
  end
  feed_body.warn(request, sent)
  if sent.job_id and sent.job_id ~= job.job_id then
    refuse.argument("datafeed job_id [%s] does not equal job id [%s]", sent.job_id, job.job_id)
  end
  sent.job_id = job.job_id
  local feed = feed_config.new(sent, sent.datafeed_id or job.job_id)
  feed_config.check_job(feed, job)
  return feed
end

-- Stores a job and its datafeed: both or none.
local function create(job, feed)
  registry.create(job)
  if not feed then return end
  local ok, err = pcall(feeds.create, feed)
  if ok then return end
  registry.delete(job.job_id)
  error(err, 0)
end

paths.both(routes, "PUT /anomaly_detectors/{job_id}", ADMIN .. "put", function(request)
  local sent = job_body.read(bodies.text(request), request.legacy)
  local job = config.new(sent, { id = request.params.job_id })
  local feed = embedded_feed(request, sent.datafeed_config, job)
  if not feed then feed_body.indices_options(request) end
  registry.check_free(job)
  assert(job_index.prepare(job))
  create(job, feed)
  notification.write(job.job_id, "info", "Job created")
  warn_of_span(request, job)
  return reply.ok(shown(request, job, feed and feed_config.shown(feed)))
end)

-- --- read -----------------------------------------------------------------------------------

local list_options = options.new(LIST, {
  allow_no_match = options.boolean, exclude_generated = options.boolean,
})

local function get(request)
  local wanted = list_options:read(request)
  local by_job, list = feeds.by_job(), {}
  for i, job in ipairs(registry.list(request.params.job_id, wanted.allow_no_match)) do
    local feed, form = by_job[job.job_id], feed_config.shown
    if wanted.exclude_generated then job, form = config.exported(job), feed_config.exported end
    list[i] = shown(request, job, feed and form(feed))
  end
  return answers.list("jobs", list)
end

paths.both(routes, "GET /anomaly_detectors", LIST, get)
paths.both(routes, "GET /anomaly_detectors/{job_id}", LIST, get)

-- --- change ---------------------------------------------------------------------------------

-- What an update must know of the job besides its configuration.
local function state_of(job)
  local row = assert(state.load(store.connection(), job.job_id))
  return { is_open = row.state ~= "closed", model_bytes = size.load(job).model_bytes }
end

paths.both(routes, "POST /anomaly_detectors/{job_id}/_update", ADMIN .. "update", function(request)
  request:allow {}
  local id = request.params.job_id
  if id == ids.ALL then refuse.argument "Job Id must be explicit: it cannot be [_all]" end
  local sent = job_body.update:parse(bodies.text(request))
  ids.check_same("job_id", sent.job_id, id)
  local now = state_of(registry.get(id))
  local job = registry.update_groups(id, function(found) return update.apply(found, sent, now) end)
  context.changed { id }
  notification.write(id, "info", "Job updated: [%s]", table.concat(update.fields(sent), ", "))
  local feed = feeds.of_job(id)
  return reply.ok(shown(request, job, feed and feed_config.shown(feed)))
end)

-- --- delete ---------------------------------------------------------------------------------

local delete_options = options.query {
  force = options.boolean,
  wait_for_completion = options.boolean,
  delete_user_annotations = options.boolean,
  timeout = options.time_value,
  master_timeout = options.time_value,
}

paths.both(routes, "DELETE /anomaly_detectors/{job_id}", ADMIN .. "delete", function(request)
  local given = delete_options:read(request)
  local job = registry.get(request.params.job_id)
  local feed = feeds.of_job(job.job_id)
  local started_ms = time.now_ms()
  assert(lifecycle.check_deletable(job, given.force))
  if feed and request.legacy and not given.force then
    refuse.status(409, "Cannot delete job [%s] because datafeed [%s] refers to it", job.job_id,
      feed.datafeed_id)
  end
  if feed then assert(datafeed.delete(feed)) end
  assert(lifecycle.delete(job, given))
  calendar.forget_job(job.job_id)
  if given.wait_for_completion == false then return answers.task(ADMIN .. "delete", started_ms) end
  return answers.acknowledged()
end)

return routes
