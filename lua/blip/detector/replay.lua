--- Historical analyses: a detector over a range of the past.
--
--     start ─▶ task CREATED ─▶ slice ─▶ slice ─▶ ... ─▶ FINISHED | FAILED | STOPPED
--
-- A slice is a job of some hundred milliseconds: it opens the run's session, commits stretches
-- with the task's progress in the same transaction, and hands itself in again, so that others
-- have their turn. After a restart the models are brought back by scoring from the beginning
-- without writing; what is written already is known from the position.
-- @module blip.detector.replay
local aggregate = require "blip.query.aggregate"
local attempt = require "blip.attempt"
local definition = require "blip.detector.definition"
local fail = require "blip.fail"
local log = require "runtime.log"
local pace = require "blip.detector.pace"
local progress = require "blip.detector.progress"
local registry = require "blip.detector.registry"
local run = require "blip.detector.run"
local schedule = require "runtime.schedule"
local session = require "blip.detector.session"
local store = require "runtime.store"
local tasks = require "blip.detector.tasks"
local time = require "runtime.time"
local work = require "runtime.work"

local replay = {}

replay.SLICE_NS = 300000000 -- a job's share of time before others have their turn
local MIN_INTERVALS = 32 -- fewer train no model
local WHOLE = 1 << 52 -- ms, an interval that holds all times

-- Times of the first and last document, nil without any.
local function extent(r, from, to)
  local d = r.d
  local frame, err = r.source.scan(r:plan(from, to, {
    interval_ms = WHOLE,
    offset_ms = -(WHOLE // 2),
    category = {},
    features = {
      { name = "first", expr = aggregate.min(d.time_field) },
      { name = "last", expr = aggregate.max(d.time_field) },
    },
  }))
  if not frame then return nil, err end
  if #frame == 0 then return nil end
  return math.floor(frame:get(1, "first")), math.floor(frame:get(1, "last"))
end

--- The intervals of a range that an analysis covers: those between the first and the last
-- document, on the epoch grid. Of a REST detector the last one is left out, as the plugin does
-- (its clip ends at the last document's time, rounded down).
-- @tparam table r run
-- @tparam integer from ms
-- @tparam integer to ms
-- @return start and end in ms; or nil and an `invalid` error in the dialect's words
function replay.clip(r, from, to)
  local first, last = extent(r)
  if first == nil then
    if last then return nil, last end
    return fail.invalid "There is no data in the time field"
  end
  local step = r.d.interval_ms
  if r.d.origin == "script" then last = last - last % step + step end
  local start, stop = math.max(from, first), math.min(to, last)
  if first >= to or last <= from or start >= stop then
    return fail.invalid "There is no data in the detection date range"
  end
  start, stop = start - start % step, stop - stop % step
  if stop - start < MIN_INTERVALS * step then
    return fail.invalid "There is not enough data to train model"
  end
  return start, stop
end

-- A range in one go, in this job --------------------------------------------------------------

--- Scores a range of any source and hands out the frames, without writing anything.
--
--     for frame in replay.frames(d, from, to, { source = file }) do ... end
-- @tparam table d definition
-- @tparam integer from ms
-- @tparam integer to ms
-- @tparam[opt] table options of a run: `source`, `threads`; `whole` = do not clip the range
-- @return an iterator over scored frames, which raises errors of source and models; or nil and
-- an error when the range has no data
function replay.frames(d, from, to, options)
  options = options or {}
  local r, err = run.open(d, options)
  if not r then return nil, err end
  local at, stop = from, to
  if not options.whole then
    at, stop = replay.clip(r, from, to)
    if not at then return nil, stop end
  end
  local rate = pace.new(d)
  return function()
    if at >= stop then return nil end
    work.check()
    local upto = rate:stop(at, stop)
    local frame = assert(r:stretch(at, upto))
    rate:learn(#frame, upto - at)
    at = upto
    return frame
  end
end

-- As a task -----------------------------------------------------------------------------------

local function key(task_id)
  return "analysis:" .. task_id
end

local function submit(task_id)
  return work.submit {
    module = "blip.detector.replay",
    func = "slice",
    args = task_id,
    key = key(task_id),
    lane = "background",
  }
end

--- Starts an analysis.
-- @tparam table d definition
-- @tparam integer from ms
-- @tparam integer to ms
-- @treturn string id of its task; or nil and an error
function replay.start(d, from, to)
  local ok, err = progress.prepare(store.connection())
  if not ok then return nil, err end
  local task
  task, err = tasks.create(d, { start_time = from, end_time = to })
  if not task then return nil, err end
  ok, err = submit(task.id)
  if not ok then return nil, err end
  return task.id
end

--- Stops an analysis.
-- @tparam string task_id
-- @tparam[opt] string user who stopped it
-- @return true; or nil and an error
function replay.stop(task_id, user)
  schedule.clear(key(task_id))
  work.cancel(key(task_id))
  for _ = 1, 5 do -- a slice may commit in between
    local task, err = tasks.get(task_id)
    if not task then return nil, err end
    if tasks.is_ended(task) then return true end
    task.stopped_by = user
    local ok
    ok, err = tasks.finish(task, "STOPPED", "Historical analysis cancelled by user")
    if ok then return progress.delete(store.connection(), task_id) end
    if err.kind ~= "conflict" then return nil, err end
  end
  return fail.busy("the analysis '%s' is too busy to stop", task_id)
end

-- Where a task begins, when no slice of it has run.
local function begin(d, task)
  local r, err = run.open(d)
  if not r then return nil, err end
  local range = task.detection_date_range
  local from, to = replay.clip(r, range.start_time, range.end_time)
  if not from then return nil, to end
  local state = {
    run = task.id,
    version = d.version or "",
    offset_ms = 0,
    from_ms = from,
    emit_ms = from,
    to_ms = to,
    position_ms = from,
    unsaved_ms = from,
  }
  local ok
  ok, err = progress.save(store.connection(), state)
  if not ok then return nil, err end
  return state
end

-- What a task says after a stretch; runs in its transaction.
local function report(d, task, state)
  local done, to = state.position_ms - state.from_ms, state.to_ms
  local single = definition.is_single(d)
  task.state = done >= MIN_INTERVALS * d.interval_ms and "RUNNING" or "INIT"
  task.task_progress = done / (to - state.from_ms)
  task.init_progress = single and math.min(1.0, done / (MIN_INTERVALS * d.interval_ms)) or 0.0
  task.current_piece = single and math.min(state.position_ms, to - d.interval_ms) or nil
  if state.position_ms < to then return tasks.save(task) end
  local ok, err = tasks.finish(task, "FINISHED", not single and "" or nil)
  if ok then ok, err = progress.delete(store.connection(), state.run) end
  return ok, err
end

-- Where a slice stops at the latest: a detector with a pace rests after each piece.
local function slice_end(s)
  local rest, state = s.d.pace, s.state
  return rest and math.min(state.to_ms, state.position_ms + rest.intervals * s.d.interval_ms) or state.to_ms
end

-- Stretch after stretch until the slice's time is over. Returns whether the end is reached.
local function advance(s, task)
  local began, stop = time.monotonic_ns(), slice_end(s)
  while true do
    local done, err = s:advance(stop, function() return report(s.d, task, s.state) end)
    if done == nil then return nil, err end
    if done or time.monotonic_ns() - began > replay.SLICE_NS then return done and stop == s.state.to_ms end
  end
end

local function run_slice(task)
  local d, err = registry.resolve(task.detector_id)
  if not d then return nil, err end
  local c = store.connection()
  local state
  state, err = progress.load(c, task.id)
  if err then return nil, err end
  if not state then state, err = begin(d, task) end
  if not state then return nil, err end
  local s
  s, err = session.open(d, state, {
    keep_snapshots = false,
    result = { task_id = task.id, model_id = not definition.is_single(d) },
  })
  if not s then return nil, err end
  local done
  done, err = s:use(advance, task)
  return done, err, d.pace
end

-- The next slice, at once or after a pause.
local function go_on(task_id, rest)
  if not rest then return submit(task_id) end
  return schedule.set(key(task_id), time.now_ms() + rest.pause_ms, "blip.detector.replay", "slice", task_id)
end

--- The job: some stretches of a task, then the next slice.
-- @tparam string task_id
function replay.slice(task_id)
  local task, err = tasks.get(task_id)
  if not task then return nil, err end
  if tasks.is_ended(task) then return true end
  local done, rest
  done, err, rest = attempt(run_slice, task)
  if done == false then return go_on(task_id, rest) end
  if done then return true end
  if err.kind == "busy" then return submit(task_id) end
  if err.kind == "conflict" or err.kind == "cancelled" then return true end -- stopped
  log.warn("analysis_failed", { task = task_id, detector = task.detector_id, reason = err.reason })
  progress.delete(store.connection(), task_id)
  task = tasks.get(task_id)
  if not task then return true end
  local single = task.task_type == "HISTORICAL_SINGLE_ENTITY"
  task.current_piece = task.current_piece or single and task.detection_date_range.start_time or nil
  return tasks.finish(task, "FAILED", err.reason)
end

--- Goes on with the analyses that a stop of the server interrupted.
function replay.resume()
  local list, err = tasks.unfinished()
  if not list then return nil, err end
  for _, task in ipairs(list) do submit(task.id) end
  return true
end

return replay
