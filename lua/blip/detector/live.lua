--- Real-time runs: training on history, then interval after interval.
--
--     start at t:   [ history ................ | newest interval )   ends at t - delay
--     then:         windows of one interval each, in order; none is left out
--
-- The history's intervals are scored as all others, and their results are kept. After a pause
-- every interval in between is scored; after a very long one, training starts anew.
-- @module blip.detector.live
local fail = require "blip.fail"
local models = require "blip.detector.models"
local progress = require "blip.detector.progress"
local run = require "blip.detector.run"
local session = require "blip.detector.session"
local store = require "runtime.store"
local time = require "runtime.time"

local live = {}

local MIN_TRAINING = 32 -- intervals with data that train a forest
local LONGEST_GAP = 10000 -- intervals that are caught up with
local SLICE_NS = 300000000 -- a job's share of time before others have their turn

-- The end of the newest interval whose delay is over.
local function newest_end(d, state, now_ms)
  local ready = now_ms - d.delay_ms
  if state then return ready - (ready - state.offset_ms) % d.interval_ms end
  return d.aligned and ready - ready % d.interval_ms or ready
end

-- Starts of the intervals of [from, to) that have documents.
local function with_data(r, from, to)
  local frame, err = r.source.scan(r:plan(from, to, { category = {}, features = {} }))
  if not frame then return nil, err end
  return frame:column "time"
end

-- Where training starts: so far back that there is enough data, at most two rounds.
local function training_start(r, last)
  local d = r.d
  local span = math.max(MIN_TRAINING, d.history) * d.interval_ms
  local times, err = with_data(r, last - span, last)
  if times and #times < MIN_TRAINING then times, err = with_data(r, last - 2 * span, last) end
  if not times then return nil, err end
  return times[1] or last
end

--- The state of a run that starts now; stored.
-- @tparam table d definition
-- @tparam integer now_ms
-- @return state; or nil and an error
function live.begin(d, now_ms)
  local c, stop = store.connection(), newest_end(d, nil, now_ms)
  local offset_ms = stop % d.interval_ms
  local r, err = run.open(d, { offset_ms = offset_ms })
  if not r then return nil, err end
  local from
  from, err = training_start(r, stop - d.interval_ms)
  if not from then return nil, err end
  models.drop(d.id)
  local state = {
    run = d.id,
    version = d.version or "",
    offset_ms = offset_ms,
    from_ms = from,
    emit_ms = stop - d.interval_ms,
    position_ms = from,
    unsaved_ms = from,
  }
  local ok
  ok, err = progress.delete(c, d.id)
  if ok then ok, err = progress.save(c, state) end
  if not ok then return nil, err end
  return state
end

-- The stored state, or one that starts now: for the first time, after an edit, after too long a gap.
local function state_of(d, now_ms)
  local c = store.connection()
  local ok, err = progress.prepare(c)
  if not ok then return nil, err end
  local state
  state, err = progress.load(c, d.id)
  if err then return nil, err end
  if not (state and state.position_ms) then return live.begin(d, now_ms) end
  local late = now_ms - d.delay_ms - state.position_ms > LONGEST_GAP * d.interval_ms
  local training = state.position_ms < state.emit_ms
  if state.version ~= (d.version or "") or (late and not training) then return live.begin(d, now_ms) end
  return state
end

local function advance(s, stop, also)
  local began = time.monotonic_ns()
  while s.state.position_ms < stop do
    local reached, err = s:advance(stop, also and function() return also(s.state) end)
    if reached == nil then return nil, err end
    if time.monotonic_ns() - began > SLICE_NS then break end
  end
  return false -- the run goes on: its models are kept
end

--- Scores what is due, for a job's share of time.
-- @tparam table d definition
-- @tparam integer now_ms
-- @tparam[opt] table options `also(state)`, what else each commit writes; `source`, `threads`
-- @treturn table state after it; or nil and an error
-- @treturn boolean whether everything that was due is done
function live.run(d, now_ms, options)
  options = options or {}
  local state, err = state_of(d, now_ms)
  if not state then return nil, err end
  local stop = newest_end(d, state, now_ms)
  if state.position_ms >= stop then return state, true end
  local s
  s, err = session.open(d, state, {
    source = options.source,
    threads = options.threads,
    result = { model_id = true },
  })
  if not s then return nil, err end
  local going_on
  going_on, err = s:use(advance, stop, options.also)
  if going_on == nil then return nil, err end
  return state, state.position_ms >= stop
end

--- When the next interval is due.
function live.due(d, state)
  return state.position_ms + d.frequency_ms + d.delay_ms
end

--- How far training has come, 0 to 1.
function live.init_progress(d, state)
  local intervals = (state.position_ms - state.from_ms) / d.interval_ms
  return math.min(1.0, intervals / MIN_TRAINING)
end

--- Forgets a run: the next one trains anew.
function live.forget(id)
  local c = store.connection()
  local ok, err = progress.prepare(c)
  if not ok then return nil, err end
  models.drop(id)
  return progress.delete(c, id)
end

--- Keeps how many runs of a detector failed in a row.
-- @tparam string id
-- @tparam integer failures
function live.note_failures(id, failures)
  local state = live.state(id) or { run = id }
  state.failures = failures
  return progress.save(store.connection(), state)
end

--- The stored state of a run; one that never came to its first interval has no `position_ms`.
-- @return state; or nil and `not_found` when it never ran
function live.state(id)
  local c = store.connection()
  local ok, err = progress.prepare(c)
  if not ok then return nil, err end
  local state
  state, err = progress.load(c, id)
  if err then return nil, err end
  if not state then return fail.not_found("detector '%s' is not running", id) end
  return state
end

return live
