-- What detectors cost from scan to commit: the history of one series and of many, one interval of
-- many entities, a preview, and the time from a start to the first results.
local bench = require "support.bench"
local detect = require "support.detect"
local live = require "blip.detector.live"
local minutes = require "support.minutes"
local model = require "runtime.model"
local preview = require "blip.detector.preview"
local registry = require "blip.detector.registry"
local replay = require "blip.detector.replay"
local store = require "runtime.store"
local tasks = require "blip.detector.tasks"
local time = require "runtime.time"
local work = require "runtime.work"

local FOREST = { kind = "forest", shingle = 8 }

local known, queue = {}, {}

-- Runs an analysis in this process; seconds.
local function analyse(id, index, changes, to)
  known[id] = detect.definition(id, index, changes)
  local began = time.monotonic_ns()
  local task_id = assert(replay.start(known[id], detect.at(0), detect.at(to)))
  while #queue > 0 do
    local job = table.remove(queue, 1)
    assert(require(job.module)[job.func](job.args))
  end
  assert.equal("FINISHED", tasks.get(task_id).state)
  return (time.monotonic_ns() - began) / 1e9
end

-- Where the time of `body` goes: share of each step of a run, found by wrapping them.
local STEPS = {
  scan = { require "blip.source.store", "scan" },
  documents = { require "blip.result.anomaly", "documents" },
  append = { require "blip.result.index", "append" },
  snapshots = { require "blip.detector.snapshots", "save" },
  score = { getmetatable(assert(model.set_new { kind = "forest", features = 1 })).__index, "score" },
  commit = { getmetatable(store.connection()).__index, "commit" },
}

local function where_time_goes(body)
  local spent, whole = {}, {}
  for step, place in pairs(STEPS) do
    local owner, name = place[1], place[2]
    local f = owner[name]
    whole[step] = function() owner[name] = f end
    owner[name] = function(...)
      local began = time.monotonic_ns()
      local results = table.pack(f(...))
      spent[step] = (spent[step] or 0) + time.monotonic_ns() - began
      return table.unpack(results, 1, results.n)
    end
  end
  local began = time.monotonic_ns()
  body()
  local total, parts = time.monotonic_ns() - began, {}
  for step, restore in pairs(whole) do
    restore()
    parts[#parts + 1] = ("%s %.0f %%"):format(step, (spent[step] or 0) / total * 100)
  end
  table.sort(parts)
  print("    of which " .. table.concat(parts, ", "))
end

-- Runs a detector in real time up to a minute.
local function catch_up(d, minute)
  repeat
    local state, done = live.run(d, detect.at(minute))
    assert(state, done)
  until done
end

local function resident_mb()
  local file = assert(io.open("/proc/self/status"))
  local kb = tonumber(file:read("a"):match "VmRSS:%s*(%d+)")
  file:close()
  return kb / 1024
end

describe("detectors", function()
  setup(function()
    registry.reader("rest", { find = function(id) return known[id] end })
    work.submit = function(job) queue[#queue + 1] = job return true end
  end)

  it("analyse the history of one series", function()
    minutes.load("bench-one", { minutes = 50000 })
    local rates, costs = {}, {}
    for i = 1, 3 do
      local seconds = analyse("one-" .. i, "bench-one", { model = FOREST }, 50000)
      rates[i], costs[i] = 49999 / seconds, seconds / 49999 * 1e6
    end
    bench.report("history of one series, forest, shingle 8", "intervals/s", rates)
    bench.report("history of one series, per interval", "us", costs)
    where_time_goes(function() analyse("one-parts", "bench-one", { model = FOREST }, 50000) end)
  end)

  it("analyse the history of 1,000 entities", function()
    for first = 0, 180, 20 do minutes.load("bench-many", { minutes = 20, hosts = 1000, first = first }) end
    local seconds = analyse("many", "bench-many", {
      category = { "host" }, model = FOREST,
    }, 200)
    bench.report("history of 1,000 entities, per entity and interval", "us", { seconds / 199000 * 1e6 })
    where_time_goes(function()
      analyse("many-parts", "bench-many", { category = { "host" }, model = FOREST }, 100)
    end)
  end)

  it("preview a day", function()
    local d = detect.definition("preview", "bench-one", { model = FOREST })
    bench.measure("preview of one day of minutes", { unit = "ms", runs = 5 }, function()
      assert.equal(1000, #assert(preview.run(d, detect.at(0), detect.at(1440))))
    end)
  end)

  it("give their first results", function()
    for _, case in ipairs { { "40 intervals", 40 }, { "3 days", 4320 } } do
      local d = detect.definition("start-" .. case[2], "bench-one", {
        history = case[2], model = FOREST,
      })
      bench.measure("start to first results, history of " .. case[1], { unit = "ms", runs = 5 }, function()
        live.forget(d.id)
        catch_up(d, 10000)
      end)
    end
  end)

  for _, hosts in ipairs { 1000, 10000 } do
    it(("score one interval of %d entities"):format(hosts), function()
      local index, id = "bench-" .. hosts, "interval-" .. hosts
      for minute = 0, 43 do minutes.load(index, { minutes = 1, hosts = hosts, first = minute }) end
      local d = detect.definition(id, index, { category = { "host" }, model = FOREST })
      local seconds = {}
      catch_up(d, 38)
      for i = 1, 4 do
        local began = time.monotonic_ns()
        catch_up(d, 38 + i)
        seconds[i] = (time.monotonic_ns() - began) / 1e9
      end
      bench.report(("one interval of %d entities, scan to commit"):format(hosts), "s", seconds)
      where_time_goes(function() catch_up(d, 43) end)
      bench.report("resident memory", "MB", { resident_mb() })
      model.drop(id)
    end)
  end
end)
