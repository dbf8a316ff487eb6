--- `blip scan FILE`: the anomalies of a file, with nothing to configure.
-- Finds the time column and the numeric columns, scores each of these with a model of its own,
-- and prints what is strange, worst first.
-- @module blip.cli.scan
local args = require "blip.cli.args"
local fail = require "blip.fail"
local file = require "blip.source.file"
local model = require "runtime.model"
local ranking = require "blip.cli.ranking"
local sparkline = require "blip.cli.sparkline"
local style_of = require "blip.cli.style".of
local text = require "blip.text"

local scan = {}

local USAGE = [[
usage: blip scan [OPTIONS] FILE

Finds what is strange in the numeric columns of a CSV or NDJSON file ("-" reads the standard
input), worst first: time, value, what was expected, the grade (0 to 1, how strange), how sure
the model is of it (it has seen little at first, and such findings rank lower), and why.

  --top N             how many findings to print (10)
  --column NAME       look at this column only; may be repeated
  --time NAME         the column with the times; otherwise found by name and content
  --interval 5m       take the mean of every 5 minutes (units: ms, s, m, h, d)
  --model KIND        ensemble (the default) or forest
  --json              print one JSON object instead

Rows that follow each other at equal steps are looked at one by one. When their steps differ,
or several rows share a time, the means of equal intervals are looked at instead, each long
enough for three rows on average; --interval chooses it. A file without times is taken row by
row. Nothing is graded before the 100th row: that is how long a model learns.

exit codes: 0 it ran, 1 the file cannot be read or holds no numbers, 2 the command line is wrong
]]

local OPTIONS = {
  help = { kind = "flag" },
  json = { kind = "flag" },
  top = { kind = "count" },
  column = { kind = "text", many = true },
  time = { kind = "text" },
  interval = { kind = "duration" },
  model = { kind = "choice", choices = { "ensemble", "forest" } },
}

local SLICE = 20000 -- rows scored at a time
local MOST_BUCKETS = 5000000
local LEARNING = 100 -- rows before the first grade

--- Intervals that people use, in milliseconds.
local NICE_MS = {
  1, 10, 100, 1000, 5000, 10000, 30000, 60000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 10800000,
  21600000, 43200000, 86400000, 604800000,
}

local function numeric_columns(opened, wanted)
  local list, by_name = {}, {}
  for _, c in ipairs(opened.columns) do
    by_name[c.name] = c
    if c.kind == "number" then list[#list + 1] = c end
  end
  if not wanted then
    if #list > 0 then return list end
    local names = {}
    for i, c in ipairs(opened.columns) do names[i] = c.name end
    return fail.invalid("%s has no numeric column beside its times (columns: %s)", opened.path,
      table.concat(names, ", "))
  end
  list = {}
  for _, name in ipairs(wanted) do
    local c = by_name[name]
    if not c then return fail.invalid("%s has no column '%s'", opened.path, name) end
    if c.kind ~= "number" then
      return fail.invalid("%s: column '%s' is no column of numbers", opened.path, name)
    end
    list[#list + 1] = c
  end
  return list
end

--- The shortest usual interval that holds three rows on average, or nearly.
local function choose_interval(rhythm, rows)
  local mean = (rhythm.last_ms - rhythm.first_ms) / math.max(1, rows - 1)
  for _, nice in ipairs(NICE_MS) do
    if nice >= 2.9 * mean then return nice end
  end
  return NICE_MS[#NICE_MS]
end

--- SQL of a column's series: `time` (or NULL) and `value`, in order.
local function series_sql(opened, c, interval_ms)
  local time = opened.time and opened.time.column
  if not interval_ms then
    return ("SELECT %s AS time, %s AS value FROM %s ORDER BY rowid"):format(
      time and ("epoch_ms(%s)"):format(time) or "NULL::BIGINT", c.column, opened.table)
  end
  local bucket = ("(epoch_ms(%s) // %d)"):format(time, interval_ms)
  return ([[WITH means AS (SELECT %s AS bucket, avg(%s) AS value FROM %s GROUP BY 1),
    grid AS (SELECT unnest(range(min(bucket), max(bucket) + 1)) AS bucket FROM means)
    SELECT bucket * %d AS time, value FROM grid LEFT JOIN means USING (bucket) ORDER BY bucket]]):format(
    bucket, c.column, opened.table, interval_ms)
end

--- How the file is looked at: `interval_ms` of means or nil, and what the report says of it.
local function plan_of(opened, wanted_ms)
  if not opened.time then
    if wanted_ms then return fail.invalid("%s has no times, so it has no intervals", opened.path) end
    return { rows = opened.rows }
  end
  local rhythm, err = file.rhythm(opened)
  if not rhythm then return nil, err end
  local plan = { rows = opened.rows, first_ms = rhythm.first_ms, last_ms = rhythm.last_ms }
  if not wanted_ms and (rhythm.regular or rhythm.first_ms == rhythm.last_ms) then
    plan.step_ms = rhythm.median_ms > 0 and rhythm.median_ms or nil
    return plan
  end
  plan.interval_ms = wanted_ms or choose_interval(rhythm, opened.rows)
  plan.step_ms = plan.interval_ms
  plan.rows = rhythm.last_ms // plan.interval_ms - rhythm.first_ms // plan.interval_ms + 1
  if plan.rows > MOST_BUCKETS then
    return fail.invalid("%s has %s intervals of %s, more than %s", opened.path, text.number(plan.rows),
      text.duration(plan.interval_ms), text.number(MOST_BUCKETS))
  end
  plan.note = ("%s, taken together as means of every %s"):format(text.count(opened.rows, "row"),
    text.duration(plan.interval_ms):gsub("^1 ", ""))
  return plan
end

local function collect(f, first, series, plan, anomalies)
  local values = f:column "value"
  for i = 1, f:rows() do
    series.cells:add(first + i - 1, values[i])
    local grade = f:get(i, "grade")
    if grade and grade > 0 then
      anomalies[#anomalies + 1] = {
        series = series.name, row = first + i - 1, time = f:get(i, "time"), value = values[i],
        expected = f:get(i, "expected_1"), lower = f:get(i, "lower_1"), upper = f:get(i, "upper_1"),
        grade = grade, score = f:get(i, "score"), confidence = f:get(i, "confidence"),
        cause = f:get(i, "cause"), cause_feature = f:get(i, "cause_feature"),
        cause_rows = f:get(i, "cause_rows"), cause_lag = f:get(i, "cause_lag"),
        cause_amount = f:get(i, "cause_amount"), cause_distance = f:get(i, "cause_distance"),
        interval_ms = plan.step_ms, names = { series.name },
      }
    end
  end
end

--- Scores one column; adds its findings to `anomalies`.
-- @return the series for the report, or nil and an error
local function scan_column(opened, c, plan, kind, width, anomalies, progress)
  local connection = opened.connection
  local ok, err = connection:execute("CREATE OR REPLACE TEMP TABLE scan_series AS " ..
    series_sql(opened, c, plan.interval_ms))
  if not ok then return nil, err end
  local set
  set, err = model.set_new { kind = kind, features = 1, interval_ms = plan.step_ms or 0 }
  if not set then return nil, err end
  local series = { name = c.name, cells = sparkline.cells(plan.rows, width) }
  for first = 1, plan.rows, SLICE do
    local f
    f, err = connection:query([[SELECT time, value FROM scan_series
      WHERE rowid >= ? AND rowid < ? ORDER BY rowid]], { first - 1, first - 1 + SLICE })
    if not f then return nil, err end
    ok, err = set:score(f, { features = { "value" } })
    if not ok then return nil, err end
    collect(f, first, series, plan, anomalies)
    progress(math.min(plan.rows, first + SLICE - 1))
  end
  return series
end

--- A function that says how far the work is, on a terminal and when there is much of it.
local function progress_of(total, style)
  if not style.terminal or total < 3 * SLICE then return function() end, function() end end
  local done = 0
  return function(rows)
    done = done + rows
    io.stderr:write(("\rblip scan: %d %%"):format(100 * done // total))
  end, function()
    io.stderr:write "\r\27[K"
  end
end

local function scan_columns(opened, columns, plan, kind, width)
  local series, anomalies = {}, {}
  local advance, clear = progress_of(plan.rows * #columns, style_of "stderr")
  for i, c in ipairs(columns) do
    local before = 0
    local err
    series[i], err = scan_column(opened, c, plan, kind, width, anomalies, function(rows)
      advance(rows - before)
      before = rows
    end)
    if not series[i] then return nil, err end
  end
  clear()
  return series, anomalies
end

--- Scans a file.
-- @tparam string path
-- @tparam table options `column` (a list), `time`, `interval` (ms), `model`, `top`
-- @tparam integer width of the pictures
-- @return a report for @{blip.cli.ranking} and a list of notes, or nil and an error
function scan.file(path, options, width)
  local opened, err = file.open(path, { time = options.time })
  if not opened then return nil, err end
  local columns, plan
  columns, err = numeric_columns(opened, options.column)
  if not columns then return nil, err end
  plan, err = plan_of(opened, options.interval)
  if not plan then return nil, err end
  local series, anomalies = scan_columns(opened, columns, plan, options.model or "ensemble", width)
  if not series then return nil, anomalies end
  local notes = table.move(opened.notes, 1, #opened.notes, 1, {})
  notes[#notes + 1] = plan.note
  if plan.rows <= LEARNING then
    notes[#notes + 1] = ("only %s: a model learns from %d before it grades"):format(
      text.count(plan.rows, "row"), LEARNING)
  end
  return {
    source = path == "-" and "standard input" or path, rows = plan.rows, interval_ms = plan.step_ms,
    first_ms = plan.first_ms, last_ms = plan.last_ms, series = series, anomalies = anomalies,
    top = options.top,
  }, notes
end

local function misuse(reason)
  io.stderr:write("blip scan: ", reason, "\nusage: blip scan [OPTIONS] FILE, see blip scan --help\n")
  return 2
end

--- Runs the command.
-- @tparam {string,...} argv
-- @treturn integer the exit code
function scan.main(argv)
  local options, words = args.read(argv, OPTIONS)
  if not options then return misuse(words.reason) end
  if options.help then
    io.stdout:write(USAGE)
    return 0
  end
  if #words ~= 1 then return misuse(#words == 0 and "which file?" or "one file at a time") end
  local style = style_of "stdout"
  local report, notes = scan.file(words[1], options, style.width - ranking.margin)
  if not report then
    io.stderr:write("blip scan: ", notes.reason, "\n")
    return 1
  end
  for _, note in ipairs(notes) do io.stderr:write("blip scan: ", note, "\n") end
  io.stdout:write(options.json and ranking.json(report) or ranking.text(report, style))
  return 0
end

return scan
