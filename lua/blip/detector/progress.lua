--- Where each run stands: which intervals are done, and what its models still have to be told.
-- A run is a detector's real-time run (its key is the detector's id) or a historical analysis
-- (the task's id). Its row moves in the transaction that writes the results, so that after a
-- crash no result is missing and none is there twice.
-- @module blip.detector.progress
local json = require "runtime.json"

local progress = {}

--- A run's row.
--
-- - `run` key; `version` of the definition that its models were trained by
-- - `offset_ms` of its grid; `from_ms` its first interval; `emit_ms` where training ends:
--   intervals without data are results from here on, and anomalies are told
-- - `[to_ms]` end of its last interval; nil: it goes on
-- - `position_ms` end of the last interval that is done
-- - `unsaved_ms` rows from here to the position have to be scored again to bring the snapshots
--   up to the position
-- - `failures` runs in a row that failed; `[stage]` state that the task was told last
-- @table state

local COLUMNS = {
  "version", "offset_ms", "from_ms", "emit_ms", "to_ms", "position_ms", "unsaved_ms", "failures", "stage",
}

local CREATE = [[
  CREATE SCHEMA IF NOT EXISTS blip;
  CREATE TABLE IF NOT EXISTS blip.runs (
    run VARCHAR, version VARCHAR, offset_ms BIGINT, from_ms BIGINT, emit_ms BIGINT,
    to_ms BIGINT, position_ms BIGINT, unsaved_ms BIGINT, failures BIGINT, stage VARCHAR)]]
local SELECT = "SELECT run, " .. table.concat(COLUMNS, ", ") .. " FROM blip.runs WHERE run = ?"
local UPDATE = "UPDATE blip.runs SET " .. table.concat(COLUMNS, " = ?, ") .. " = ? WHERE run = ?"
local INSERT = ("INSERT INTO blip.runs (%s, run) VALUES (%s?)"):format(
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
function progress.prepare(c)
  if prepared then return true end
  local ok, err = create(c)
  if not ok and err.kind == "conflict" then ok, err = create(c) end
  prepared = ok == true
  return ok, err
end

--- A run's state.
-- @return state, nil when it has none; or nil and an error
function progress.load(c, run)
  local frame, err = c:query(SELECT, { run })
  if not frame then return nil, err end
  return #frame > 0 and frame:row(1) or nil
end

--- Keeps a run's state, in the open transaction if there is one.
function progress.save(c, state)
  local values = {}
  for i, column in ipairs(COLUMNS) do
    values[i] = state[column] == nil and json.null or state[column]
  end
  values[#values + 1] = state.run
  local changed, err = c:execute(UPDATE, values)
  if changed == 0 then changed, err = c:execute(INSERT, values) end
  if not changed then return nil, err end
  return true
end

--- Forgets a run and the snapshots of its models.
function progress.delete(c, run)
  local ok, err = c:execute("DELETE FROM blip.runs WHERE run = ?", { run })
  if ok then ok, err = c:delete_snapshots(run) end
  if not ok then return nil, err end
  return true
end

return progress
