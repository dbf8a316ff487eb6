--- A detector over a file: the engine that runs it live, from the first row to the last.
-- @module blip.detector.trial
local anomaly = require "blip.result.anomaly"
local fail = require "blip.fail"
local file = require "blip.source.file"
local run = require "blip.detector.run"

local trial = {}

local SLICE = 20000 -- intervals scanned and scored at a time
local MOST_INTERVALS = 20000000

-- Adds the fields that a filter or an aggregate reads to a set.
local function add_fields(node, fields)
  if type(node) ~= "table" then return end
  if node.field then fields[node.field] = true end
  local reads_first = type(node.op) == "string" and type(node[1]) == "string" and node.op ~= "ids"
  if reads_first then fields[node[1]] = true end
  for _, child in pairs(node) do add_fields(child, fields) end
end

local function fields_of(d)
  local fields = { [d.time_field] = true }
  add_fields(d.filter, fields)
  for _, field in ipairs(d.category) do fields[field] = true end
  for _, feature in ipairs(d.features) do
    add_fields(feature.expr, fields)
    for _, input in pairs(feature.inputs or {}) do add_fields(input, fields) end
  end
  return fields
end

-- A file has all of its fields or none: a name that it does not know is a slip.
local function check_fields(d, opened)
  local names, columns = {}, {}
  for i, column in ipairs(opened.columns) do
    columns[column.name], names[i] = true, column.name
  end
  for field in pairs(fields_of(d)) do
    if not columns[field] then
      return fail.invalid("%s has no column '%s', which detector '%s' reads (columns: %s)",
        opened.path, field, d.name, table.concat(names, ", "))
    end
  end
  return true
end

-- The detector as it stands, over the file instead of its indices.
local function over_file(d, path)
  local copy = {}
  for key, value in pairs(d) do copy[key] = value end
  copy.indices = { path }
  return copy
end

-- The intervals that hold the file's rows, or those of the times wanted.
local function bounds(d, opened, options)
  local rhythm, err = file.rhythm(opened)
  if not rhythm then return nil, err end
  local step = d.interval_ms
  local from = (options.from or rhythm.first_ms) // step * step
  local to = options.to and options.to // step * step or (rhythm.last_ms // step + 1) * step
  if to <= from then return fail.invalid("there is no interval from --from to --to") end
  if (to - from) // step > MOST_INTERVALS then
    return fail.invalid("%s has %d intervals of detector '%s', more than %d", opened.path,
      (to - from) // step, d.name, MOST_INTERVALS)
  end
  return { from = from, to = to, intervals = (to - from) // step }
end

--- Makes a detector ready for a file.
-- @tparam table d definition
-- @tparam string path of a CSV or NDJSON file
-- @tparam[opt] table options `from`, `to` (ms), `threads`
-- @treturn table `{ d =, opened =, from =, to =, intervals = }`; or nil and an error
function trial.open(d, path, options)
  options = options or {}
  local opened, err = file.open(path, { time = d.time_field })
  local ok
  if opened then ok, err = check_fields(d, opened) end
  if not ok then return nil, err end
  local self
  self, err = bounds(d, opened, options)
  if not self then return nil, err end
  self.d, self.opened = over_file(d, path), opened
  self.run, err = run.open(self.d, { source = file, threads = options.threads })
  if not self.run then return nil, err end
  return self
end

local function report_anomalies(self, frame)
  if not self.d.on_anomaly then return end
  for _, found in ipairs(anomaly.rows(self.d, frame)) do self.d.on_anomaly(found) end
end

--- Runs it, slice by slice.
-- @tparam table self from open()
-- @tparam function take called with each scored frame
-- @return true; or nil and an error
function trial.run(self, take)
  local step = SLICE * self.d.interval_ms
  for from = self.from, self.to - 1, step do
    local frame, err = self.run:stretch(from, math.min(from + step, self.to))
    if not frame then return nil, err end
    report_anomalies(self, frame)
    take(frame)
  end
  return true
end

return trial
