--- Records into buckets, for specs of the record path.
--     local g = gathering.new { detectors = { { ["function"] = "mean", field = "v" } } }
--     gathering.post(g, { { time = 0, v = 1 }, { time = 60, v = 3 } })
--     gathering.close(g, 120)     --> { { start = 0, events = 1, detectors = { { cell } } }, ... }
-- @module support.gathering
local gather = require "runtime.gather"
local json = require "runtime.json"

local gathering = {}

--- A gatherer of one-minute buckets, times in epoch seconds; `config` changes that.
function gathering.config(config)
  local whole = { job_id = "j", bucket_span_s = 60, time_format = "epoch",
    detectors = { { ["function"] = "count" } } }
  for name, value in pairs(config or {}) do whole[name] = value end
  return whole
end

function gathering.new(config, limits)
  return assert(gather.new(gathering.config(config), limits))
end

--- Records as lines.
function gathering.lines(records)
  local lines = {}
  for i, record in ipairs(records) do lines[i] = json.encode(record) .. "\n" end
  return table.concat(lines)
end

--- Posts a body or a list of records; returns the counts of this upload.
function gathering.post(g, records)
  return assert(g:post(type(records) == "string" and records or gathering.lines(records)))
end

local function decode(lines)
  local buckets = {}
  for line in lines:gmatch "[^\n]+" do buckets[#buckets + 1] = assert(json.decode(line)) end
  return buckets
end

--- The buckets that have closed since the last call.
function gathering.take(g) return decode(g:take()) end

--- The buckets that are open.
function gathering.open(g) return decode(g:open()) end

--- Closes the buckets up to a time and returns all that have closed since the last call.
function gathering.close(g, time_s)
  assert(g:advance(time_s))
  return gathering.take(g)
end

--- The values of the first feature of a bucket's first detector, by one of its cells' fields.
function gathering.values(bucket, field)
  local values = {}
  for _, cell in ipairs(bucket.detectors[1]) do values[cell[field]] = cell.values[1] end
  return values
end

--- The first cell's values of a job with one detector, of all records posted at once.
function gathering.of(detector, records, config)
  config = config or {}
  config.detectors = { detector }
  local g = gathering.new(config)
  gathering.post(g, records)
  local cell = gathering.close(g, 60)[1].detectors[1][1]
  return cell and cell.values, cell
end

return gathering
