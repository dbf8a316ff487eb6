--- Runs a detector script over rows of @{support.series}, as `blip run` does.
--     local worst, all, logged = replay("detectors/http_errors.lua", rows)
-- An anomaly is what on_anomaly gets, and `minute`; `all` is in the order of time, `logged` what
-- the script wrote into the log.
local anomaly = require "blip.result.anomaly"
local json = require "runtime.json"
local log = require "runtime.log"
local script = require "blip.detector.script"
local series = require "support.series"
local time = require "runtime.time"
local trial = require "blip.detector.trial"

local function write(rows, time_field)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  for _, row in ipairs(rows) do
    local document = { [time_field] = time.format(row.at_ms) }
    for name, value in pairs(row) do
      if name ~= "minute" and name ~= "at_ms" then document[name] = value end
    end
    file:write(json.encode(document), "\n")
  end
  file:close()
  return path
end

-- Calls f while what scripts log goes into a list.
local function capture(f)
  local logged, before = {}, { info = log.info, warn = log.warn, error = log.error }
  for level in pairs(before) do
    log[level] = function(_, fields)
      logged[#logged + 1] = { level = level, message = fields.message or fields.reason }
    end
  end
  local ok, err = pcall(f)
  for level, original in pairs(before) do log[level] = original end
  if not ok then error(err, 0) end
  return logged
end

local function run(d, path)
  local all = {}
  local ready = assert(trial.open(d, path, { threads = 1 }))
  assert(trial.run(ready, function(frame)
    for _, found in ipairs(anomaly.rows(d, frame)) do
      found.minute = (found.time - series.START_MS) // 60000
      all[#all + 1] = found
    end
  end))
  return all
end

local function worst_of(all)
  local worst
  for _, found in ipairs(all) do
    if not worst or found.grade > worst.grade then worst = found end
  end
  return worst
end

return function(path, rows)
  local d = assert(script.load(path)).detectors[1]
  local source, all = write(rows, d.time_field), nil
  local logged = capture(function() all = run(d, source) end)
  os.remove(source)
  return worst_of(all), all, logged
end
