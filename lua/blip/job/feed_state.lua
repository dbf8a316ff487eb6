--- Whether a datafeed runs, and how far it has come.
-- The row moves in the transaction that writes the results of what was fed, so that after a crash no
-- document is fed twice and none is left out.
-- @module blip.job.feed_state
local json = require "runtime.json"

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

local COLUMNS = {
  "job", "state", "start_ms", "end_ms", "position_ms", "is_real_time", "search_count", "search_ms",
  "bucket_count", "from_ms", "to_ms", "empty_searches", "failures", "checked_ms", "intervals",
  "problem",
}

local CREATE = [[
  CREATE SCHEMA IF NOT EXISTS blip;
  CREATE TABLE IF NOT EXISTS blip.datafeeds (
    datafeed VARCHAR, job VARCHAR, state VARCHAR, start_ms BIGINT, end_ms BIGINT, position_ms BIGINT,
    is_real_time BOOLEAN, search_count BIGINT, search_ms DOUBLE, bucket_count BIGINT, from_ms BIGINT,
    to_ms BIGINT, empty_searches BIGINT, failures BIGINT, checked_ms BIGINT, intervals BIGINT,
    problem VARCHAR)]]
local SELECT = "SELECT datafeed, " .. table.concat(COLUMNS, ", ") .. " FROM blip.datafeeds"
local UPDATE = "UPDATE blip.datafeeds SET " .. table.concat(COLUMNS, " = ?, ") .. " = ? WHERE datafeed = ?"
local INSERT = ("INSERT INTO blip.datafeeds (%s, datafeed) VALUES (%s?)"):format(
  table.concat(COLUMNS, ", "), ("?, "):rep(#COLUMNS))

local prepared = false -- in this worker

local function create(c)
  for statement in CREATE:gmatch "[^;]+" do
    local ok, err = c:execute(statement)
    if not ok then return nil, err end
  end
  return true
end

-- Two workers that make the table at once are in each other's way: for the slower one it is there
-- at the second look.
local function prepare(c)
  if prepared then return true end
  local ok, err = create(c)
  if not ok and err.kind == "conflict" then ok, err = create(c) end
  prepared = ok == true
  return ok, err
end

local function new(feed)
  return { datafeed = feed.datafeed_id, job = feed.job_id, state = "stopped", is_real_time = false,
           search_count = 0, search_ms = 0.0, bucket_count = 0, empty_searches = 0, failures = 0 }
end

--- A datafeed's row; of one that never ran a new one, which is not stored.
-- @tparam table feed its configuration
-- @return the row; or nil and an error
function state.load(c, feed)
  local ok, err = prepare(c)
  if not ok then return nil, err end
  local frame
  frame, err = c:query(SELECT .. " WHERE datafeed = ?", { feed.datafeed_id })
  if not frame then return nil, err end
  return #frame > 0 and frame:row(1) or new(feed)
end

--- The rows of the datafeeds that run.
function state.started(c)
  local ok, err = prepare(c)
  if not ok then return nil, err end
  local frame
  frame, err = c:query(SELECT .. " WHERE state = 'started'")
  if not frame then return nil, err end
  local rows = {}
  for i = 1, #frame do rows[i] = frame:row(i) end
  return rows
end

--- Keeps a row, in the open transaction if there is one.
function state.save(c, row)
  local values = {}
  for i, column in ipairs(COLUMNS) do
    values[i] = row[column] == nil and json.null or row[column]
  end
  values[#values + 1] = row.datafeed
  local changed, err = c:execute(UPDATE, values)
  if changed == 0 then changed, err = c:execute(INSERT, values) end
  if not changed then return nil, err end
  return true
end

--- Forgets a datafeed.
function state.delete(c, id)
  local ok, err = prepare(c)
  if not ok then return nil, err end
  return c:execute("DELETE FROM blip.datafeeds WHERE datafeed = ?", { id })
end

return state
