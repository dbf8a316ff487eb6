--- What the texts of a column are: times, numbers or words, and the SQL that reads them.
-- A file is loaded as text first; one statement then counts, for each column, how many of its
-- cells each reading fits.
-- @module blip.source.file_column
local column = {}

local ENOUGH = 0.95 -- of the filled cells must fit a reading

--- Texts that mean "no value".
local MISSING = { "", "na", "n/a", "nan", "null", "none", "nil", "-", "inf", "-inf", "infinity", "-infinity" }

--- Ways to write a time besides ISO 8601, as strptime reads them; the first that fits wins.
local FORMATS = {
  "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
  "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
  "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y",
  "%d/%b/%Y:%H:%M:%S %z", "%Y%m%d%H%M%S", "%Y%m%d",
}

--- Units of time since 1970: how many in a millisecond, and the range of 1980 to 2100.
local EPOCHS = {
  { name = "seconds", per_ms = 1e-3, low = 3.2e8, high = 4.2e9 },
  { name = "milliseconds", per_ms = 1, low = 3.2e11, high = 4.2e12 },
  { name = "microseconds", per_ms = 1e3, low = 3.2e14, high = 4.2e15 },
  { name = "nanoseconds", per_ms = 1e6, low = 3.2e17, high = 4.2e18 },
}

local TIME_NAMES = {
  time = true, timestamp = true, ["@timestamp"] = true, datetime = true, date = true, ts = true, ds = true,
  t = true, when = true, epoch = true, unixtime = true, _time = true, time_stamp = true, created_at = true,
}

local function missing_list()
  local list = {}
  for i, word in ipairs(MISSING) do list[i] = "'" .. word .. "'" end
  return table.concat(list, ", ")
end

--- A cell, NULL when it means "no value".
function column.cell(name)
  return ("CASE WHEN lower(trim(%s)) NOT IN (%s) THEN trim(%s) END"):format(name, missing_list(), name)
end

--- A cell as a number; NULL when it is none.
-- @tparam boolean comma whether a comma parts the decimals
function column.number(name, comma)
  local text = column.cell(name)
  if comma then text = ("regexp_replace(%s, '^(-?[0-9]+),([0-9]+)$', '\\1.\\2')"):format(text) end
  local number = ("TRY_CAST(%s AS DOUBLE)"):format(text)
  return ("CASE WHEN isfinite(%s) THEN %s END"):format(number, number)
end

--- A cell as a TIMESTAMP in UTC; NULL when it is no time.
-- @tparam string reading "iso", one of the formats, or the name of an epoch's unit
function column.time(name, reading)
  if reading == "iso" then
    return ("TRY_CAST(TRY_CAST(%s AS TIMESTAMPTZ) AS TIMESTAMP)"):format(column.cell(name))
  end
  for _, epoch in ipairs(EPOCHS) do
    if epoch.name == reading then
      local number = column.number(name)
      return ("CASE WHEN abs(%s) < 9e18 THEN epoch_ms((%s / %g)::BIGINT) END"):format(
        number, number, epoch.per_ms)
    end
  end
  return ("TRY_CAST(try_strptime(%s, '%s') AS TIMESTAMP)"):format(column.cell(name), reading)
end

--- SQL of one column's counts; @{column.judge} reads its row.
function column.counts(name, place, comma)
  local number = column.number(name, comma)
  local parts = {
    ("count(%s) AS filled_%d"):format(column.cell(name), place),
    ("count(%s) AS number_%d"):format(number, place),
    ("min(%s) AS low_%d"):format(number, place),
    ("max(%s) AS high_%d"):format(number, place),
    ("count(%s) AS iso_%d"):format(column.time(name, "iso"), place),
    ("min(CASE WHEN %s IS NULL AND %s IS NOT NULL THEN rowid END) AS odd_%d"):format(
      number, column.cell(name), place),
  }
  return table.concat(parts, ", ")
end

local function epoch_of(low, high)
  for _, epoch in ipairs(EPOCHS) do
    if low and low >= epoch.low and high <= epoch.high then return epoch.name end
  end
end

local function is_called_time(name)
  name = name:lower()
  return TIME_NAMES[name] or name:find "timestamp" ~= nil or name:find "^date" ~= nil
    or name:find "_time$" ~= nil
end

--- What a column is, from its counts.
-- @tparam table row the counts of all columns
-- @return `kind` ("empty", "number", "time", "text"); of a column that can be read as times
--   `reading`, or `unread` = true while its formats are to be tried; of numbers `odd` (how many
--   cells are none) and `odd_row` (the first, from 0)
function column.judge(name, row, place)
  local filled, numbers = row["filled_" .. place], row["number_" .. place]
  local found = { name = name, filled = filled, kind = "text", named_time = is_called_time(name) }
  if filled == 0 then
    found.kind = "empty"
  elseif numbers >= math.max(1, ENOUGH * filled) then
    found.kind = "number"
    found.odd, found.odd_row = filled - numbers, row["odd_" .. place]
    found.reading = epoch_of(row["low_" .. place], row["high_" .. place])
    found.unread = not found.reading and found.named_time
  elseif row["iso_" .. place] >= math.max(1, ENOUGH * filled) then
    found.kind, found.reading = "time", "iso"
  else
    found.unread = true
  end
  return found
end

--- The formats that fit nearly all of a number of cells.
-- @tparam function count `count(sql)` counts the cells for which an expression is not NULL
-- @tparam {string,...} formats to try
-- @tparam integer filled cells
local function fitting(name, formats, filled, count)
  local fit = {}
  for _, format in ipairs(formats) do
    if count(column.time(name, format)) >= math.max(1, ENOUGH * filled) then fit[#fit + 1] = format end
  end
  return fit
end

--- Tries the formats on a column that is still unread: all of them on a sample, for a cell that
-- does not fit costs much, then those that fit there on the rest.
-- @tparam function count `count(sql, sample)` counts the cells for which an expression is not
--   NULL, all of them or those of a sample
function column.try_formats(found, name, count)
  local function of_sample(sql) return count(sql, true) end
  local function of_all(sql) return count(sql, false) end
  local in_sample = fitting(name, FORMATS, of_sample(column.cell(name)), of_sample)
  found.reading = fitting(name, in_sample, found.filled, of_all)[1]
  if found.reading and found.kind == "text" then found.kind = "time" end
end

--- The column that tells when, or nil: times and epochs whose name says so, then times, then
-- numbers that could be epochs and never fall.
-- @tparam function rises whether a column's numbers never fall
function column.choose_time(columns, rises)
  local best, best_rank
  for _, c in ipairs(columns) do
    local rank = c.reading and (c.named_time and 2 or 0) + (c.kind == "time" and 1 or 0)
    if rank == 0 then rank = rises(c) and 0.5 or nil end
    if rank and (not best or rank > best_rank) then best, best_rank = c, rank end
  end
  return best
end

return column
