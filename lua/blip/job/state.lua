--- Whether a job is open, and how far its operations are committed.
-- The row moves in the transaction that writes an operation's results and its entry in the journal,
-- so that after a crash none is missing and none is there twice.
-- @module blip.job.state
local fail = require "blip.fail"
local json = require "runtime.json"

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

local COLUMNS = {
  "state", "opened_ms", "seq", "saved_seq", "saved_ms", "saved_bytes", "journal_bytes", "snapshot_id",
  "explanation",
}

local CREATE = [[
  CREATE SCHEMA IF NOT EXISTS blip;
  CREATE TABLE IF NOT EXISTS blip.jobs (
    job VARCHAR, state VARCHAR, opened_ms BIGINT, seq BIGINT, saved_seq BIGINT, saved_ms BIGINT,
    saved_bytes BIGINT, journal_bytes BIGINT, snapshot_id VARCHAR, explanation VARCHAR)]]
local SELECT = "SELECT job, " .. table.concat(COLUMNS, ", ") .. " FROM blip.jobs"
local UPDATE = "UPDATE blip.jobs SET " .. table.concat(COLUMNS, " = ?, ") .. " = ? WHERE job = ?"
local INSERT = ("INSERT INTO blip.jobs (%s, job) VALUES (%s?)"):format(
  table.concat(COLUMNS, ", "), ("?, "):rep(#COLUMNS))

local prepared = false -- in this worker

local function create(c)
  for statement in CREATE:gmatch "[^;]+" do
    local ok, err = c:execute(statement)
    if not ok then return nil, err end
  end
  return true
end

--- Makes sure that the table is there. Two workers that make it at once are in each other's way:
-- for the slower one it is there at the second look.
function state.prepare(c)
  if prepared then return true end
  local ok, err = create(c)
  if not ok and err.kind == "conflict" then ok, err = create(c) end
  prepared = ok == true
  return ok, err
end

local function new(id)
  return { job = id, state = "closed", seq = 0, saved_seq = 0, saved_bytes = 0, journal_bytes = 0 }
end

--- A job's row; of a job that was never opened a new one, which is not stored.
-- @return the row; or nil and an error
function state.load(c, id)
  local ok, err = state.prepare(c)
  if not ok then return nil, err end
  local frame
  frame, err = c:query(SELECT .. " WHERE job = ?", { id })
  if not frame then return nil, err end
  return #frame > 0 and frame:row(1) or new(id)
end

--- The rows of all jobs that were ever opened, by id.
function state.all(c)
  local ok, err = state.prepare(c)
  if not ok then return nil, err end
  local frame
  frame, err = c:query(SELECT)
  if not frame then return nil, err end
  local rows = {}
  for i = 1, #frame do
    local row = frame:row(i)
    rows[row.job] = row
  end
  return rows
end

--- Keeps a row, in the open transaction if there is one.
function state.save(c, row)
  local values = {}
  for i, column in ipairs(COLUMNS) do
    values[i] = row[column] == nil and json.null or row[column]
  end
  values[#values + 1] = row.job
  local changed, err = c:execute(UPDATE, values)
  if changed == 0 then changed, err = c:execute(INSERT, values) end
  if not changed then return nil, err end
  return true
end

--- Forgets a job.
function state.delete(c, id)
  return c:execute("DELETE FROM blip.jobs WHERE job = ?", { id })
end

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
