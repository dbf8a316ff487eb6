--- What the model of one series costs: a bucket learned and scored, its size in memory and saved.
local bench = require "support.bench"
local draws = require "support.draws"
local series = require "runtime.series"

local SPAN_S, DAY, RUNS, BUCKETS = 300, 288, 7, 4000
local WARM = 15 * DAY

local noise = draws.normal(1, WARM + (RUNS + 1) * BUCKETS, 0, 10)
local counts = draws.poisson(2, #noise, 5)

local cases = {
  { "noise", function(i) return 100 + noise[i] end },
  { "counts", function(i) return counts[i] end, true },
  { "a day", function(i) return 100 + 40 * math.sin(2 * math.pi * i / DAY) + noise[i] / 3 end },
  { "a day and weekends", function(i)
    return 100 + 40 * math.sin(2 * math.pi * i / DAY) + (i // DAY % 7 >= 5 and 25 or 0) + noise[i] / 3
  end },
}

local function values(value, first, count)
  local list = {}
  for i = 1, count do list[i] = value(first + i - 1) end
  return list
end

-- Microseconds of CPU per bucket: other processes do not count.
local function cost(s, list, start_s)
  local before = os.clock()
  s:time(list, start_s)
  return (os.clock() - before) / #list * 1e6
end

describe("series", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local s = series.new { bucket_span_s = SPAN_S, count = case[3] }
      local young = cost(s, values(case[2], 1, WARM), 0)
      bench.report(case[1] .. ": its first two weeks", "us of CPU/bucket", { young })
      local times = {}
      for run = 1, RUNS do
        local first = WARM + (run - 1) * BUCKETS + 1
        times[run] = cost(s, values(case[2], first, BUCKETS), (first - 1) * SPAN_S)
      end
      bench.report(case[1] .. ": learn and score", "us of CPU/bucket", times)
      bench.report("  resident", "bytes", { s:bytes() })
      bench.report("  saved", "bytes", { #s:save() })
    end)
  end
end)
