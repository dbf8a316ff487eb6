--- Figures of a benchmark: each is measured several times and printed as one line,
--     name                         median unit   (min .. max of n)
-- Machines are noisy: compare figures of one run with each other, not with another day's.
-- @module support.bench
local time = require "runtime.time"

local bench = {}

local function median(sorted)
  local middle = #sorted // 2
  if #sorted % 2 == 1 then return sorted[middle + 1] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

--- Prints one figure from values that were measured.
-- @tparam string name what was measured
-- @tparam string unit of the values
-- @tparam {number,...} values one per run
-- @treturn number the median
function bench.report(name, unit, values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = median(sorted)
  print(("%-56s %12.4g %-14s (%.4g .. %.4g of %d)"):format(
    name, middle, unit, sorted[1], sorted[#sorted], #sorted))
  return middle
end

--- Measures `body` and prints the time of one operation.
-- @tparam string name what is measured
-- @tparam table options `runs` (7), `operations` per call of body (1), `unit` "us" (or "ms", "s"),
--   `prepare` called before each run, outside the measured time
-- @tparam function body gets what prepare returned
-- @treturn number the median, in the unit
function bench.measure(name, options, body)
  local scale = ({ us = 1e3, ms = 1e6, s = 1e9 })[options.unit or "us"]
  local values = {}
  for run = 1, options.runs or 7 do
    local prepared = options.prepare and options.prepare(run)
    local start = time.monotonic_ns()
    body(prepared)
    values[run] = (time.monotonic_ns() - start) / scale / (options.operations or 1)
  end
  return bench.report(name, options.unit or "us", values)
end

--- Measures single calls of `body` and prints the middle and the slowest hundredth, in ms.
-- @tparam string name what is measured
-- @tparam integer runs
-- @tparam function body
function bench.percentiles(name, runs, body)
  local values = {}
  for run = 1, runs do
    local start = time.monotonic_ns()
    body()
    values[run] = (time.monotonic_ns() - start) / 1e6
  end
  table.sort(values)
  print(("%-56s %12.4g ms p50 %9.4g ms p99"):format(name, median(values), values[math.ceil(runs * 0.99)]))
end

return bench
