--- Deletes what jobs have found and kept longer than they were asked to (elastic-ml.md 7.11).
-- Days are counted back from a job's newest bucket, not from today: a job that is fed an old year keeps it.
-- @module blip.job.expiry
local attempt = require "blip.attempt"
local config = require "blip.job.config"
local job_index = require "blip.result.job_index"
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local log = require "runtime.log"
local purge = require "blip.job.purge"
local registry = require "blip.job.registry"
local schedule = require "runtime.schedule"
local snapshot = require "blip.result.snapshot"
local store = require "runtime.store"
local time = require "runtime.time"
local view = require "blip.result.view"

local DAY, NIGHT_MS = 86400000, 1800000
local MOST_SNAPSHOTS = 10000
local RESULT_TYPES = { "bucket", "record", "influencer", "model_plot", "model_forecast" }

local expiry = {}

-- When a job's newest final bucket began; nil when it has none.
local function newest_bucket_ms(job)
  local page = assert(job_search.page(job, "bucket", {
    exclude_interim = true, sort = "timestamp", desc = true, size = 1,
  }))
  return page.documents[1] and view.time(page.documents[1].timestamp)
end

local function expire_results(job)
  local days = job.results_retention_days
  local newest = days and newest_bucket_ms(job)
  if not newest then return end
  assert(purge.matching(store.connection(), job_index.name(job), { bool = { filter = json.array {
    { term = { job_id = job.job_id } },
    { terms = { result_type = json.array(RESULT_TYPES) } },
    { range = { timestamp = { lt = newest - config.days_ms(days) } } },
  } } }))
end

-- Snapshots older than the retention go; of those older than the daily limit each day keeps its first one.
local function expire_snapshots(job)
  local page = assert(snapshot.page(job, { size = MOST_SNAPSHOTS, desc = false }))
  local newest = page.documents[#page.documents]
  if not newest then return end
  local keep_from = newest.timestamp - config.days_ms(job.model_snapshot_retention_days)
  local all_from = newest.timestamp - config.days_ms(job.daily_model_snapshot_retention_after_days)
  local day
  for i, document in ipairs(page.documents) do
    local first_of_day = document.timestamp // DAY ~= day
    day = document.timestamp // DAY
    local kept = document.timestamp >= all_from or (document.timestamp >= keep_from and first_of_day)
    if not kept and not document.retain and document.snapshot_id ~= job.model_snapshot_id then
      assert(snapshot.delete(page.ids[i]))
    end
  end
end

-- Annotations that the server has made; what people wrote stays.
local function expire_annotations(job)
  local days = job.system_annotations_retention_days
  local newest = days and newest_bucket_ms(job)
  if not newest then return end
  assert(purge.matching(store.connection(), job_index.ANNOTATIONS, { bool = { filter = json.array {
    { term = { job_id = job.job_id } },
    { term = { create_username = "_xpack" } },
    { range = { timestamp = { lt = newest - config.days_ms(days) } } },
  } } }))
end

--- Deletes what has expired.
-- @tparam ?string expression of jobs; nil for all
-- @return true; raises the dialect's 404
function expiry.run(expression)
  for _, job in ipairs(registry.list(expression)) do
    expire_results(job)
    expire_snapshots(job)
    expire_annotations(job)
  end
  return true
end

-- --- every night ----------------------------------------------------------------------------

local KEY = "jobs:expiry"

-- Half an hour past the next midnight, when a day's last results are there.
local function next_night_ms(now_ms)
  return (now_ms // DAY + 1) * DAY + NIGHT_MS
end

--- Deletes what has expired from now on every night.
function expiry.start()
  return schedule.set(KEY, next_night_ms(time.now_ms()), "blip.job.expiry", "tick", "")
end

--- A night's turn: one job that fails does not keep the next night from coming.
function expiry.tick()
  local _, err = attempt(expiry.run)
  if err then log.warn("expiry_failed", { reason = err.reason }) end
  return expiry.start()
end

return expiry
