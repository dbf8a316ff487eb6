--- What belongs to no single job: filters, calendars and their events, documents in `.ml-meta`
-- (elastic-ml.md 9). @{blip.job.filter} and @{blip.job.calendar} say what they mean.
-- @module blip.job.meta
local json = require "runtime.json"
local shelf = require "blip.job.shelf"

local INDEX = ".ml-meta"
local FILTER_KEYS = { "filter_id", "description", "items" }
local CALENDAR_KEYS = { "calendar_id", "job_ids", "description" }
local EVENT_KEYS = {
  "description",
  "start_time",
  "end_time",
  "skip_result",
  "skip_model_update",
  "force_time_shift",
  "calendar_id",
  "event_id",
}

local function in_order(keys)
  return function(document) return json.ordered(document, keys) end
end

return {
  --- `filter_id`, `description`, `items`.
  filters = shelf.new {
    index = INDEX, prefix = "filter_", kind = "filter", missing = "No filter with id [%s] exists",
    ordered = in_order(FILTER_KEYS),
  },
  --- `calendar_id`, `job_ids` (ids and groups, which need not be there), `description`.
  calendars = shelf.new {
    index = INDEX, prefix = "calendar_", kind = "calendar", missing = "No calendar with id [%s]",
    ordered = in_order(CALENDAR_KEYS),
  },
  --- `calendar_id`, `event_id`, `description`, `start_time` and `end_time` in milliseconds, and what the
  -- event does where that was said.
  events = shelf.new {
    index = INDEX, prefix = "event_", kind = "scheduled_event", missing = "No event with id [%s]",
    ordered = in_order(EVENT_KEYS),
  },
}
