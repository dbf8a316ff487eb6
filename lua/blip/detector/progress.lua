--- Where each run stands: which intervals are done, and what its models still have to be told.
-- A run is a detector's real-time run (its key is the detector's id) or a historical analysis
-- (the task's id). Its row moves in the transaction that writes the results, so that after a
-- crash no result is missing and none is there twice.
-- @module blip.detector.progress
local ledger = require "blip.source.ledger"

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

local runs = ledger.new("blip.runs", "run VARCHAR", {
  "version VARCHAR", "offset_ms BIGINT", "from_ms BIGINT", "emit_ms BIGINT", "to_ms BIGINT",
  "position_ms BIGINT", "unsaved_ms BIGINT", "failures BIGINT", "stage VARCHAR",
})

--- Makes sure that there is a place for states.
function progress.prepare(c) return runs:prepare(c) end

--- A run's state.
-- @return state, nil when it has none; or nil and an error
function progress.load(c, run) return runs:load(c, run) end

--- Keeps a run's state, in the open transaction if there is one.
function progress.save(c, state) return runs:save(c, state) end

--- Forgets a run and the snapshots of its models.
function progress.delete(c, run)
  local ok, err = runs:delete(c, run)
  if ok then ok, err = c:delete_snapshots(run) end
  if not ok then return nil, err end
  return true
end

return progress
