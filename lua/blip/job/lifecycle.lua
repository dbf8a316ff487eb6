--- Opens, closes, resets and deletes jobs (elastic-ml.md 7.1, 7.2, 7.7).
--
--     closed ─▶ opened ─▶ closed        what a job has learned is saved when it closes
--         └▶ opening (waits for memory)
-- @module blip.job.lifecycle
local attempt = require "blip.attempt"
local capacity = require "blip.job.capacity"
local context = require "blip.job.context"
local engine = require "runtime.job"
local fail = require "blip.fail"
local job_index = require "blip.result.job_index"
local journal = require "blip.job.journal"
local notification = require "blip.job.notification"
local operations = require "blip.job.operations"
local purge = require "blip.job.purge"
local registry = require "blip.job.registry"
local run = require "blip.job.run"
local spill = require "blip.job.spill"
local state = require "blip.job.state"
local store = require "runtime.store"
local time = require "runtime.time"

local lifecycle = {}

-- Open jobs learn at once of changes to what their rules, filters and calendars say.
context.on_change(run.update)

local function refused(status, text, ...)
  return fail.es { status = status, type = "status_exception", reason = text:format(...) }
end

-- Calls `work_on(c, row)` with a job's turn; what it raises comes back as an error.
local function with_turn(id, work_on)
  local turn <close>, busy = run.turn(id)
  if not turn then return nil, busy end
  local c = store.connection()
  local row, err = state.load(c, id)
  if not row then return nil, err end
  local result, problem = attempt(work_on, c, row)
  c:rollback() -- of what an error left open
  return result, problem
end

-- Runs `write()` in a transaction that writes to an index, or to none; all of it or nothing.
local function transact(c, index, write)
  assert(c:begin(index))
  local ok, err = attempt(write)
  if ok then ok, err = c:commit() end
  if ok then return true end
  c:rollback()
  return nil, err
end

-- --- opening --------------------------------------------------------------------------------

-- The saved models with what the configuration says now, or fresh ones.
local function new_models(c, job)
  local options = assert(operations.engine_config(job))
  local bytes = journal.load(c, job.job_id)
  if bytes then return assert(engine.load(options, bytes)), options end
  return assert(engine.new(options)), options
end

-- The models that a job opens with. One that was closed in order has saved all that it knows. One that
-- was closed by force has operations in its journal; they are done again, and where that is not
-- possible any more it goes on from what was saved.
local function opening_models(c, job, row)
  if row.saved_seq == row.seq then return new_models(c, job) end
  local live, err = attempt(run.rebuild, c, row)
  if not live then
    notification.write(job.job_id, "warning",
      "What came since the models were saved cannot be done again: %s", err.reason)
    return new_models(c, job)
  end
  assert(live:update(operations.update(job).changes))
  return live, assert(operations.engine_config(job))
end

-- Keeps what the models of a job are, so that its journal begins anew.
local function keep(c, row, live, options)
  if row.saved_seq == row.seq then return journal.save_config(c, row.job, row.seq, options) end
  local bytes = live:save()
  row.saved_seq, row.saved_ms, row.saved_bytes, row.journal_bytes = row.seq, time.now_ms(), #bytes, 0
  local ok, err = journal.save_models(c, row.job, row.seq, bytes, options)
  if ok then ok, err = spill.forget(c, row.job, live) end
  return ok, err
end

local function check_can_open(job, row)
  if row.state == "opened" or row.state == "opening" then
    return refused(409, "Cannot open job [%s] because it has already been opened", job.job_id)
  elseif job.deleting or job.blocked then
    return refused(409, "Cannot open job [%s] because it is executing [%s]", job.job_id,
      job.blocked and job.blocked.reason or "delete")
  elseif not capacity.has_room(job) and not job.allow_lazy_open then
    return refused(429, "Could not open job because no ML nodes with sufficient capacity were found")
  end
  return true
end

local function begin(c, job, row)
  local live, options = opening_models(c, job, row)
  row.state, row.opened_ms, row.explanation = "opened", time.now_ms(), nil
  row.saved_ms = row.saved_ms or row.opened_ms
  local ok, err = transact(c, nil, function()
    assert(keep(c, row, live, options))
    return state.save(c, row)
  end)
  if not ok then
    live:close()
    return nil, err
  end
  engine.drop(job.job_id)
  return engine.give_back(job.job_id, live)
end

local function open(c, job, row)
  local ok, err = check_can_open(job, row)
  if not ok then return nil, err end
  assert(job_index.prepare(job))
  assert(job_index.ensure(job_index.ANNOTATIONS))
  if not capacity.has_room(job) then
    row.state = "opening"
    assert(state.save(c, row))
    return { node = "" }
  end
  assert(begin(c, job, row))
  return { node = "blip" }
end

--- Opens a job.
-- @tparam table job its configuration
-- @treturn table `node`, "" while the job waits; or nil and the dialect's error
function lifecycle.open(job)
  local answer, err = with_turn(job.job_id, function(c, row) return open(c, job, row) end)
  if not answer then return nil, err end
  registry.update(job.job_id, function(changed)
    changed.finished_time = nil
    return changed
  end)
  notification.write(job.job_id, "info", "Opening job")
  return answer
end

-- --- closing --------------------------------------------------------------------------------

local function save_and_close(c, job, row)
  local live = assert(run.models(c, row))
  row.state = "closed"
  assert(job_index.prepare(job))
  local ok, err = transact(c, job_index.name(job), function()
    assert(run.save_models(c, job, row, live))
    return state.save(c, row)
  end)
  live:close()
  engine.drop(job.job_id)
  return ok, err
end

-- Without saving: what the job has learned since its models were saved stays in the journal.
local function close_at_once(c, row)
  engine.drop(row.job)
  row.state = "closed"
  return state.save(c, row)
end

local function close(c, job, row, force)
  if row.state == "closed" then return false end
  if row.state == "failed" and not force then
    return refused(409, "cannot close job [%s] because it failed, use force close", job.job_id)
  end
  if row.state == "opened" then
    local ok, err = attempt(save_and_close, c, job, row)
    if not ok and not force then return nil, err end
    if ok then return true end
  end
  return close_at_once(c, row)
end

--- Closes a job: saves what it has learned. The bucket that is still open stays open in there.
-- @tparam table job its configuration
-- @tparam[opt] boolean force also a job that failed
-- @treturn boolean whether it was open; or nil and an error
function lifecycle.close(job, force)
  local was_open, err = with_turn(job.job_id, function(c, row) return close(c, job, row, force) end)
  if was_open == nil then return nil, err end
  if not was_open then return false end
  local row = assert(state.load(store.connection(), job.job_id))
  registry.update(job.job_id, function(changed)
    changed.finished_time, changed.model_snapshot_id = time.now_ms(), row.snapshot_id
    changed.model_snapshot_min_version = row.snapshot_id and changed.job_version
    return changed
  end)
  notification.write(job.job_id, "info", "Job is closed")
  return true
end

-- --- resetting and deleting -----------------------------------------------------------------

-- Everything that a job has found and learned.
local function forget(c, job, options)
  engine.drop(job.job_id)
  assert(purge.results(c, job))
  assert(purge.annotations(c, job, options.delete_user_annotations))
  return transact(c, nil, function()
    assert(journal.delete(c, job.job_id))
    return state.delete(c, job.job_id)
  end)
end

--- Forgets what a job has found and learned; its configuration and datafeed stay.
-- @tparam table job its configuration; it must be closed
-- @tparam table options `delete_user_annotations`
-- @return true; or nil and the dialect's error
function lifecycle.reset(job, options)
  local done, err = with_turn(job.job_id, function(c, row)
    if row.state ~= "closed" then return refused(409, "Can only reset a job when it is closed.") end
    if job.blocked and job.blocked.reason ~= "reset" then
      return refused(409, "cannot reset job while it is blocked with [%s]", job.blocked.reason)
    end
    return forget(c, job, options)
  end)
  if not done then return nil, err end
  registry.update(job.job_id, function(changed)
    changed.finished_time, changed.model_snapshot_id, changed.model_snapshot_min_version = nil, nil, nil
    return changed
  end)
  notification.write(job.job_id, "info", "Job has been reset")
  return true
end

local function check_deletable(id, row, force)
  if force or row.state == "closed" then return true end
  return refused(409, "Cannot delete job [%s] because the job is %s", id, row.state)
end

--- Refuses a job that cannot be deleted now.
-- @return true; or nil and the dialect's error
function lifecycle.check_deletable(job, force)
  local row, err = state.load(store.connection(), job.job_id)
  if not row then return nil, err end
  return check_deletable(job.job_id, row, force)
end

--- Deletes what a job has found and learned, its aliases, and then its configuration.
-- @tparam table job its configuration
-- @tparam table options `force`: also one that is open; `delete_user_annotations`
-- @return true; or nil and the dialect's error
function lifecycle.delete(job, options)
  local id = job.job_id
  local done, err = with_turn(id, function(c, row)
    registry.get(id) -- somebody else may have deleted it meanwhile
    assert(check_deletable(id, row, options.force))
    assert(forget(c, job, options))
    assert(job_index.release(job))
    registry.delete(id)
    return true
  end)
  if done then notification.write(id, "info", "Job deleted") end
  return done, err
end

return lifecycle
