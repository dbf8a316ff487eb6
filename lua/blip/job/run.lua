--- Carries out the operations of open jobs, one at a time per job.
--
--     turn ─▶ models (in memory, or saved ones + journal) ─▶ operation ─▶ ┌ results, counts ┐
--                                                                         │ journal entry   │ commit
--                                                                         │ place, models   │
--                                                                         └─────────────────┘
-- What an operation led to and the operation itself are committed together before it is answered, so
-- that a crash loses nothing and repeats nothing. After a failure the models in memory are dropped; the
-- next operation brings them back as they were before.
-- @module blip.job.run
local attempt = require "blip.attempt"
local config = require "blip.job.config"
local engine = require "runtime.job"
local fail = require "blip.fail"
local job_index = require "blip.result.job_index"
local journal = require "blip.job.journal"
local notification = require "blip.job.notification"
local operations = require "blip.job.operations"
local outcome = require "blip.job.outcome"
local registry = require "blip.job.registry"
local renormalize = require "blip.job.renormalize"
local spill = require "blip.job.spill"
local state = require "blip.job.state"
local store = require "runtime.store"
local time = require "runtime.time"
local work = require "runtime.work"

local run = {}

local WAIT_MS = 60000 -- for a job that somebody else works on
-- Models are saved when what would have to be done again is larger than both of these.
local SAVED_TIMES, LEAST_JOURNAL_BYTES = 2, 32 << 20

--- Takes the turn of a job: whoever has it may look at its models and move its place.
-- @tparam string id
-- @return the turn, to be left or closed; or nil and a `busy` error
function run.turn(id)
  return work.take("job:" .. id, WAIT_MS)
end

-- --- models ---------------------------------------------------------------------------------

-- Results of what is done again are written already.
local function replay(c, live, row)
  return journal.each(c, row.job, row.saved_seq, function(operation)
    work.check()
    local _, err = operations.perform(live, operation)
    live:take_results()
    live:take_annotations()
    live:take_scores_changed()
    if err and not operations.is_answer(err) then return nil, err end
    return true
  end)
end

--- Brings back the models as they were after the last committed operation, from what is stored. The caller
-- has the job's turn.
-- @return models; or nil and an error
function run.rebuild(c, row)
  local bytes, engine_config, err = journal.load(c, row.job)
  if not engine_config then return nil, err end
  local live
  if bytes then
    live, err = engine.load(engine_config, bytes)
  else
    live, err = engine.new(engine_config)
  end
  if not live then return nil, err end
  live:keep(spill.keeper(c, row.job))
  local ok
  ok, err = replay(c, live, row)
  if ok then return live end
  live:close()
  return nil, err
end

--- The models of a job whose turn the caller has: those in memory, to be given back or dropped, or
-- those that the store brings back.
-- @return models; or nil and an error
function run.models(c, row)
  local live, err = engine.borrow(row.job)
  if live then live:keep(spill.keeper(c, row.job)) end
  if live or err.kind ~= "not_found" then return live, err end
  return run.rebuild(c, row)
end

-- --- committing -----------------------------------------------------------------------------

local function is_due(job, row)
  if row.journal_bytes > math.max(SAVED_TIMES * row.saved_bytes, LEAST_JOURNAL_BYTES) then return true end
  return time.now_ms() - (row.saved_ms or row.opened_ms) > config.persist_interval_ms(job)
end

--- Saves a job's models, in the open transaction.
-- @param c connection
-- @tparam table job its configuration
-- @tparam table row of @{blip.job.state}; changed
-- @param live its models
-- @return true; or nil and an error
function run.save_models(c, job, row, live)
  local bytes, err = live:save()
  if not bytes then return nil, err end
  row.saved_seq, row.saved_ms, row.saved_bytes, row.journal_bytes = row.seq, time.now_ms(), #bytes, 0
  local ok
  ok, err = journal.save_models(c, row.job, row.seq, bytes, operations.engine_config(job))
  if ok then ok, err = spill.forget(c, row.job, live) end
  if ok then ok, err = outcome.write_snapshot(c, job, row, live) end
  return ok, err
end

-- Makes sure that an operation is not lost: by its entry in the journal or, when there is much in there,
-- by the models that know it.
local function remember(c, job, row, live, operation, weight)
  row.seq = row.seq + 1
  row.journal_bytes = row.journal_bytes + #(operation.body or "") + (weight or 0)
  if is_due(job, row) then return run.save_models(c, job, row, live) end
  return journal.append(c, row.job, row.seq, operation)
end

local function write(c, job, row, live, operation, done)
  local ok, err = outcome.write(c, job, live, done)
  if ok and live:take_scores_changed() then ok, err = renormalize.run(c, job, live) end
  if ok then ok, err = remember(c, job, row, live, operation, done.weight) end
  if ok and done.also then ok, err = done.also(c, done.result) end
  if not ok then return nil, err end
  return state.save(c, row)
end

-- All of it or nothing.
local function commit(c, job, ...)
  local ok, err = c:begin(job_index.name(job), job_index.ANNOTATIONS)
  if ok then ok, err = write(c, job, ...) end
  if ok then ok, err = c:commit() end
  if ok then return true end
  c:rollback()
  return nil, err
end

-- --- operations -----------------------------------------------------------------------------

-- Does the operation and commits it. An answer that is a refusal was an operation too.
local function carry_out(c, job, row, live, operation, also)
  local started = time.monotonic_ns()
  local result, refusal = operations.perform(live, operation)
  if refusal and not operations.is_answer(refusal) then return nil, refusal end
  local done = {
    kind = operation.kind, also = also, result = result, weight = result and result.weight,
    elapsed_ms = (time.monotonic_ns() - started) / 1e6,
  }
  local ok, err = commit(c, job, row, live, operation, done)
  if not ok then return nil, err end
  return { result = result, refusal = refusal, done = done }
end

-- What was saved is damaged, or what would have to be read again is gone: nobody can go on from there.
-- Any other failure may pass.
local function give_up(c, row, err)
  if err.kind ~= "invalid" and err.kind ~= "not_found" then return nil, err end
  row.state, row.explanation = "failed", err.reason
  local ok, problem = state.save(c, row)
  if not ok then return nil, problem end
  notification.write(row.job, "error", "Job failed: %s", err.reason)
  return fail.es {
    status = 409, type = "status_exception",
    caused_by = { type = "illegal_state_exception", reason = err.reason },
    reason = ("Cannot process data because job [%s] does not have a corresponding autodetect process"):format(
      row.job),
  }
end

local function apply(c, row, operation, also)
  local job = registry.get(row.job)
  assert(job_index.prepare(job))
  assert(job_index.ensure(job_index.ANNOTATIONS))
  local live, lost = run.models(c, row)
  if not live then return give_up(c, row, lost) end
  local answer, err = attempt(carry_out, c, job, row, live, operation, also)
  if not answer then
    c:rollback() -- of what an error that was raised left open
    live:close()
    engine.drop(row.job)
    return nil, err
  end
  assert(engine.give_back(row.job, live))
  outcome.tell(job, answer.done)
  return answer.result, answer.refusal
end

-- Answers what `work_on(c, row)` does with the turn of an open job.
local function with_open(id, work_on)
  local turn <close>, busy = run.turn(id)
  if not turn then return nil, busy end
  local c = store.connection()
  local row, err = state.load(c, id)
  if row then row, err = state.check_open(row) end
  if not row then return nil, err end
  return work_on(c, row)
end

--- Carries out one operation of an open job.
-- @tparam string id of the job
-- @tparam table operation as @{blip.job.operations.perform} takes it
-- @tparam[opt] function also `also(c, answer)` writes more in the same transaction
-- @treturn table what the engine answered; or nil and an error: the dialect's when the job is not open
function run.apply(id, operation, also)
  return with_open(id, function(c, row) return attempt(apply, c, row, operation, also) end)
end

local function persist(c, job, row)
  local live, err = run.models(c, row)
  if not live then return nil, err end
  local ok
  ok, err = c:begin(job_index.name(job))
  if ok then ok, err = attempt(run.save_models, c, job, row, live) end
  if ok then ok, err = state.save(c, row) end
  if ok then ok, err = c:commit() end
  c:rollback() -- of what an error left open
  assert(engine.give_back(job.job_id, live))
  return ok, err
end

--- Saves the models of an open job now.
-- @tparam table job its configuration
-- @return true; or nil and an error
function run.persist(job)
  return with_open(job.job_id, function(c, row) return persist(c, job, row) end)
end

--- Tells an open job that its rules, filters, events or model plot changed.
-- @tparam table job its configuration
-- @return true, also when it is not open; or nil and an error
function run.update(job)
  local row, err = state.load(store.connection(), job.job_id)
  if not row then return nil, err end
  if row.state ~= "opened" then return true end
  local result
  result, err = run.apply(job.job_id, operations.update(job))
  return result ~= nil, err
end

local function look_at(c, row, look)
  local live, err = run.models(c, row)
  if not live then return nil, err end
  local answer, problem = attempt(look, live)
  local ok
  ok, err = engine.give_back(row.job, live)
  if not ok then return fail.failed("models of job '%s': %s", row.job, err.reason) end
  return answer, problem
end

--- Looks at the models of an open job, without changing anything.
-- @tparam string id
-- @tparam function look `look(live)`
-- @return what `look` answers; or nil and an error
function run.look(id, look)
  return with_open(id, function(c, row) return look_at(c, row, look) end)
end

return run
