--- Keys of buckets as SQL over @{blip.query.rows}.
--
-- Two expressions make a bucket of time: a raw key that is cheap to work out for every row,
-- and what turns the few raw keys that remain into milliseconds.
-- @module blip.query.bucket
local bucket = {}

-- Raw keys count intervals from before the year 1, so that the division truncates downwards.
local EARLIEST_MS = 62135596800000

--- Buckets of a fixed width.
-- @param from the @{blip.query.rows}
-- @tparam string x SQL of a TIMESTAMP
-- @tparam integer width_ms
-- @tparam[opt=0] integer offset_ms where the grid begins, from 1970
-- @return SQL of the raw key; a function from the SQL of a raw key to SQL of its milliseconds
function bucket.fixed(from, x, width_ms, offset_ms)
  local shift_ms = (EARLIEST_MS // width_ms + 1) * width_ms - (offset_ms or 0)
  -- epoch_us() of a TIMESTAMP is free; everything that DuckDB has for it by name costs twice.
  local raw = ("(epoch_us(%s) + %s) // %s"):format(x, from:bind(shift_ms * 1000), from:bind(width_ms * 1000))
  return raw, function(key)
    return ("%s * %s - %s"):format(key, from:bind(width_ms), from:bind(shift_ms))
  end
end

local TRUNCATE = {
  y = "year", q = "quarter", M = "month", w = "week", d = "day", h = "hour", m = "minute", s = "second",
}

--- Buckets of a calendar unit (`y q M w d h m s`).
function bucket.calendar(x, unit)
  return ("date_trunc('%s', %s)"):format(TRUNCATE[unit], x), function(key)
    return ("epoch_ms(%s)"):format(key)
  end
end

return bucket
