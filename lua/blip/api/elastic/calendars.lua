--- Routes: calendars, the jobs in them, and their events (elastic-ml.md 2.5 and 9.1).
-- @module blip.api.elastic.calendars
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local calendar = require "blip.job.calendar"
local context = require "blip.job.context"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local object = require "blip.api.elastic.object"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local times = require "blip.api.elastic.times"

local ADMIN, MONITOR = "cluster:admin/xpack/ml/calendars/", "cluster:monitor/xpack/ml/calendars/"
local EVENT_TIMES = { "start_time", "end_time" }
local MAX_CALENDARS = 10000

local routes = {}

local calendar_body = object.new("calendar", {
  calendar_id = object.text, job_ids = object.list(object.text), description = object.text,
})

paths.both(routes, "PUT /calendars/{calendar_id}", ADMIN .. "put", function(request)
  request:allow {}
  local id, text = request.params.calendar_id, bodies.optional(request)
  local sent = text and calendar_body:parse(text) or {}
  ids.check_same("calendar_id", sent.calendar_id, id)
  sent.calendar_id = id
  return reply.ok(calendar.create(sent))
end)

local list_options = options.new(MONITOR .. "get", {
  calendar_id = options.text, from = options.count, size = options.count, page = options.page,
})

local function get(request)
  local wanted = list_options:read(request)
  local id, page = request.params.calendar_id or wanted.calendar_id, wanted.page or wanted
  local is_paged = page.from or page.size
  if id and is_paged then refuse.argument "Params [from, size] are incompatible with [calendar_id]." end
  local list = calendar.list(id)
  local shown = answers.page(list, page.from, page.size or (not is_paged and MAX_CALENDARS) or nil)
  return answers.list("calendars", shown, #list)
end

paths.read(routes, "/calendars", MONITOR .. "get", get)
paths.read(routes, "/calendars/{calendar_id}", MONITOR .. "get", get)

paths.both(routes, "DELETE /calendars/{calendar_id}", ADMIN .. "delete", function(request)
  request:allow {}
  calendar.delete(request.params.calendar_id)
  return answers.acknowledged()
end)

local function job_ids(request)
  request:allow {}
  local list = {}
  for id in request.params.job_id:gmatch "[^,]+" do list[#list + 1] = id end
  return list
end

paths.both(routes, "PUT /calendars/{calendar_id}/jobs/{job_id}", ADMIN .. "jobs/update", function(request)
  return reply.ok(calendar.add_jobs(request.params.calendar_id, job_ids(request)))
end)

paths.both(routes, "DELETE /calendars/{calendar_id}/jobs/{job_id}", ADMIN .. "jobs/update", function(request)
  return reply.ok(calendar.remove_jobs(request.params.calendar_id, job_ids(request)))
end)

-- --- events ---------------------------------------------------------------------------------

local function instant(reader, name, parser)
  return times.range(times.field(reader, name, parser))
end

local event_body = object.new("scheduled_event", {
  description = object.text,
  start_time = instant,
  end_time = instant,
  skip_result = object.boolean,
  skip_model_update = object.boolean,
  force_time_shift = object.integer,
  calendar_id = object.text,
  event_id = object.text,
})
local events_body = object.new("post_calendar_event", { events = object.list(object.nested(event_body)) })

local function shown(request, events)
  local list = {}
  for i, event in ipairs(events) do list[i] = answers.human(request, event, EVENT_TIMES) end
  return list
end

paths.both(routes, "POST /calendars/{calendar_id}/events", ADMIN .. "events/post", function(request)
  request:allow {}
  local sent = events_body:parse(bodies.text(request))
  if not sent.events or #sent.events == 0 then refuse.request "At least 1 event is required" end
  local added = calendar.add_events(request.params.calendar_id, sent.events)
  return reply.ok { events = json.array(shown(request, added)) }
end)

local event_options = options.new(MONITOR .. "events/get", {
  calendar_id = options.text, job_id = options.text, start = options.text, ["end"] = options.text,
  from = options.count, size = options.count, page = options.page,
})

-- The calendars whose events are wanted; a group counts as its jobs do.
local function wanted_calendars(id, job_id)
  if not job_id then return calendar.list(id) end
  if id ~= ids.ALL then refuse.request "If job_id is used calendar_id must be '_all'" end
  local named = {}
  for _, job in ipairs(registry.list(job_id)) do
    for name in pairs(context.calendars(job)) do named[name] = true end
  end
  local list = {}
  for _, each in ipairs(calendar.list()) do
    if named[each.calendar_id] then list[#list + 1] = each end
  end
  return list
end

local function get_events(request)
  local wanted = event_options:read(request)
  local page = wanted.page or wanted
  local list = calendar.events(wanted_calendars(request.params.calendar_id, wanted.job_id), {
    start_ms = wanted.start and times.range(wanted.start),
    end_ms = wanted["end"] and times.range(wanted["end"]),
  })
  return answers.list("events", shown(request, answers.page(list, page.from, page.size)), #list)
end

paths.both(routes, "GET /calendars/{calendar_id}/events", MONITOR .. "events/get", get_events)

local EVENT = "/calendars/{calendar_id}/events/{event_id}"

local function delete_event(request)
  request:allow {}
  calendar.delete_event(request.params.calendar_id, request.params.event_id)
  return answers.acknowledged()
end

paths.both(routes, "DELETE " .. EVENT, ADMIN .. "events/delete", delete_event)

return routes
