--- How jobs are doing (elastic-ml.md 7.6).
-- @module blip.job.stats
local counts = require "blip.job.counts"
local json = require "runtime.json"
local node = require "blip.job.node"
local settings = require "blip.job.settings"
local size = require "blip.job.size"
local state = require "blip.job.state"
local store = require "runtime.store"
local time = require "runtime.time"
local timing = require "blip.job.timing"
local units = require "blip.job.units"

local stats = {}

local ORDER = {
  "job_id", "data_counts", "model_size_stats", "forecasts_stats", "state", "node", "assignment_explanation",
  "open_time", "timing_stats", "health",
}
local WAITS = "Job is waiting for a node with enough memory"
local UPGRADES = "persistent task cannot be assigned while upgrade mode is enabled."

local function explanation(row)
  if settings.upgrade_mode() then return UPGRADES end
  return row.state == "opening" and WAITS or ""
end

-- What only a job that is open, or waits to be, has.
local function add_task(shown, row)
  shown.assignment_explanation = explanation(row)
  if row.state ~= "opened" then return end
  local seconds = (time.now_ms() - row.opened_ms) // 1000
  shown.open_time = units.time_text(seconds * 1000)
  if not settings.upgrade_mode() then shown.node = node.shown() end
end

-- A job that failed is ill; one that waits for memory, or that an upgrade keeps waiting, is not well.
local function health(state_name)
  if state_name == "failed" then return { status = "red" } end
  local waits = state_name == "opening" or (state_name == "opened" and settings.upgrade_mode())
  return { status = waits and "yellow" or "green" }
end

local function of(job, row)
  local shown = {
    job_id = job.job_id, data_counts = counts.load(job), model_size_stats = size.load(job),
    forecasts_stats = json.ordered({ total = 0, forecasted_jobs = 0 }, { "total", "forecasted_jobs" }),
    state = row and row.state or "closed", timing_stats = timing.load(job),
  }
  shown.health = health(shown.state)
  if shown.state == "opened" or shown.state == "opening" then add_task(shown, row) end
  return json.ordered(shown, ORDER)
end

--- The stats of some jobs.
-- @tparam table jobs their configurations
-- @treturn table what the dialect shows of each, in the same order; raises what the store says
function stats.list(jobs)
  local rows = assert(state.all(store.connection()))
  local list = {}
  for i, job in ipairs(jobs) do list[i] = of(job, rows[job.job_id]) end
  return list
end

return stats
