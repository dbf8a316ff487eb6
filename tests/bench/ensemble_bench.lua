-- One row through a model, for one and for several features; its memory; saving and loading.
local bench = require "support.bench"
local frame = require "runtime.frame"
local model = require "runtime.model"
local random = require "support.random"

local ROWS = 4000
local WARM = 4200 -- rows after which the past of the ensemble is full
local INTERVAL_MS = 300000

--- Column names and the rows of a daily wave with noise, from row `first` on.
local function series(features, first, rows)
  local names, columns, rng = {}, { { "time", "int" } }, random.new(first + 1)
  for q = 1, features do
    names[q] = "f" .. q
    columns[q + 1] = { names[q] }
  end
  local f = frame.new(columns)
  local list = {}
  for i = 1, rows do
    list[i] = { time = (first + i) * INTERVAL_MS }
    for q = 1, features do
      list[i][names[q]] = q * math.sin((first + i) / 288 * 2 * math.pi) + rng:normal() / 10
    end
  end
  f:append(list)
  return f, names
end

local CASES = { { "ensemble", 1 }, { "ensemble", 8 }, { "ensemble", 38 }, { "forest", 1 }, { "forest", 8 } }

describe("ensemble", function()
  for _, case in ipairs(CASES) do
    local kind, features = case[1], case[2]
    local what = ("%s, %d feature%s"):format(kind, features, features == 1 and "" or "s")

    it("scores " .. what, function()
      local set = assert(model.set_new { kind = kind, features = features, interval_ms = INTERVAL_MS })
      local warm, names = series(features, 0, WARM)
      assert(set:score(warm, { features = names }))
      bench.measure(what .. ": a row", {
        runs = 5, operations = ROWS,
        prepare = function(run) return (series(features, WARM + run * ROWS, ROWS)) end,
      }, function(f) assert(set:score(f, { features = names })) end)
      bench.report(what .. ": memory", "KiB", { set:size() / 1024 })

      local bytes
      set:save(function(_, saved) bytes = saved end)
      bench.report(what .. ": saved", "KiB", { #bytes / 1024 })
      bench.measure(what .. ": load", { runs = 7 }, function() assert(model.load(bytes)) end)
      local loaded = assert(model.load(bytes))
      bench.measure(what .. ": save", { runs = 7 }, function() assert(loaded:save()) end)
    end)
  end
end)
