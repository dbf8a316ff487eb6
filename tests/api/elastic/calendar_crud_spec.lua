-- luacheck: no max line length
-- The rows of elastic-ml.md 12.13, each a spec named after it.
local jobs = require "support.ml_jobs"
local json = require "runtime.json"
local server = require "support.server"

local refused = jobs.refused
local CALENDARS = "/_ml/calendars/"

describe("calendar_crud", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)
  after_each(function()
    for _, job in ipairs(blip:get("/_ml/anomaly_detectors").json.jobs) do blip:delete("/_ml/anomaly_detectors/" .. job.job_id) end
    for _, calendar in ipairs(blip:get("/_ml/calendars").json.calendars) do blip:delete(CALENDARS .. calendar.calendar_id) end
  end)

  local function put(id, body)
    local answer = blip:put(CALENDARS .. id, body or nil)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function post(id, events)
    local answer = blip:post(CALENDARS .. id .. "/events", { events = events })
    assert.equal(200, answer.status, answer.body)
    return answer.json.events
  end

  local function event(name, from, to) return { description = name, start_time = from, end_time = to } end

  -- The descriptions of events that a query finds, and how many it says there are.
  local function events(path)
    local answer = blip:get(CALENDARS .. path)
    assert.equal(200, answer.status, answer.body)
    return table.concat(jobs.pluck(answer.json.events, "description"), ","), answer.json.count
  end

  it("none", function()
    assert.same({ count = 0, calendars = {} }, blip:get(CALENDARS .. "_all").json)
  end)

  it("crud", function()
    jobs.create(blip, "cal-job")
    local made = put("advent", { job_ids = { "cal-job", "cal-job2" }, description = "dates" })
    assert.same({ calendar_id = "advent", job_ids = { "cal-job", "cal-job2" }, description = "dates" }, made)
    assert.same({ count = 1, calendars = { made } }, blip:get(CALENDARS .. "advent").json)
    assert.equal(1, blip:get("/_ml/calendars").json.count)
    assert.same({ acknowledged = true }, blip:delete(CALENDARS .. "advent").json)
    refused(blip:get(CALENDARS .. "advent"), 404)
    refused(blip:delete(CALENDARS .. "advent"), 404)
  end)

  it("missing", function()
    refused(blip:get(CALENDARS .. "unknown"), 404, "No calendar with id [unknown]")
  end)

  it("bad id Mayas", function()
    refused(blip:put(CALENDARS .. "Mayas"), 400, "Invalid calendar_id; 'Mayas' can contain lowercase alphanumeric")
  end)

  it("paging", function()
    for i = 1, 3 do put("calendar" .. i) end
    local function page(answer) return table.concat(jobs.pluck(answer.json.calendars, "calendar_id"), ","), answer.json.count end
    assert.equal("calendar3", (page(blip:get "/_ml/calendars?from=2")))
    assert.same({ "calendar2", 3 }, { page(blip:get "/_ml/calendars?from=1&size=1") })
    assert.same({ "calendar2,calendar3", 3 }, { page(blip:post("/_ml/calendars", { page = { from = 1, size = 2 } })) })
  end)

  it("page with id", function()
    put "tides"
    refused(blip:get(CALENDARS .. "tides?size=10"), 400)
    refused(blip:post(CALENDARS .. "tides", { page = { from = 0 } }), 400)
  end)

  it("create twice / name _all", function()
    put "once"
    refused(blip:put(CALENDARS .. "once"), 400, "Cannot create calendar with id [once] as it already exists")
    refused(blip:put(CALENDARS .. "_all"), 400)
  end)

  it("job deleted", function()
    jobs.create(blip, "cal-job")
    put("cal", { job_ids = { "cal-job" } })
    blip:delete "/_ml/anomaly_detectors/cal-job"
    assert.same({}, blip:get(CALENDARS .. "cal").json.calendars[1].job_ids)
  end)

  it("job ids", function()
    put("wildlife", { job_ids = { "otter" } })
    assert.same({ "otter", "tiger" }, blip:put(CALENDARS .. "wildlife/jobs/tiger").json.job_ids)
    assert.same({ "otter" }, blip:delete(CALENDARS .. "wildlife/jobs/tiger").json.job_ids)
    refused(blip:delete(CALENDARS .. "wildlife/jobs/missing_job"), 400, "Cannot remove [missing_job] as it is not present in calendar [wildlife]")
    blip:delete(CALENDARS .. "wildlife/jobs/otter")
    refused(blip:delete(CALENDARS .. "wildlife/jobs/otter"), 400, "Cannot remove [otter] as it is not present in calendar [wildlife]")
  end)

  it("list of job ids", function()
    put "lists"
    assert.same({ "a", "b", "c" }, blip:put(CALENDARS .. "lists/jobs/a,b,c").json.job_ids)
    assert.same({ "b" }, blip:delete(CALENDARS .. "lists/jobs/a,c").json.job_ids)
  end)

  it("groups that do not exist yet", function()
    put("early", { job_ids = { "no-group-yet" } })
    assert.same({ "no-group-yet", "another" }, blip:put(CALENDARS .. "early/jobs/another").json.job_ids)
  end)

  describe("events", function()
    local list

    before_each(function()
      put "events"
      list = post("events", {
        event("event 1", "2017-12-01T00:00:00Z", "2017-12-02T00:00:00Z"),
        event("event 2", "2017-12-05T00:00:00Z", "2017-12-06T00:00:00Z"),
        event("event 3", "2017-12-12T00:00:00Z", "2017-12-13T00:00:00Z"),
        event("event 4", "2017-12-12T00:00:00Z", "2017-12-15T00:00:00Z"),
      })
    end)

    it("list order, ids", function()
      local answer = blip:get(CALENDARS .. "events/events").json
      assert.equal(4, answer.count)
      for i = 1, 2 do assert.same(list[i], answer.events[i]) end
      assert.equal(1512086400000, answer.events[1].start_time)
      assert.equal("events", answer.events[1].calendar_id)
      assert.truthy(answer.events[1].event_id)
    end)

    it("paging", function()
      local found, count = events "events/events?from=1&size=1"
      assert.same({ "event 2", 4 }, { found, count })
    end)

    it("end", function() assert.equal("event 1,event 2", (events "events/events?end=2017-12-12T00:00:00Z")) end)

    it("start", function()
      assert.equal(3, select(2, events "events/events?start=2017-12-05T03:00:00Z"))
    end)

    it("start and end", function()
      assert.equal("event 2", (events "events/events?start=2017-12-02T00:00:00Z&end=2017-12-12T00:00:00Z"))
    end)

    it("body calendar_id mismatch", function()
      local wrong = event("x", 1, 2)
      wrong.calendar_id = "other"
      refused(blip:post(CALENDARS .. "events/events", { events = { wrong } }), 400)
    end)

    it("delete wrong calendar / delete / unknown event", function()
      put "other"
      local path = "/events/" .. list[1].event_id
      refused(blip:delete(CALENDARS .. "other" .. path), 400)
      assert.same({ acknowledged = true }, blip:delete(CALENDARS .. "events" .. path).json)
      refused(blip:delete(CALENDARS .. "events" .. path), 404)
      assert.equal(3, select(2, events "events/events"))
    end)

    it("delete calendar", function()
      put "other"
      post("other", { event("kept 1", 1, 2), event("kept 2", 3, 4) })
      blip:delete(CALENDARS .. "events")
      assert.equal(2, select(2, events "*/events"))
      refused(blip:get(CALENDARS .. "events/events"), 404, "No calendar with id [events]")
    end)
  end)

  it("all events", function()
    put "a"
    put "b"
    for _, id in ipairs { "a", "b" } do post(id, { event("1", 1, 2), event("2", 3, 4) }) end
    assert.equal(4, select(2, events "_all/events"))
  end)

  it("events for job", function()
    jobs.create(blip, "cal-job")
    put("dave-holidays", { job_ids = { "cal-job" } })
    put("cal-holidays", { job_ids = { "cal-job" } })
    put "unrelated"
    post("dave-holidays", { event("xmas", "2017-12-25T00:00:00Z", "2017-12-26T00:00:00Z"), event("ny", "2018-01-01T00:00:00Z", "2018-01-02T00:00:00Z") })
    post("cal-holidays", { event("beach", "2017-05-01T00:00:00Z", "2017-05-02T00:00:00Z"), event("other", "2018-02-01T00:00:00Z", "2018-02-02T00:00:00Z") })
    post("unrelated", { event("u", "2018-02-01T00:00:00Z", "2018-02-02T00:00:00Z") })
    local answer = blip:get(CALENDARS .. "dave-holidays/events?job_id=cal-job")
    refused(answer, 400, "If job_id is used calendar_id must be '_all'")
    assert.equal("action_request_validation_exception", answer.json.error.type)
    assert.equal(4, select(2, events "_all/events?job_id=cal-job"))
    assert.equal("ny,other", (events "_all/events?job_id=cal-job&start=2018-01-01T00:00:00Z"))
  end)

  it("events for groups", function()
    jobs.create(blip, "cal-job", { groups = { "group-a" } })
    put("dave-holidays", { job_ids = { "group-a" } })
    post("dave-holidays", { event("xmas", "2017-12-25T00:00:00Z", "2017-12-26T00:00:00Z") })
    for _, name in ipairs { "cal-job", "group-a" } do
      assert.equal("xmas", (events("_all/events?job_id=" .. name)))
    end
  end)

  it("empty events", function()
    put "empty"
    refused(blip:post(CALENDARS .. "empty/events", { events = json.array {} }), 400, "At least 1 event is required")
  end)

  it("events that cannot be", function()
    put "c"
    refused(blip:post(CALENDARS .. "c/events", { events = { { start_time = 1, end_time = 2 } } }), 400, "Field [description] cannot be null")
    refused(blip:post(CALENDARS .. "c/events", { events = { event("x", 5, 5) } }), 400, "Event start time [5] must come before end time [5]")
    refused(blip:post(CALENDARS .. "c/events", { events = { event("x", "soon", 5) } }), 400, "failed to parse field [start_time]")
    assert.equal(0, select(2, events "c/events"))
  end)

  it("delete event / job of unknown calendar", function()
    refused(blip:delete(CALENDARS .. "unknown/events/1"), 404, "No calendar with id [unknown]")
    refused(blip:delete(CALENDARS .. "unknown/jobs/j"), 404, "No calendar with id [unknown]")
    refused(blip:post(CALENDARS .. "unknown/events", { events = { event("x", 1, 2) } }), 404, "No calendar with id [unknown]")
  end)
end)
