--- How datafeeds are doing (elastic-ml.md 8.6).
-- @module blip.job.feed_stats
local config = require "blip.job.config"
local feed_state = require "blip.job.feed_state"
local json = require "runtime.json"
local node = require "blip.job.node"
local registry = require "blip.job.registry"
local settings = require "blip.job.settings"
local store = require "runtime.store"
local time = require "runtime.time"

local feed_stats = {}

local ORDER = { "datafeed_id", "state", "node", "assignment_explanation", "timing_stats", "running_state",
                "health" }
local TIMING_ORDER = {
  "job_id", "search_count", "bucket_count", "total_search_time_ms", "average_search_time_per_bucket_ms",
  "exponential_average_search_time_per_hour_ms",
}
local INTERVAL_ORDER = { "start", "start_ms", "end", "end_ms" }
local UPGRADES = "persistent task cannot be assigned while upgrade mode is enabled."
local HOUR_MS = 3600000

local function timing(row)
  local average = row.bucket_count > 0 and row.search_ms / row.bucket_count or nil
  local job = registry.find(row.job)
  return json.ordered({
    job_id = row.job, search_count = row.search_count, bucket_count = row.bucket_count,
    total_search_time_ms = row.search_ms, average_search_time_per_bucket_ms = average,
    exponential_average_search_time_per_hour_ms =
      average and job and average * HOUR_MS / config.bucket_span_ms(job) or 0.0,
  }, TIMING_ORDER)
end

local function interval(row)
  if not row.from_ms then return nil end
  return json.ordered({
    start = time.format(row.from_ms), start_ms = row.from_ms, ["end"] = time.format(row.to_ms),
    end_ms = row.to_ms,
  }, INTERVAL_ORDER)
end

local function running(row)
  return json.ordered({
    real_time_configured = row.end_ms == nil, real_time_running = row.is_real_time,
    search_interval = interval(row),
  }, { "real_time_configured", "real_time_running", "search_interval" })
end

--- The stats of one datafeed.
-- @tparam table feed its configuration
-- @treturn table what the dialect shows; raises what the store says
function feed_stats.of(feed)
  local row = assert(feed_state.load(store.connection(), feed))
  local shown = { datafeed_id = feed.datafeed_id, state = row.state, timing_stats = timing(row) }
  local upgrading = row.state == "started" and settings.upgrade_mode()
  shown.health = { status = upgrading and "yellow" or "green" }
  if row.state == "started" then
    shown.node = not upgrading and node.shown() or nil
    shown.assignment_explanation = upgrading and UPGRADES or ""
    shown.running_state = running(row)
  end
  return json.ordered(shown, ORDER)
end

return feed_stats
