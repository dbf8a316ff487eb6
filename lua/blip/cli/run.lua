--- `blip run SCRIPT --source FILE`: a detector script over a file, by the engine that will run
-- it live; the findings are printed as `blip scan` prints them.
-- @module blip.cli.run
local anomaly = require "blip.result.anomaly"
local args = require "blip.cli.args"
local date_math = require "blip.query.date_math"
local fail = require "blip.fail"
local ranking = require "blip.cli.ranking"
local script = require "blip.detector.script"
local sparkline = require "blip.cli.sparkline"
local style_of = require "blip.cli.style".of
local trial = require "blip.detector.trial"

local run = {}

local USAGE = [[
usage: blip run [OPTIONS] SCRIPT --source FILE

Runs the detectors of a script over a CSV or NDJSON file ("-" reads the standard input), and
prints what they find, worst first. It is the engine that runs the script in a server: the same
intervals, features, models and grades. on_anomaly is called for every finding.

  --source FILE    the rows; the script's own `source` is not looked at
  --detector NAME  run this one, when the script has several
  --from TIME      leave out what is earlier, such as 2014-11-01 or 2014-11-01T12:00:00
  --to TIME        leave out this moment and what is later
  --top N          how many findings to print (10)
  --threads N      that score; the findings are the same with any number (one per core)
  --json           print one JSON object instead, one per detector

exit codes: 0 it ran, 1 the script or the file cannot be used, 2 the command line is wrong
]]

local OPTIONS = {
  help = { kind = "flag" },
  json = { kind = "flag" },
  source = { kind = "text" },
  detector = { kind = "text" },
  from = { kind = "text" },
  to = { kind = "text" },
  top = { kind = "count" },
  threads = { kind = "count" },
}


-- What blip.result.cause makes its sentence of.
local CAUSE_COLUMNS = {
  "cause", "cause_feature", "cause_rows", "cause_lag", "cause_amount", "cause_distance",
}

-- Collecting what is printed --------------------------------------------------------------------

local Collector = {}
Collector.__index = Collector

local function collector(ready, width)
  local names = {}
  for i, feature in ipairs(ready.d.features) do names[i] = feature.name end
  return setmetatable({
    ready = ready, d = ready.d, names = names, width = width,
    series = {}, by_name = {}, anomalies = {},
  }, Collector)
end

-- The picture of one feature of one entity, made when it is first seen.
function Collector:series_of(feature, entity)
  local name = entity == "" and feature or ("%s, %s"):format(feature, entity)
  local series = self.by_name[name]
  if not series then
    series = { name = name, cells = sparkline.cells(self.ready.intervals, self.width) }
    self.by_name[name] = series
    self.series[#self.series + 1] = series
  end
  return series
end

function Collector:position(time_ms)
  return (time_ms - self.ready.from) // self.d.interval_ms + 1
end

-- A row with a grade, in the form of blip.cli.ranking.
function Collector:add_finding(frame, row, entity)
  local found = anomaly.row(self.d, frame, row)
  local name = found.cause
  local item = {
    series = self:series_of(name, entity).name, row = self:position(found.time), time = found.time,
    value = found.values[name] or 0 / 0, expected = found.expected[name],
    lower = found.lower[name], upper = found.upper[name],
    grade = found.grade, score = found.score, confidence = found.confidence,
    interval_ms = self.d.interval_ms, names = self.names,
  }
  for _, column in ipairs(CAUSE_COLUMNS) do
    if frame:type(column) then item[column] = frame:get(row, column) end
  end
  self.anomalies[#self.anomalies + 1] = item
end

-- An entity's values in the order of the category fields: "cart, eu".
function Collector:entity_at(frame, row)
  local parts = {}
  for i, field in ipairs(self.d.category) do parts[i] = frame:get(row, field) or "-" end
  return table.concat(parts, ", ")
end

function Collector:take(frame)
  local times, values = frame:column "time", {}
  for i in ipairs(self.d.features) do values[i] = frame:column("f" .. i) end
  for row = 1, #frame do
    local entity = self:entity_at(frame, row)
    for i, name in ipairs(self.names) do
      self:series_of(name, entity).cells:add(self:position(times[row]), values[i][row])
    end
  end
  for _, row in ipairs(frame:above("grade", 0)) do
    self:add_finding(frame, row, self:entity_at(frame, row))
  end
end

function Collector:report(path, top)
  local ready = self.ready
  return {
    source = ("%s, %s"):format(self.d.name, path == "-" and "standard input" or path),
    rows = ready.intervals, interval_ms = self.d.interval_ms,
    first_ms = ready.from, last_ms = ready.to - self.d.interval_ms,
    series = self.series, anomalies = self.anomalies, top = top,
  }
end

-- Running ---------------------------------------------------------------------------------------

--- Runs one detector over a file.
-- @tparam table d definition
-- @tparam string path
-- @tparam table options `from`, `to` (ms), `threads`, `top`
-- @tparam integer width of the pictures
-- @treturn table a report for @{blip.cli.ranking}; or nil and an error
function run.detector(d, path, options, width)
  local ready, err = trial.open(d, path, options)
  if not ready then return nil, err end
  local collected = collector(ready, width)
  local ok
  ok, err = trial.run(ready, function(frame) collected:take(frame) end)
  if not ok then return nil, err end
  return collected:report(path, options.top), ready.opened.notes
end

local function chosen(loaded, name)
  if not name then return loaded.detectors end
  local names = {}
  for i, d in ipairs(loaded.detectors) do
    if d.name == name then return { d } end
    names[i] = d.name
  end
  return fail.invalid("%s has no detector '%s' (there is %s)", loaded.path, name, table.concat(names, ", "))
end

local function load(path, name)
  local loaded, err = script.load(path)
  if not loaded then return nil, err end
  return chosen(loaded, name)
end

-- The command line --------------------------------------------------------------------------------

local function misuse(reason)
  io.stderr:write("blip run: ", reason, "\n",
    "usage: blip run [OPTIONS] SCRIPT --source FILE, see blip run --help\n")
  return 2
end

-- Turns the times into milliseconds; nil and what is wrong when one is no time.
local function read_times(options)
  for _, name in ipairs { "from", "to" } do
    if options[name] then
      local ms = date_math.resolve(options[name])
      if not ms then return fail.invalid("--%s is no time: '%s'", name, options[name]) end
      options[name] = ms
    end
  end
  return true
end

local function print_failure(err)
  for _, problem in ipairs(err.problems or {}) do
    io.stderr:write(script.describe(problem), "\n")
  end
  if not err.problems then io.stderr:write("blip run: ", err.reason, "\n") end
  return 1
end

local function run_all(detectors, options)
  local style = style_of "stdout"
  for _, d in ipairs(detectors) do
    local report, notes = run.detector(d, options.source, options, style.width - ranking.margin)
    if not report then return print_failure(notes) end
    for _, note in ipairs(notes) do io.stderr:write("blip run: ", note, "\n") end
    io.stdout:write(options.json and ranking.json(report) or ranking.text(report, style))
  end
  return 0
end

--- Runs the command.
-- @tparam {string,...} argv
-- @treturn integer the exit code
function run.main(argv)
  local options, words = args.read(argv, OPTIONS)
  if not options then return misuse(words.reason) end
  if options.help then
    io.stdout:write(USAGE)
    return 0
  end
  if #words ~= 1 then return misuse(#words == 0 and "which script?" or "one script at a time") end
  if not options.source then return misuse("over which file? (--source FILE)") end
  local ok, err = read_times(options)
  if not ok then return misuse(err.reason) end
  local detectors
  detectors, err = load(words[1], options.detector)
  if not detectors then return print_failure(err) end
  return run_all(detectors, options)
end

return run
