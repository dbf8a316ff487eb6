--- Routes: start and stop datafeeds, and how they are doing (elastic-ml.md 8.3 and 8.6).
-- @module blip.api.elastic.datafeed_runs
local answers = require "blip.api.elastic.answers"
local datafeed = require "blip.job.datafeed"
local feed_stats = require "blip.job.feed_stats"
local feeds = require "blip.job.feeds"
local json = require "runtime.json"
local lifecycle = require "blip.job.lifecycle"
local node = require "blip.job.node"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local settings = require "blip.job.settings"
local times = require "blip.api.elastic.times"

local routes = {}

local ADMIN = "cluster:admin/xpack/ml/datafeed/"
local STATS = "cluster:monitor/xpack/ml/datafeeds/stats/get"

-- --- start ----------------------------------------------------------------------------------

local start_options = options.new(ADMIN .. "start", {
  datafeed_id = options.text, start = options.text, ["end"] = options.text, timeout = options.time_value,
})

local function read_range(given)
  local range = {
    start_ms = given.start and times.math(given.start, "start") or 0,
    end_ms = given["end"] and times.math(given["end"], "end"),
  }
  if range.end_ms and range.end_ms <= range.start_ms then
    refuse.argument("start [%d] must be earlier than end [%d]", range.start_ms, range.end_ms)
  end
  return range
end

local function check_assignment()
  if settings.upgrade_mode() then
    refuse.status(429, "Cannot start datafeed when upgrade mode is enabled")
  elseif settings.assignment_disabled() then
    refuse.status(429, "Could not start datafeed, allocation explanation [no persistent task assignments are "
      .. "allowed due to cluster settings]")
  end
end

paths.both(routes, "POST /datafeeds/{datafeed_id}/_start", ADMIN .. "start", function(request)
  local range = read_range(start_options:read(request))
  local feed = feeds.get(request.params.datafeed_id)
  check_assignment()
  assert(datafeed.start(feed, range))
  return reply.ok(json.ordered({ started = true, node = node.ID }, { "started", "node" }))
end)

-- --- stop -----------------------------------------------------------------------------------

local stop_options = options.new(ADMIN .. "stop", {
  datafeed_id = options.text, allow_no_match = options.boolean, force = options.boolean,
  timeout = options.time_value, close_job = options.boolean,
})

paths.both(routes, "POST /datafeeds/{datafeed_id}/_stop", ADMIN .. "stop", function(request)
  local given = stop_options:read(request)
  for _, feed in ipairs(feeds.list(request.params.datafeed_id, given.allow_no_match)) do
    local stopped, err = datafeed.stop(feed, given.force)
    if stopped == nil then return nil, err end
    if given.close_job then assert(lifecycle.close(registry.get(feed.job_id)) ~= nil) end
  end
  return reply.ok { stopped = true }
end)

-- --- stats ----------------------------------------------------------------------------------

local stats_options = options.new(STATS, { datafeed_id = options.text, allow_no_match = options.boolean })

local function stats(request)
  local given = stats_options:read(request)
  local list = {}
  for i, feed in ipairs(feeds.list(request.params.datafeed_id, given.allow_no_match)) do
    list[i] = feed_stats.of(feed)
  end
  return answers.list("datafeeds", list)
end

paths.both(routes, "GET /datafeeds/_stats", STATS, stats)
paths.both(routes, "GET /datafeeds/{datafeed_id}/_stats", STATS, stats)

return routes
