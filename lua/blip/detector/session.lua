--- A run with a memory: scores stretches and commits what came out.
--
--     begin ─▶ results ─▶ some snapshots ─▶ position ─▶ commit
--
-- The model set stays in memory between jobs. When it is not there (a restart, a failure), it
-- comes back from the snapshots and a replay of the rows since: models are deterministic, so
-- that what follows is what would have followed.
-- @module blip.detector.session
local attempt = require "blip.attempt"
local anomaly = require "blip.result.anomaly"
local log = require "runtime.log"
local models = require "blip.detector.models"
local pace = require "blip.detector.pace"
local progress = require "blip.detector.progress"
local results = require "blip.result.index"
local run = require "blip.detector.run"
local snapshots = require "blip.detector.snapshots"
local store = require "runtime.store"
local time = require "runtime.time"
local work = require "runtime.work"

local session = {}

local Session = {}
Session.__index = Session

-- Models that are saved but not in memory come back when a row of theirs does, but for those that
-- come back together; and silent entities whose values are imputed have to be known.
local function loads_all(self)
  return models.is_whole(self.d) or (self.d.impute ~= nil and #self.d.category > 0)
end

-- Scans and scores a stretch, with the models of its entities in memory.
local function score(self, from, to)
  local r = self.run
  local frame, err = r.source.scan(r:plan(from, to))
  if not frame then return nil, err end
  if self.snapshots and not loads_all(self) then
    local ok
    ok, err = snapshots.load(self.c, self.state.run, r.set, r.set:absent(frame, r.columns))
    if not ok then return nil, err end
  end
  frame, err = r:score(frame, from, to)
  if frame then self.pace:learn(#frame, to - from) end
  return frame, err
end

-- Scores the rows that are in no snapshot again; their results are written already.
local function catch_up(self)
  local at, position = self.state.unsaved_ms or self.state.position_ms, self.state.position_ms
  while at < position do
    work.check()
    local to = self.pace:stop(at, position)
    local frame, err = score(self, at, to)
    if not frame then return nil, err end
    frame:close()
    at = to
  end
  return true
end

-- The models as they were at the run's position.
local function rebuild(self)
  local set, err = models.new_set(self.d, self.threads)
  if not set then return nil, err end
  if self.snapshots and loads_all(self) then
    local ok
    ok, err = snapshots.load_all(self.c, self.state.run, set)
    if not ok then return nil, err end
  end
  self.run, err = run.open(self.d, { set = set, source = self.source, offset_ms = self.state.offset_ms })
  if not self.run then return nil, err end
  return catch_up(self)
end

--- Opens the session of a run whose state is known.
-- @tparam table d definition
-- @tparam table state of @{blip.detector.progress}; moves on with every commit
-- @tparam table options
--   `[source]`, `[threads]` as for a run; `result` options of @{blip.result.anomaly.template};
--   `[keep_snapshots]` false for a run that is replayed from its beginning after a crash
-- @return session; or nil and an error
function session.open(d, state, options)
  local self = setmetatable({
    d = d,
    state = state,
    c = store.connection(),
    source = options.source,
    threads = options.threads,
    result = options.result,
    snapshots = options.keep_snapshots ~= false or d.model.kind == "script",
    pace = pace.new(d),
  }, Session)
  local set, err = models.borrow(d, state)
  if err then return nil, err end
  if set then
    self.run, err = run.open(d, { set = set, source = self.source, offset_ms = state.offset_ms })
    return self.run and self, err
  end
  local ok
  ok, err = rebuild(self)
  return ok and self, err
end

-- Saves some of the models, and notes from when on rows are in no saved one.
local function save_models(self)
  if not self.snapshots then return true end
  local state, set, step = self.state, self.run.set, self.d.interval_ms
  local saved, err = snapshots.save(self.c, state.run, set, state.position_ms - step)
  if not saved then return nil, err end
  local from = set.unsaved_from and set:unsaved_from()
  if from then from = math.max(state.from_ms, from - (from - state.offset_ms) % step) end
  state.unsaved_ms = from or state.position_ms
  return true
end

-- The documents of a stretch; intervals without data are none of training.
local function documents(self, frame, started_ms)
  local options = {}
  for name, value in pairs(self.result) do options[name] = value end
  options.executed = { started_ms, time.now_ms() }
  options.errors_from_ms = self.state.emit_ms
  return anomaly.documents(self.d, frame, options)
end

local function write(self, frame, started_ms, also)
  local text, count = documents(self, frame, started_ms)
  if not text then return nil, count end
  if count > 0 then
    local ok, err = results.append(self.c, self.d, text)
    if not ok then return nil, err end
  end
  local ok, err = save_models(self)
  if ok then ok, err = progress.save(self.c, self.state) end
  if ok and also then ok, err = also() end
  return ok, err
end

-- Results, snapshots, position and what `also` writes: all of them or none.
local function commit(self, frame, to, started_ms, also)
  local before = self.state
  local ok, err = results.prepare(self.c, self.d)
  if ok then ok, err = self.c:begin() end
  if not ok then return nil, err end
  self.state = setmetatable({ position_ms = to }, { __index = before })
  ok, err = write(self, frame, started_ms, also)
  if ok then ok, err = self.c:commit() end
  if not ok then
    self.c:rollback()
    self.state = before
    return nil, err
  end
  for name, value in pairs(self.state) do before[name] = value end
  self.state = before
  return true
end

-- Anomalies of the past, of training and of analyses, are nobody's business.
local function tell(self, frame)
  if not self.d.on_anomaly or self.state.to_ms then return end
  for _, row in ipairs(anomaly.rows(self.d, frame)) do
    if row.time >= self.state.emit_ms then self.d.on_anomaly(row) end
  end
end

--- Scores the next stretch, at most up to `to`, and commits it.
-- @tparam integer to end of an interval, ms
-- @tparam[opt] function also writes more in the same transaction
-- @treturn boolean whether `to` is reached; or nil and an error: the session is then closed and
-- its models are dropped, the next one rebuilds them
function Session:advance(to, also)
  work.check()
  local from, started_ms = self.state.position_ms, time.now_ms()
  local stop = self.pace:stop(from, to)
  local frame, err = score(self, from, stop)
  local ok = frame ~= nil
  if ok then ok, err = commit(self, frame, stop, started_ms, also) end
  if not ok then return self:drop(err) end
  snapshots.trim(self.run.set)
  tell(self, frame)
  frame:close()
  return stop >= to
end

--- Calls `work_on(self, ...)`, which answers whether the run is over. If it goes on, its models
-- are left to the next job.
-- @return what it answers; or nil and an error, also one that it raised
function Session:use(work_on, ...)
  local done, err = attempt(work_on, self, ...)
  if done == false then self:close() else self:drop() end
  return done, err
end

--- Closes a session after a failure: what its models have learned is not what is stored.
function Session:drop(err)
  self.c:rollback() -- of what an error that was raised left open
  if self.run then self.run.set:close() end
  models.drop(self.state.run)
  self.run = nil
  return nil, err
end

--- Leaves the models to the next job.
function Session:close()
  if not self.run then return end
  local ok, err = models.give_back(self.d, self.state.run, self.run.set)
  if not ok then log.warn("models_dropped", { run = self.state.run, reason = err.reason }) end
  self.run = nil
end

return session
