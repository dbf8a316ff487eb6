--- What a job needs to run besides its own configuration: the filters that its rules look into and
-- the events of the calendars that it is in. Open jobs are told when these change.
-- @module blip.job.context
local meta = require "blip.job.meta"
local registry = require "blip.job.registry"
local rule = require "blip.job.rule"

local context = {}

-- Who tells open jobs; set by the module that runs them.
local listener

--- Says whom to tell of changes: `listener(job)` is called for each job that is concerned, open or not.
function context.on_change(called)
  listener = called
end

--- Tells of a change that concerns jobs.
-- @tparam {string,...} job_ids of jobs and groups; those that do not exist do not count
function context.changed(job_ids)
  if not listener or #job_ids == 0 then return end
  local named = {}
  for _, id in ipairs(job_ids) do named[id] = true end
  for _, job in ipairs(registry.list()) do
    for _, name in ipairs(registry.names_of(job)) do
      if named[name] then
        listener(job)
        break
      end
    end
  end
end

--- The filters of a job's rules: id to items. One that does not exist is empty.
function context.filters(job)
  local found = {}
  for _, d in ipairs(job.analysis_config.detectors) do
    for id in pairs(rule.filters(d)) do
      local document = meta.filters:find(id)
      found[id] = document and document.items or {}
    end
  end
  return found
end

local function is_in(calendar, names)
  for _, member in ipairs(calendar.job_ids) do
    if names[member] then return true end
  end
  return false
end

--- The ids of the calendars that a job is in, itself or by a group: a set.
function context.calendars(job)
  local names, found = {}, {}
  for _, name in ipairs(registry.names_of(job)) do names[name] = true end
  for _, calendar in ipairs(meta.calendars:all()) do
    if is_in(calendar, names) then found[calendar.calendar_id] = true end
  end
  return found
end

-- What is not said is true: an event hides results and is not learnt from.
local function engine_event(event)
  return {
    description = event.description,
    start_s = event.start_time // 1000,
    end_s = -(-event.end_time // 1000),
    skip_result = event.skip_result ~= false,
    skip_model_update = event.skip_model_update ~= false,
    force_time_shift = event.force_time_shift,
  }
end

--- The events that concern a job, by their start: `description`, `start_s`, `end_s`, `skip_result`,
-- `skip_model_update`, `force_time_shift`.
function context.events(job)
  local calendars, list = context.calendars(job), {}
  if next(calendars) == nil then return list end
  for _, event in ipairs(meta.events:all()) do
    if calendars[event.calendar_id] then list[#list + 1] = engine_event(event) end
  end
  table.sort(list, function(a, b)
    if a.start_s ~= b.start_s then return a.start_s < b.start_s end
    return a.description < b.description
  end)
  return list
end

--- `filters` and `events` of a job, as `runtime.job` takes them beside @{blip.job.config.engine}.
function context.of(job)
  return { filters = context.filters(job), events = context.events(job) }
end

return context
