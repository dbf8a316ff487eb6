--- Whether a datafeed runs, and how far it has come.
-- The row moves in the transaction that writes the results of what was fed, so that after a crash no
-- document is fed twice and none is left out.
-- @module blip.job.feed_state
local ledger = require "blip.source.ledger"

local state = {}

--- A datafeed's row.
--
-- - `datafeed` its id; `state` "stopped" or "started"
-- - `start_ms`, `end_ms` of the range that it was started over; no end: it goes on
-- - `position_ms` everything before it is fed; `is_real_time` whether it has caught up
-- - `search_count`, `search_ms`, `bucket_count` of all its searches so far
-- - `from_ms`, `to_ms` of the last search
-- - `empty_searches`, `failures` in a row; `problem` that was told last; `checked_ms` when late
--   documents were looked for last
-- - `intervals` that the next stretch is to have: kept, so that a run that is interrupted takes the
--   same stretches as one that is not
-- @table row

local rows = ledger.new("blip.datafeeds", "datafeed VARCHAR", {
  "job VARCHAR", "state VARCHAR", "start_ms BIGINT", "end_ms BIGINT", "position_ms BIGINT",
  "is_real_time BOOLEAN", "search_count BIGINT", "search_ms DOUBLE", "bucket_count BIGINT",
  "from_ms BIGINT", "to_ms BIGINT", "empty_searches BIGINT", "failures BIGINT", "checked_ms BIGINT",
  "intervals BIGINT", "problem VARCHAR",
})

local function new(feed)
  return { datafeed = feed.datafeed_id, job = feed.job_id, state = "stopped", is_real_time = false,
           search_count = 0, search_ms = 0.0, bucket_count = 0, empty_searches = 0, failures = 0 }
end

--- A datafeed's row; of one that never ran a new one, which is not stored.
-- @tparam table feed its configuration
-- @return the row; or nil and an error
function state.load(c, feed)
  local row, err = rows:load(c, feed.datafeed_id)
  if err then return nil, err end
  return row or new(feed)
end

--- The rows of the datafeeds that run.
-- @return a list; or nil and an error
function state.started(c) return rows:list(c, "state = 'started'") end

--- Keeps a row, in the open transaction if there is one.
function state.save(c, row) return rows:save(c, row) end

--- Forgets a datafeed.
function state.delete(c, id) return rows:delete(c, id) end

return state
