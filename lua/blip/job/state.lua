--- Whether a job is open, and how far its operations are committed.
-- The row moves in the transaction that writes an operation's results and its entry in the journal,
-- so that after a crash none is missing and none is there twice.
-- @module blip.job.state
local fail = require "blip.fail"
local ledger = require "blip.source.ledger"

local state = {}

--- A job's row.
--
-- - `job` its id; `state` "closed", "opening" (it waits for memory), "opened" or "failed"; `opened_ms`
--   when it was opened last
-- - `seq` of the last committed operation; operations count from 1
-- - `saved_seq` the last operation that the saved models know; `saved_ms` when they were saved,
--   `saved_bytes` how large they are
-- - `journal_bytes` of the operations since; `snapshot_id` of the document about the saved models
-- - `explanation` why it failed
-- @table row

local rows = ledger.new("blip.jobs", "job VARCHAR", {
  "state VARCHAR", "opened_ms BIGINT", "seq BIGINT", "saved_seq BIGINT", "saved_ms BIGINT",
  "saved_bytes BIGINT", "journal_bytes BIGINT", "snapshot_id VARCHAR", "explanation VARCHAR",
})

local function new(id)
  return { job = id, state = "closed", seq = 0, saved_seq = 0, saved_bytes = 0, journal_bytes = 0 }
end

--- A job's row; of a job that was never opened a new one, which is not stored.
-- @return the row; or nil and an error
function state.load(c, id)
  local row, err = rows:load(c, id)
  if err then return nil, err end
  return row or new(id)
end

--- The rows of all jobs that were ever opened, by id.
-- @return a table; or nil and an error
function state.all(c)
  local list, err = rows:list(c)
  if not list then return nil, err end
  local by_id = {}
  for _, row in ipairs(list) do by_id[row.job] = row end
  return by_id
end

--- Keeps a row, in the open transaction if there is one.
function state.save(c, row) return rows:save(c, row) end

--- Forgets a job.
function state.delete(c, id) return rows:delete(c, id) end

--- Refuses a job that is not open.
-- @return the row; or nil and the dialect's error
function state.check_open(row)
  if row.state == "opened" then return row end
  return fail.es {
    status = 409, type = "status_exception",
    reason = ("Cannot perform requested action because job [%s] is not open"):format(row.job),
  }
end

return state
