--- Starts and stops detectors and runs them when they are due.
-- A job document says that a detector runs (opensearch-ad.md 6.3); the timer's next moment is
-- made from the run's position, so that nothing is lost when the server stops.
--
--     start ─▶ job enabled ─▶ tick ─▶ (due) tick ─▶ ...      stop, or more than 6 failures ─▶ disabled
-- @module blip.detector.scheduler
local attempt = require "blip.attempt"
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"
local live = require "blip.detector.live"
local log = require "runtime.log"
local model = require "runtime.model"
local registry = require "blip.detector.registry"
local replay = require "blip.detector.replay"
local results = require "blip.result.index"
local schedule = require "runtime.schedule"
local store = require "runtime.store"
local system = require "blip.detector.system"
local tasks = require "blip.detector.tasks"
local time = require "runtime.time"
local work = require "runtime.work"

local INDEX = system.JOBS
local MOST_FAILURES = 6 -- in a row, before a job is stopped
local MOST_LOOKS = 20 -- at a task that a run changes at the same time
local MINUTE, SECOND = 60000, 1000

local scheduler = { INDEX = INDEX }

local function key(id)
  return "detector:" .. id
end

local function period(ms)
  local whole = ms % MINUTE == 0
  return json.ordered({
    interval = ms // (whole and MINUTE or SECOND),
    unit = whole and "Minutes" or "Seconds",
  }, { "interval", "unit" })
end

local ORDER = {
  "name", "schedule", "window_delay", "enabled", "enabled_time", "disabled_time", "last_update_time",
  "lock_duration_seconds", "user", "result_index", "type",
}

local function new_job(d, now_ms)
  local every = period(d.frequency_ms)
  return {
    name = d.id,
    schedule = { interval = json.ordered({
      start_time = now_ms, period = every.interval, unit = every.unit,
    }, { "start_time", "period", "unit" }) },
    window_delay = { period = period(d.delay_ms) },
    enabled = true,
    enabled_time = now_ms,
    last_update_time = now_ms,
    lock_duration_seconds = d.interval_ms // SECOND,
    result_index = d.result_index,
    user = d.user,
    type = "AD",
  }
end

local function save_job(id, job)
  return system.put(INDEX, id, json.encode(json.ordered(job, ORDER)))
end

--- The job document of a detector.
-- @treturn table its fields, `enabled` among them; or nil and `not_found` when it never ran
function scheduler.job(id)
  local hit, err = documents.get(INDEX, id)
  if not hit then return nil, err end
  return hit._source
end

--- Does a detector run in real time?
function scheduler.is_running(id)
  local job = scheduler.job(id)
  return job ~= nil and job.enabled == true
end

local function submit(id)
  return work.submit { module = "blip.detector.scheduler", func = "tick", args = id, key = key(id) }
end

--- Starts a detector in real time.
-- @tparam table d definition
-- @treturn table its job document; or nil and an error: `conflict` when it is running already
function scheduler.start(d)
  if scheduler.is_running(d.id) then
    return fail.conflict("detector '%s' is already running", d.id)
  end
  local ok, err = live.forget(d.id)
  local task
  if ok then task, err = tasks.create(d) end
  if not task then return nil, err end
  local job = new_job(d, time.now_ms())
  ok, err = save_job(d.id, job)
  if ok then ok, err = submit(d.id) end
  if not ok then return nil, err end
  return job
end

-- A run that is ending may change the task between our look and our word: then we look again.
local function end_task(id, problem)
  for _ = 1, MOST_LOOKS do
    local task = tasks.latest(id, false)
    if not task or tasks.is_ended(task) then return true end
    task.state, task.error = "STOPPED", problem
    local ok, err = tasks.save(task)
    if ok or err.kind ~= "conflict" then return ok, err end
  end
  return fail.conflict("the task of detector '%s' changes all the time", id)
end

local function disable(id, job, problem)
  schedule.clear(key(id))
  local now_ms = time.now_ms()
  job.enabled, job.disabled_time, job.last_update_time = false, now_ms, now_ms
  local ok, err = save_job(id, job)
  if ok then ok, err = end_task(id, problem) end
  if not ok then return nil, err end
  return live.forget(id)
end

--- Stops a detector.
-- @tparam string id
-- @treturn boolean true; false when it had stopped before; or nil and an error: `not_found` when
-- it never ran
function scheduler.stop(id)
  local job, err = scheduler.job(id)
  if not job then return nil, err end
  if not job.enabled then return false end
  work.cancel(key(id))
  return disable(id, job)
end

--- Makes sure that a script's detector runs, unless somebody stopped it.
-- @tparam table d definition; one whose `version` changed trains anew
-- @return true; or nil and an error
function scheduler.adopt(d)
  local job = scheduler.job(d.id)
  if job and not job.enabled then return true end
  if job then return submit(d.id) end
  local ok, err = scheduler.start(d)
  if not ok then return nil, err end
  return true
end

--- Stops a script's detector that is no longer there, and forgets that it was.
function scheduler.abandon(id)
  local stopped, err = scheduler.stop(id)
  if stopped == nil and err.kind ~= "not_found" then return nil, err end
  if stopped ~= nil then documents.delete(INDEX, id) end
  return true
end

-- Tells the task when its stage changes; in the commit's transaction.
local function report(d)
  return function(state)
    local ready = live.init_progress(d, state)
    local stage = ready >= 1 and "RUNNING" or "INIT"
    if stage == state.stage and stage == "RUNNING" then return true end
    state.stage = stage
    local task = tasks.latest(d.id, false)
    if not task or tasks.is_ended(task) then return fail.cancelled("detector '%s' was stopped", d.id) end
    task.state, task.init_progress = stage, ready
    task.estimated_minutes_left = ready < 1 and math.ceil(32 * (1 - ready) * d.interval_ms / MINUTE) or nil
    return tasks.save(task)
  end
end

-- One result document that says why the detector stopped.
local function write_failure(d, reason)
  local now_ms = time.now_ms()
  local document = json.encode(json.ordered({
    detector_id = d.id, schema_version = 7, data_start_time = now_ms - d.interval_ms, data_end_time = now_ms,
    feature_data = json.array {}, execution_start_time = now_ms, execution_end_time = now_ms, error = reason,
  }, {
    "detector_id", "schema_version", "data_start_time", "data_end_time", "feature_data",
    "execution_start_time", "execution_end_time", "error",
  }))
  local c = store.connection()
  local ok, err = results.prepare(c, d)
  if ok then ok, err = results.append(c, d, document .. "\n") end
  if not ok then log.warn("result_lost", { detector = d.id, reason = err.reason }) end
end

local function give_up(d, id, job, reason)
  log.error("detector_stopped", { detector = id, reason = reason })
  if d then write_failure(d, reason) end
  return disable(id, job, reason)
end

-- Counts a failure; too many in a row stop the job.
local function failed(d, job, err)
  log.warn("run_failed", { detector = d.id, reason = err.reason })
  local state = live.state(d.id)
  local failures = (state and state.failures or 0) + 1
  -- A script's detector waits for its source: its file says that it is to run.
  if failures > MOST_FAILURES and d.origin ~= "script" then
    return give_up(d, d.id, job,
      ("Stopped analysis as job failed consecutively for more than 6 times: %s"):format(err.reason))
  end
  live.note_failures(d.id, failures)
  return schedule.set(key(d.id), time.now_ms() + d.interval_ms, "blip.detector.scheduler", "tick", d.id)
end

-- Somebody looks at the models at this moment.
local function try_again(id)
  return schedule.set(key(id), time.now_ms() + 100, "blip.detector.scheduler", "tick", id)
end

--- The job: scores what is due, then sets the next moment.
-- @tparam string id
function scheduler.tick(id)
  local job = scheduler.job(id)
  if not job or not job.enabled then return true end
  local d, err = registry.resolve(id)
  if not d then return give_up(nil, id, job, "Stopped analysis: " .. err.reason) end
  local state, done = attempt(live.run, d, time.now_ms(), { also = report(d) })
  if not state then
    if done.kind == "cancelled" then return true end
    if done.kind == "busy" then return try_again(id) end
    return failed(d, job, done)
  end
  if (state.failures or 0) > 0 then live.note_failures(id, 0) end
  if not done then return submit(id) end
  return schedule.set(key(id), live.due(d, state), "blip.detector.scheduler", "tick", id)
end

--- Where a detector's run stands, for profiles.
-- @tparam string id
-- @treturn table `{ state = "DISABLED" | "INIT" | "RUNNING", [init_progress =], [error =],
-- [position_ms =], models =, models_bytes = }`
function scheduler.profile(id)
  local job = scheduler.job(id)
  if not job or not job.enabled then return { state = "DISABLED", models = 0, models_bytes = 0 } end
  local d, state, task = registry.resolve(id), live.state(id), tasks.latest(id, false)
  local ready = d and state and state.position_ms and live.init_progress(d, state) or 0.0
  local profile = {
    state = ready >= 1 and "RUNNING" or "INIT",
    init_progress = ready,
    error = task and task.error,
    position_ms = state and state.position_ms,
    models = 0,
    models_bytes = 0,
  }
  local set = model.borrow(id)
  if set then
    profile.models, profile.models_bytes = set:count(), set:size()
    model.give_back(id, set)
  end
  return profile
end

-- Ids of the detectors whose jobs are enabled.
local function enabled_ids()
  local answer, err = documents.search(INDEX, {
    size = 10000,
    query = { bool = { filter = { { term = { enabled = true } } } } },
  })
  if not answer then return nil, err end
  local ids = {}
  for i, hit in ipairs(json.plain(answer.hits).hits) do ids[i] = hit._id end
  return ids
end

--- Goes on with what ran when the server stopped.
function scheduler.resume()
  local ids, err = enabled_ids()
  if not ids then return nil, err end
  for _, id in ipairs(ids) do submit(id) end
  return replay.resume()
end

return scheduler
