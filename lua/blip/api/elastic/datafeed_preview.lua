--- Routes: what a datafeed would feed first (elastic-ml.md 8.5).
-- @module blip.api.elastic.datafeed_preview
local bodies = require "blip.api.elastic.bodies"
local config = require "blip.job.config"
local extract = require "blip.job.extract"
local feed_body = require "blip.api.elastic.feed_body"
local feed_config = require "blip.job.feed_config"
local feeds = require "blip.job.feeds"
local job_body = require "blip.api.elastic.job_body"
local json = require "runtime.json"
local object = require "blip.api.elastic.object"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local rights = require "blip.source.rights"
local stretches = require "blip.job.stretch"
local times = require "blip.api.elastic.times"

local routes = {}

local ACTION = "cluster:admin/xpack/ml/datafeeds/preview"
local MOST = 1000 -- records of the first page

local query_options = options.query { start = options.text, ["end"] = options.text }

local body_reader = object.new("preview_datafeed_action", {
  datafeed_config = object.nested(feed_body.parser), job_config = job_body.job,
})

-- A record as an object: the time first, what has no value left out.
local function records(frame)
  local list, order = {}, frame:columns()
  for i = 1, #frame do
    list[i] = json.ordered(frame:row(i), order)
  end
  return json.array(list)
end

-- Records of aggregations have the count only where that is what the job takes for it.
local function without_count(list, job)
  if job.analysis_config.summary_count_field_name == "doc_count" then return list end
  for _, record in ipairs(list) do record.doc_count = nil end
  return list
end

local function preview(request, feed, job)
  local given = query_options:read(request)
  local base = stretches.new(feed, job)
  local stretch = stretches.at(base, given.start and times.math(given.start, "start"),
    given["end"] and times.math(given["end"], "end"))
  local frame = assert(extract.frame(stretch, MOST))
  local list = records(frame)
  frame:close()
  if feed.aggregations then without_count(list, job) end
  return reply.ok(list)
end

-- The job that a preview's body describes, or that its datafeed names.
local function job_of(sent, feed_sent)
  if sent.job_config then
    return config.new(sent.job_config, { id = sent.job_config.job_id or feed_sent.job_id or "preview" })
  end
  if not feed_sent.job_id then
    refuse.argument "[datafeed_config.job_id] must be set or a [job_config] must be provided"
  end
  return registry.get(feed_sent.job_id)
end

local function from_body(request, sent)
  local inner = sent.job_config and sent.job_config.datafeed_config
  if sent.datafeed_config and inner then
    refuse.argument "[datafeed_config] can only be present in a [job_config] or at the top level"
  end
  local feed_sent = sent.datafeed_config or inner
  if not feed_sent then
    refuse.argument "[datafeed_config] must be present when a [job_config] is provided"
  end
  feed_sent = feed_body.settle(feed_sent)
  local job = job_of(sent, feed_sent)
  feed_sent.job_id = job.job_id
  local feed = feed_config.new(feed_sent, feed_sent.datafeed_id or "preview")
  feed_config.check_job(feed, job)
  assert(rights.check(feed.indices))
  feed.user = rights.present()
  return preview(request, feed, job)
end

local function get(request)
  local id, text = request.params.datafeed_id, bodies.optional(request)
  local sent = text and body_reader:parse(text) or {}
  local has_config = sent.datafeed_config or sent.job_config
  if id and has_config then
    refuse.argument("[datafeed_id] cannot be supplied when either [job_config] or [datafeed_config] is "
      .. "present")
  end
  if not id then return from_body(request, sent) end
  local feed = feeds.get(id)
  assert(rights.check(feed.indices))
  return preview(request, feed, registry.get(feed.job_id))
end

paths.read(routes, "/datafeeds/_preview", ACTION, get)
paths.read(routes, "/datafeeds/{datafeed_id}/_preview", ACTION, get)

return routes
