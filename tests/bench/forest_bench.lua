--- What a forest costs: per row, per stage, per model, per saved byte.
local bench = require "support.bench"
local frame = require "runtime.frame"
local model = require "runtime.model"
local parts = require "runtime.model_parts"
local random = require "support.random"

local MINUTE_MS = 60000
local WARM, ROWS = 16000, 8000

-- A sine of period 50 with noise and half a percent of spikes, like the specification's 12.4.
local function stream(seed, first, last, features)
  local noise, rows = random.new(seed), {}
  for i = first, last do
    local row = { time = i * MINUTE_MS, host = "h" }
    for k = 1, features do
      local spike = noise:uniform() < 0.005 and 50 or 0
      row["f" .. k] = 100 + 10 * math.sin(2 * math.pi * (i + 7 * k) / 50) + noise:normal() + spike
    end
    rows[#rows + 1] = row
  end
  return rows
end

local function new_frame(rows, features)
  local columns = { { "time", "int" }, { "host", "text" } }
  for k = 1, features do columns[#columns + 1] = { "f" .. k } end
  return frame.new(columns):append(rows)
end

local function columns(features)
  local names = {}
  for k = 1, features do names[k] = "f" .. k end
  return { features = names, entity = { "host" } }
end

local function options(features)
  return { kind = "forest", features = features, interval_ms = MINUTE_MS, seed = 1, threads = 1 }
end

describe("forest", function()
  for _, features in ipairs { 1, 2, 5 } do
    it("rows of " .. features .. " features", function()
      local set = assert(model.set_new(options(features)))
      set:score(new_frame(stream(1, 1, WARM, features), features), columns(features))
      local at = WARM
      local name = ("%d x 8, 50 x 256: score, learn, grade, attribute"):format(features)
      bench.measure(name, {
        runs = 5, operations = ROWS,
        prepare = function()
          at = at + ROWS
          return new_frame(stream(at, at - ROWS + 1, at, features), features)
        end,
      }, function(f) assert(set:score(f, columns(features))) end)
      bench.report("  resident", "bytes/model", { set:size() })
    end)
  end

  it("stages of 1 feature", function()
    local m = assert(model.new { seed = 1, interval_ms = MINUTE_MS })
    for _, row in ipairs(stream(1, 1, WARM, 1)) do m:push(row.time, { row.f1 }) end
    local times = { score = {}, attribution = {}, impute = {}, neighbours = {} }
    for run = 1, 41 do
      local point = {}
      for i, row in ipairs(stream(run, run, run + 7, 1)) do point[i] = (row.f1 - 100) / 9 end
      for stage, ns in pairs(parts.time(m, point, 50)) do
        table.insert(times[stage], ns)
      end
    end
    for _, stage in ipairs { "score", "attribution", "impute", "neighbours" } do
      bench.report("  of an ordinary point: " .. stage, "ns", times[stage])
    end
  end)

  it("bytes of 1 feature", function()
    local m = assert(model.new { seed = 1, interval_ms = MINUTE_MS })
    for _, row in ipairs(stream(1, 1, WARM, 1)) do m:push(row.time, { row.f1 }) end
    local bytes = m:save()
    bench.report("  saved", "bytes/model", { #bytes })
    bench.measure("  save", {}, function() return m:save() end)
    bench.measure("  load", {}, function() return model.load(bytes) end)
    for _, rows in ipairs { 40, 400 } do
      local young = assert(model.new { seed = 1, interval_ms = MINUTE_MS })
      for _, row in ipairs(stream(1, 1, rows, 1)) do young:push(row.time, { row.f1 }) end
      bench.report(("  resident after %d rows"):format(rows), "bytes/model", { young:size() })
    end
  end)

  it("10,000 entities", function()
    local hosts, noise = 10000, random.new(4)
    local set = assert(model.set_new { kind = "forest", features = 1, interval_ms = MINUTE_MS, seed = 1 })
    local function interval(i)
      local rows = {}
      for h = 1, hosts do
        rows[h] = { time = i * MINUTE_MS, host = "host-" .. h, f1 = 100 + noise:normal() }
      end
      return new_frame(rows, 1)
    end
    local times = {}
    local time = require "runtime.time"
    for i = 1, 48 do
      local f = interval(i)
      local start = time.monotonic_ns()
      assert(set:score(f, columns(1)))
      if i > 40 then times[#times + 1] = (time.monotonic_ns() - start) / 1e6 end
    end
    bench.report("  one interval of 10,000 entities", "ms", times)
    bench.report("  resident, after 48 rows each", "MB", { set:size() / 1e6 })
  end)
end)
