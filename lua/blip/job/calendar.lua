--- Calendars: which jobs heed which scheduled events (elastic-ml.md 9.1).
-- @module blip.job.calendar
local context = require "blip.job.context"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local meta = require "blip.job.meta"
local new_id = require "blip.index.uuid"
local refuse = require "blip.job.refuse"

local calendar = {}

-- Members, each once, in the order in which they came.
local function members(list)
  local kept, seen = {}, {}
  for _, name in ipairs(list or {}) do
    if not seen[name] then kept[#kept + 1] = name end
    seen[name] = true
  end
  return json.array(kept)
end

--- Stores a new calendar.
-- @tparam table sent `calendar_id`, `job_ids`, `description`
-- @treturn table the calendar; raises the dialect's error
function calendar.create(sent)
  local id = ids.check("calendar_id", sent.calendar_id)
  local made = meta.calendars.ordered {
    calendar_id = id, job_ids = members(sent.job_ids), description = sent.description,
  }
  if not meta.calendars:create(id, made) then
    refuse.status(400, "Cannot create calendar with id [%s] as it already exists", id)
  end
  context.changed(made.job_ids)
  return made
end

--- The calendars that an expression names; raises the dialect's 404.
function calendar.list(expression)
  return meta.calendars:list(expression, function(document) return { document.calendar_id } end)
end

--- One calendar; raises the dialect's 404.
function calendar.get(id)
  return meta.calendars:get(id)
end

-- The events of a set of calendars.
local function events_in(wanted)
  local list = {}
  for _, event in ipairs(meta.events:all()) do
    if wanted[event.calendar_id] then list[#list + 1] = event end
  end
  return list
end

--- Removes a calendar and its events; raises the dialect's 404.
function calendar.delete(id)
  local found = meta.calendars:get(id)
  for _, event in ipairs(events_in { [id] = true }) do meta.events:delete(event.event_id) end
  meta.calendars:delete(id)
  context.changed(found.job_ids)
end

--- Adds jobs and groups to a calendar.
-- @treturn table the calendar; raises the dialect's 404
function calendar.add_jobs(id, job_ids)
  local changed = meta.calendars:update(id, function(found)
    found.job_ids = members(table.move(job_ids, 1, #job_ids, #found.job_ids + 1, found.job_ids))
    return found
  end)
  context.changed(job_ids)
  return changed
end

--- Takes jobs and groups out of a calendar.
-- @treturn table the calendar; raises the dialect's error for one that is not in it
function calendar.remove_jobs(id, job_ids)
  local changed = meta.calendars:update(id, function(found)
    local present = {}
    for _, name in ipairs(found.job_ids) do present[name] = true end
    for _, name in ipairs(job_ids) do
      if not present[name] then
        refuse.status(400, "Cannot remove [%s] as it is not present in calendar [%s]", name, id)
      end
      present[name] = false
    end
    local kept = {}
    for _, name in ipairs(found.job_ids) do
      if present[name] then kept[#kept + 1] = name end
    end
    found.job_ids = json.array(kept)
    return found
  end)
  context.changed(job_ids)
  return changed
end

--- Takes a job that was deleted out of all calendars.
function calendar.forget_job(job_id)
  for _, each in ipairs(meta.calendars:all()) do
    for _, name in ipairs(each.job_ids) do
      if name == job_id then
        calendar.remove_jobs(each.calendar_id, { job_id })
        break
      end
    end
  end
end

-- --- events ---------------------------------------------------------------------------------

local function check_event(id, sent)
  ids.check_same("calendar_id", sent.calendar_id, id)
  for _, name in ipairs { "description", "start_time", "end_time" } do
    if sent[name] == nil then refuse.status(400, "Field [%s] cannot be null", name) end
  end
  if sent.start_time >= sent.end_time then
    refuse.status(400, "Event start time [%d] must come before end time [%d]", sent.start_time, sent.end_time)
  end
end

--- Adds events to a calendar; none is added when one of them is wrong.
-- @tparam string id of the calendar
-- @tparam {table,...} sent `description`, `start_time`, `end_time` (milliseconds), and by choice
-- `skip_result`, `skip_model_update`, `force_time_shift`, `calendar_id`
-- @treturn {table,...} the events, with their ids; raises the dialect's error
function calendar.add_events(id, sent)
  local found = meta.calendars:get(id)
  for _, event in ipairs(sent) do check_event(id, event) end
  local list = {}
  for i, event in ipairs(sent) do
    event.calendar_id, event.event_id = id, new_id()
    list[i] = meta.events:put(event.event_id, meta.events.ordered(event))
  end
  context.changed(found.job_ids)
  return list
end

--- Removes an event of a calendar; raises the dialect's error.
function calendar.delete_event(id, event_id)
  local found = meta.calendars:get(id)
  local event = meta.events:get(event_id)
  if event.calendar_id ~= id then
    refuse.status(400, "Event with id [%s] is not in calendar [%s]", event_id, id)
  end
  meta.events:delete(event_id)
  context.changed(found.job_ids)
end

local function by_start(a, b)
  if a.start_time ~= b.start_time then return a.start_time < b.start_time end
  return a.event_id < b.event_id
end

--- The events of calendars, by their start.
-- @tparam {table,...} calendars
-- @tparam[opt] table wanted `start_ms` (events that end behind it), `end_ms` (events that start before it)
function calendar.events(calendars, wanted)
  wanted = wanted or {}
  local named, list = {}, {}
  for _, each in ipairs(calendars) do named[each.calendar_id] = true end
  for _, event in ipairs(events_in(named)) do
    local after = not wanted.start_ms or event.end_time > wanted.start_ms
    local before = not wanted.end_ms or event.start_time < wanted.end_ms
    if after and before then list[#list + 1] = event end
  end
  table.sort(list, by_start)
  return list
end

return calendar
