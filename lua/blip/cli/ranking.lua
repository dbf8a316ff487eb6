--- Findings as a person reads them, worst first: pictures of the series, then a table.
-- `blip scan` and `blip run` print the same thing.
-- @module blip.cli.ranking
local cause = require "blip.result.cause"
local json = require "runtime.json"
local sparkline = require "blip.cli.sparkline"
local tables = require "blip.cli.table"
local text = require "blip.text"
local time = require "runtime.time"

local ranking = {}

local LABEL = 12 -- characters left of a picture
local MOST_PICTURES = 6

--- Characters beside a picture: its width is the line's less these.
ranking.margin = LABEL

--- What is printed.
--
-- - `source` where the rows come from; `rows` how many; `[interval_ms]`
-- - `[first_ms]`, `[last_ms]` times of the first and last row; nil when rows have no times
-- - `series` in order: `{ name =, cells = <blip.cli.sparkline cells> }`
-- - `anomalies` in any order: `{ series = <name>, [entity =], [time = ms], row =, value =, [expected =],
--   [lower =], [upper =], grade =, score =, [confidence =], ` and the verdict's fields of the cause` }`;
--   `row` is the position in its series' cells
-- - `[top]` how many to show, default 10
-- @table report

--- How much a finding counts: what a model says that has seen little counts less.
local function weight(anomaly)
  return anomaly.grade * (anomaly.confidence or 1)
end

--- Sorts anomalies, worst first, gives each its `rank`, and keeps the first `top`.
function ranking.order(anomalies, top)
  table.sort(anomalies, function(a, b)
    if weight(a) ~= weight(b) then return weight(a) > weight(b) end
    if a.score ~= b.score then return a.score > b.score end
    if a.row ~= b.row then return a.row < b.row end
    return a.series < b.series
  end)
  local best = table.move(anomalies, 1, math.min(#anomalies, top or 10), 1, {})
  for rank, anomaly in ipairs(best) do anomaly.rank = rank end
  return best
end

local function when(report, anomaly)
  return anomaly.time and text.time(anomaly.time, report.interval_ms) or "row " .. text.number(anomaly.row)
end

local function headline(report)
  local parts = { text.count(report.rows, "row") }
  if report.first_ms then
    if report.interval_ms then
      parts[#parts + 1] = "every " .. text.duration(report.interval_ms):gsub("^1 ", "")
    end
    parts[#parts + 1] = ("%s to %s"):format(text.time(report.first_ms, report.interval_ms),
      text.time(report.last_ms, report.interval_ms))
  end
  return table.concat(parts, ", ")
end

--- A number that fits beside a picture.
local function tick(x)
  local s = text.number(x)
  return #s <= LABEL - 2 and s or text.short(x)
end

local function label(s, style, joint)
  local space = math.max(0, LABEL - 2 - (utf8.len(s) or #s))
  return style:paint("dim", (" "):rep(space) .. s .. " " .. joint)
end

local DAYS_MS = 3 * 86400000 -- a picture of less needs hours on its axis

local function axis(report, width, style)
  local first, last = "row 1", "row " .. text.number(report.rows)
  if report.first_ms then
    local size = report.last_ms - report.first_ms < DAYS_MS and 16 or 10
    first, last = text.time(report.first_ms):sub(1, size), text.time(report.last_ms):sub(1, size)
  end
  local space = width - #first - #last
  return space > 0 and (" "):rep(LABEL) .. style:paint("dim", first .. (" "):rep(space) .. last) or nil
end

local function picture(report, series, rows, style, lines)
  lines[#lines + 1] = style:paint("bold", series.name)
  local drawn, low, high = sparkline.draw(series.cells, rows, style)
  for i, line in ipairs(drawn) do
    local bar = i <= rows and style:either("│", "|") or " "
    local name, joint = "", bar
    if high and i == 1 then name, joint = tick(high), style:either("┤", "+") end
    if low and i == rows and rows > 1 then name, joint = tick(low), style:either("┤", "+") end
    lines[#lines + 1] = label(name, style, joint) .. line
  end
  lines[#lines + 1] = axis(report, series.cells.width, style)
end

--- Names of the series with the worst findings; all are pictured when nothing was found.
local function pictured(report, best)
  local wanted, count = {}, 0
  for _, anomaly in ipairs(best) do
    if not wanted[anomaly.series] and count < MOST_PICTURES then
      wanted[anomaly.series], count = true, count + 1
    end
  end
  for _, series in ipairs(report.series) do
    if #best == 0 and count < MOST_PICTURES then wanted[series.name], count = true, count + 1 end
  end
  return wanted, count
end

local function mark(report, best)
  local by_name = {}
  for _, series in ipairs(report.series) do by_name[series.name] = series.cells end
  for _, anomaly in ipairs(best) do
    by_name[anomaly.series]:mark(anomaly.row, anomaly.rank, anomaly.value)
  end
end

local function pictures(report, best, style, lines)
  local wanted, count = pictured(report, best)
  mark(report, best)
  for _, series in ipairs(report.series) do
    if wanted[series.name] then
      lines[#lines + 1] = ""
      picture(report, series, count == 1 and 4 or 2, style, lines)
    end
  end
  local rest = #report.series - count
  if rest > 0 then
    lines[#lines + 1] = style:paint("dim", ("(%d more series)"):format(rest))
  end
end

local function has(list, field)
  for _, item in ipairs(list) do
    if item[field] ~= nil then return true end
  end
  return false
end

local function add(columns, wanted, column, of)
  if wanted then
    column.of = of
    columns[#columns + 1] = column
  end
end

local function findings(report, best, style)
  local columns, rows = {}, {}
  add(columns, true, { title = "#", right = true, colour = "red" }, function(a) return tostring(a.rank) end)
  add(columns, true, { title = report.first_ms and "time" or "row" }, function(a) return when(report, a) end)
  add(columns, #report.series > 1, { title = "series" }, function(a) return a.series end)
  add(columns, has(best, "entity"), { title = "entity" }, function(a) return a.entity or "" end)
  add(columns, true, { title = "value", right = true }, function(a) return text.number(a.value) end)
  add(columns, has(best, "expected"), { title = "expected", right = true }, function(a)
    return a.expected and text.number(a.expected) or ""
  end)
  add(columns, true, { title = "grade", right = true }, function(a) return ("%.2f"):format(a.grade) end)
  add(columns, has(best, "confidence"), { title = "sure", right = true }, function(a)
    return a.confidence and ("%.0f%%"):format(100 * a.confidence) or ""
  end)
  add(columns, true, { title = "cause" }, cause.words)
  for i, anomaly in ipairs(best) do
    rows[i] = {}
    for j, column in ipairs(columns) do rows[i][j] = column.of(anomaly) end
  end
  return tables.lines(columns, rows, style)
end

local function closing(report, best)
  local total = #report.anomalies
  if total == 0 then return "nothing strange was found" end
  local alerts = 0
  for _, anomaly in ipairs(report.anomalies) do
    if anomaly.grade >= 0.5 then alerts = alerts + 1 end
  end
  local shown = total > #best and ("the worst %d of %s"):format(#best, text.count(total, "finding"))
    or text.count(total, "finding")
  return ("%s; %s a grade of 0.5 or more, where an alert would be sent"):format(shown,
    alerts == 0 and "none has" or alerts == 1 and "1 has" or ("%d have"):format(alerts))
end

--- The report as text.
-- @tparam table report see above
-- @param style from @{blip.cli.style}
-- @treturn string
function ranking.text(report, style)
  local best = ranking.order(report.anomalies, report.top)
  local lines = { ("%s: %s"):format(style:paint("bold", report.source), headline(report)) }
  pictures(report, best, style, lines)
  lines[#lines + 1] = ""
  if #best > 0 then
    local rows = findings(report, best, style)
    table.move(rows, 1, #rows, #lines + 1, lines)
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = style:paint("dim", closing(report, best))
  return table.concat(lines, "\n") .. "\n"
end

local FIELDS = { "rank", "series", "entity", "time", "row", "value", "expected", "lower", "upper", "grade",
  "score", "confidence", "cause", "reason" }

local function plain(anomaly)
  local out = {}
  for _, field in ipairs(FIELDS) do out[field] = anomaly[field] end
  out.time = anomaly.time and time.format(anomaly.time)
  out.cause, out.reason = cause.name(anomaly.cause), cause.words(anomaly)
  return json.ordered(out, FIELDS)
end

--- The report as one JSON object: `source`, `rows`, `interval_ms`, `from`, `to`, `series`
-- (names), `found` (how many), `anomalies` (the worst `top`; times in UTC).
function ranking.json(report)
  local best, anomalies, names = ranking.order(report.anomalies, report.top), {}, {}
  for i, anomaly in ipairs(best) do anomalies[i] = plain(anomaly) end
  for i, series in ipairs(report.series) do names[i] = series.name end
  local out = {
    source = report.source, rows = report.rows, interval_ms = report.interval_ms,
    from = report.first_ms and time.format(report.first_ms),
    to = report.last_ms and time.format(report.last_ms),
    series = json.array(names), found = #report.anomalies, anomalies = json.array(anomalies),
  }
  local order = { "source", "rows", "interval_ms", "from", "to", "series", "found", "anomalies" }
  return json.encode(json.ordered(out, order), { pretty = true }) .. "\n"
end

return ranking
