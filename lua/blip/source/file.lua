--- A CSV or NDJSON file as a source: its rows become a table of the embedded store, which is
-- then asked like an index.
--
--     local rides = file.open "rides.csv"
--     rides.rows, rides.time.name, rides.columns[2].kind    -- 10320, "timestamp", "number"
--     file.scan(plan)                                        -- plan.indices = { "rides.csv" }
--
-- @module blip.source.file
local column = require "blip.source.file_column"
local fail = require "blip.fail"
local head = require "blip.source.file_head"
local plan_of = require "blip.query.plan".new
local sql = require "blip.query.sql"
local store = require "runtime.store"
local text = require "blip.text"

local file = {}

local opened, count = {}, 0
local SAMPLE = 1000 -- rows that show how times are written
local FIELD_TYPES = { number = "double", time = "date", text = "keyword", empty = "keyword" }

local function quoted(s)
  return "'" .. s:gsub("'", "''") .. "'"
end

--- DuckDB takes * ? [ in a path for patterns, and cannot seek in a pipe: such files are read
-- from a copy.
local function copy(from)
  local path = os.tmpname()
  local to = assert(io.open(path, "wb"))
  for block in from:lines(1024 * 1024) do
    local ok, reason = to:write(block)
    if not ok then
      os.remove(path)
      return fail.failed("cannot be copied to %s: %s", path, reason)
    end
  end
  to:close()
  return path
end

--- A path that DuckDB can read, and whether it is a copy to remove.
local function readable(path)
  if path == "-" then return copy(io.stdin), true end
  if not path:find "[*?%[]" then return path, false end
  local from, reason = io.open(path, "rb")
  if not from then return fail.not_found("cannot be read: %s", reason) end
  local copied, err = copy(from)
  from:close()
  return copied, copied and true or err
end

-- --- reading -------------------------------------------------------------------------------

local function csv_source(path, found)
  local columns = {}
  for i in ipairs(found.names) do columns[i] = ("'c%d': 'VARCHAR'"):format(i) end
  return ([[read_csv(%s, auto_detect = false, delim = %s, quote = '"', escape = '"', header = %s,
    columns = {%s}, encoding = '%s', null_padding = false, maximum_line_size = 16777216)]]):format(
    quoted(path), quoted(found.delimiter), found.header, table.concat(columns, ", "), found.encoding)
end

--- The leaves of a column's type: `STRUCT(a BIGINT, b STRUCT(c VARCHAR))` has a and b.c.
local function leaves(type, name, path, list)
  local inside = type:match "^STRUCT(%b())$"
  if not inside then
    list[#list + 1] = { name = name, path = path }
    return list
  end
  local at = 2
  while at < #inside do
    local field, after = inside:match('^"(.-)" ()', at)
    if not field then field, after = inside:match("^(%S+) ()", at) end
    local stop, depth = after, 0
    while depth > 0 or not inside:find("^[,)]", stop) do
      local c = inside:sub(stop, stop)
      depth = depth + (c == "(" and 1 or c == ")" and -1 or 0)
      stop = stop + 1
    end
    leaves(inside:sub(after, stop - 1), name .. "." .. field, path .. "." .. sql.quote(field), list)
    at = inside:match("^,%s*()", stop) or #inside
  end
  return list
end

local function json_source(c, path, found)
  local reader = ("read_json(%s, sample_size = -1, map_inference_threshold = -1)"):format(quoted(path))
  local described, err = c:query(
    ("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM %s)"):format(reader))
  if not described then return nil, err end
  local list = {}
  for i = 1, #described do
    local name = described:get(i, "column_name")
    leaves(described:get(i, "column_type"), name, sql.quote(name), list)
  end
  local columns = {}
  found.names = {}
  for i, leaf in ipairs(list) do
    found.names[i] = leaf.name
    columns[i] = ("%s::VARCHAR AS c%d"):format(leaf.path, i)
  end
  return ("(SELECT %s FROM %s)"):format(table.concat(columns, ", "), reader)
end

--- DuckDB counts the JSON lines that it has begun: one more than it has read.
local function explain_json(reason)
  local unit, begun, what = reason:match "in (%l+)[^%d]* (%d+):%s*(.-)[%s.]*$"
  if not unit then return fail.invalid("is not JSON: %s", reason) end
  return fail.invalid("%s %d is not JSON: %s", unit, math.max(1, tonumber(begun) - 1), what)
end

--- DuckDB's complaint about a file in one line.
local function explain(err)
  local reason = err.reason
  if reason:find "Malformed JSON" then return explain_json(reason) end
  local line = reason:match "CSV Error on Line: (%d+)"
  local wanted, found = reason:match "Expected Number of Columns: (%d+) Found: (%d+)"
  if wanted then
    return fail.invalid("line %s has %s fields, not %s", line, found, wanted)
  elseif reason:find "unterminated quote" then
    return fail.invalid("line %s has a quote that is not closed", line)
  elseif reason:find "unicode" or reason:find "utf%-8" then
    return fail.invalid("line %s is not valid UTF-8", line or "?")
  end
  return fail.invalid("cannot be read: %s", reason)
end

--- Loads the file as text into the table file_text.
local function load_text(c, path, found)
  local source, err
  if found.format == "csv" then
    source = csv_source(path, found)
  else
    source, err = json_source(c, path, found)
  end
  if not source then return explain(err) end
  local ok
  ok, err = c:execute("CREATE OR REPLACE TEMP TABLE file_text AS SELECT * FROM " .. source)
  if not ok then return explain(err) end
  return true
end

-- --- columns -------------------------------------------------------------------------------

--- A function that counts the cells, of a sample or all, for which an expression is not NULL.
local function counter(c)
  return function(expression, sample)
    local f = c:query(("SELECT count(%s) AS n FROM file_text%s"):format(expression,
      sample and " WHERE rowid < " .. SAMPLE or ""))
    return f and f:get(1, "n") or 0
  end
end

local function judge(c, names, comma)
  local counts = { "count(*) AS rows" }
  for i in ipairs(names) do counts[#counts + 1] = column.counts("c" .. i, i, comma) end
  local row, err = c:query("SELECT " .. table.concat(counts, ", ") .. " FROM file_text")
  if not row then return nil, err end
  row = row:row(1)
  local columns = {}
  for i, name in ipairs(names) do
    columns[i] = column.judge(name, row, i)
    columns[i].column = "c" .. i
    if columns[i].unread then column.try_formats(columns[i], "c" .. i, counter(c)) end
  end
  return columns, row.rows
end

local function named(columns, name)
  for _, c in ipairs(columns) do
    if c.name == name then return c end
  end
end

local function rises(c, name)
  local number = column.number(name)
  local f = c:query(([[SELECT count(*) AS falls FROM
    (SELECT %s < lag(%s) OVER (ORDER BY rowid) AS fell FROM file_text) WHERE fell]]):format(number, number))
  return f and f:get(1, "falls") == 0
end

local function choose_time(c, columns, wanted)
  if not wanted then
    return column.choose_time(columns, function(found) return rises(c, found.column) end)
  end
  local chosen = named(columns, wanted)
  if not chosen then return fail.invalid("has no column '%s'", wanted) end
  if not chosen.reading then return fail.invalid("has no times in its column '%s'", wanted) end
  return chosen
end

--- Makes the table that is asked: typed columns, rows in the order of time.
local function load_typed(c, self, comma)
  local parts = { "rowid AS _row" }
  for _, col in ipairs(self.columns) do
    local from = col.column
    local read = col.kind == "time" and column.time(from, col.reading)
      or col.kind == "number" and column.number(from, comma) or column.cell(from)
    parts[#parts + 1] = ("%s AS %s"):format(read, from)
  end
  local time = self.time and self.time.column
  local order = time and ("WHERE %s IS NOT NULL ORDER BY %s, _row"):format(time, time) or "ORDER BY _row"
  return c:execute(("CREATE OR REPLACE TEMP TABLE %s AS SELECT * FROM (SELECT %s FROM file_text) %s"):format(
    self.table, table.concat(parts, ", "), order))
end

local function mapping_of(self)
  local fields = {}
  for _, c in ipairs(self.columns) do
    fields[c.name] = { type = FIELD_TYPES[c.kind], column = c.column }
  end
  return { fields = fields, table = self.table }
end

local function note(self, format, ...)
  self.notes[#self.notes + 1] = format:format(...)
end

--- Says what is odd in the rows and was mended.
local function note_oddities(c, self, found)
  local first = found.header and 2 or 1
  for _, col in ipairs(self.columns) do
    if col ~= self.time and (col.odd or 0) > 0 then
      note(self, "column '%s': %s without a number, the first in line %d, taken as missing",
        col.name, text.count(col.odd, "cell"), col.odd_row + first)
    end
  end
  if not self.time then return end
  local dropped = self.text_rows - self.rows
  if dropped > 0 then note(self, "%s without a time left out", text.count(dropped, "row")) end
  local late = c:query(([[SELECT count(*) AS n
    FROM (SELECT _row < lag(_row) OVER (ORDER BY rowid) AS late FROM %s) WHERE late]]):format(self.table))
  if late and late:get(1, "n") > 0 then note(self, "the rows were not in the order of time: sorted") end
end

local function load(c, path, found, options)
  local ok, err = load_text(c, path, found)
  if not ok then return nil, err end
  local comma = found.format == "csv" and found.delimiter == ";"
  local self = { notes = {} }
  self.columns, self.text_rows = judge(c, found.names, comma)
  if not self.columns then return nil, self.text_rows end
  self.time, err = choose_time(c, self.columns, options.time)
  if err then return nil, err end
  if self.time then self.time.kind = "time" end
  count = count + 1
  self.table = "file_" .. count
  self.rows, err = load_typed(c, self, comma)
  if not self.rows then return nil, err end
  c:execute "DROP TABLE file_text"
  self.rows = c:query("SELECT count(*) AS n FROM " .. self.table):get(1, "n")
  if self.rows == 0 then return fail.invalid "has no rows" end
  note_oddities(c, self, found)
  self.mapping = mapping_of(self)
  return self
end

--- Names the file in an error's reason.
local function in_file(path, err)
  err.reason = ("%s %s"):format(path == "-" and "standard input" or path, err.reason)
  return nil, err
end

--- Loads a file.
-- @tparam string path or "-" for the standard input
-- @tparam[opt] table options `time` name of the column with the times, found when nil
-- @return `{ rows =, columns = { { name =, kind = "number" | "time" | "text" | "empty",
--   column = <SQL> }, ... }, time = <one of them or nil>, table = <SQL>, mapping =, notes = { text, ... },
--   connection = }`; the table's rows are in the order of time, or of the file
-- @return or nil and an error that names the file and, where it can, the line
function file.open(path, options)
  options = options or {}
  local key = path .. "\0" .. (options.time or "")
  if opened[key] then return opened[key] end
  local readable_path, is_copy = readable(path)
  if not readable_path then return in_file(path, is_copy) end
  local found, err = head.read(readable_path)
  local self
  if found then
    local c = store.connection()
    self, err = load(c, readable_path, found, options)
    if self then self.connection, self.path = c, path end
  end
  if is_copy then os.remove(readable_path) end
  if not self then return in_file(path, err) end
  opened[key] = self
  return self
end

--- Answers a plan whose index is a file's path; see @{blip.source.store.scan}.
function file.scan(plan)
  local complete, err = plan_of(plan)
  if not complete then return nil, err end
  local self
  self, err = file.open(complete.indices[1], { time = complete.time.field })
  if not self then return nil, err end
  local statement, params = sql.scan(complete, { { name = self.path, mapping = self.mapping } })
  if not statement then return nil, params end
  return self.connection:query(statement, params)
end

--- How the rows follow each other.
-- @param self from @{file.open}, with a time
-- @return `{ first_ms =, last_ms =, median_ms = between rows, regular = }`: regular when nine
--   in ten rows come within a tenth of the median after the one before
function file.rhythm(self)
  local t = self.time.column
  local f, err = self.connection:query(([[
    WITH gaps AS (SELECT epoch_ms(%s) - lag(epoch_ms(%s)) OVER (ORDER BY rowid) AS gap FROM %s),
      middle AS (SELECT quantile_disc(gap, 0.5) AS median FROM gaps)
    SELECT (SELECT median FROM middle) AS median,
      (SELECT avg(CASE WHEN abs(gap - median) <= median / 10 THEN 1.0 ELSE 0.0 END) FROM gaps, middle
       WHERE gap IS NOT NULL) AS share,
      (SELECT min(epoch_ms(%s)) FROM %s) AS first, (SELECT max(epoch_ms(%s)) FROM %s) AS last]]):format(
    t, t, self.table, t, self.table, t, self.table))
  if not f then return nil, err end
  local row = f:row(1)
  local median = row.median or 0
  return {
    first_ms = row.first, last_ms = row.last, median_ms = median,
    regular = self.rows < 3 or (median > 0 and row.share >= 0.9),
  }
end

return file
