local json = require "runtime.json"
local script = require "blip.detector.script"
local series = require "support.series"
local server = require "support.server"
local time = require "runtime.time"
local trial = require "blip.detector.trial"

local AD = "/_plugins/_anomaly_detection/detectors"

-- A day and a half of minutes, with two hours of the wrong height.
local function rows()
  local list = series.steady {
    minutes = 2160, every = 1, seed = 11,
    took = function(random, minute) return 100 + 20 * math.sin(minute / 60) + 5 * random() end,
  }
  series.plant(list, { at = 1500, minutes = 3, took = function(random) return 400 + random() end })
  series.plant(list, { at = 1900, minutes = 1, took = 2 })
  series.silence(list, { at = 1700, minutes = 2 })
  return list
end

local SCRIPT = [[return detector "same" {
  source = "series", time = "at", interval = "1m", model = forest { shingle = 8 },
  features = { feature("took", avg("took")) },
}]]

-- What the script finds over the file: start of bucket -> its verdict.
local function by_script(list)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  for _, row in ipairs(list) do
    file:write(json.encode { at = time.format(row.at_ms), took = row.took }, "\n")
  end
  file:close()
  local verdicts = {}
  local ready = assert(trial.open(assert(script.read(SCRIPT, "same.lua")).detectors[1], path))
  assert(trial.run(ready, function(frame)
    for row = 1, #frame do
      verdicts[frame:get(row, "time")] = {
        grade = frame:get(row, "grade"), score = frame:get(row, "score"),
        confidence = frame:get(row, "confidence"),
      }
    end
  end))
  os.remove(path)
  return verdicts
end

local function load(blip, list)
  assert.equal(200, blip:put("/series", { mappings = { properties = {
    at = { type = "date" }, took = { type = "double" },
  } } }).status)
  local lines = {}
  for _, row in ipairs(list) do
    lines[#lines + 1] = { index = json.object {} }
    lines[#lines + 1] = { at = row.at_ms, took = row.took }
  end
  assert.is_false(blip:bulk("/series/_bulk", lines).json.errors)
end

local function create(blip)
  return assert(blip:post(AD, {
    name = "same", time_field = "at", indices = json.array { "series" }, shingle_size = 8,
    detection_interval = { period = { interval = 1, unit = "Minutes" } },
    feature_attributes = json.array { {
      feature_name = "took", feature_enabled = true,
      aggregation_query = { took = { avg = { field = "took" } } },
    } },
  }).json._id)
end

-- Waits for a historical analysis to end.
local function analyse(blip, id)
  local range = { start_time = series.START_MS, end_time = series.START_MS + 2160 * 60000 }
  assert.equal(200, blip:post(("%s/%s/_start"):format(AD, id), range).status)
  local task
  for _ = 1, 500 do
    task = blip:get(("%s/%s?task=true"):format(AD, id)).json.historical_analysis_task
    if task and task.state == "FINISHED" then return end
    assert.is_false(task ~= nil and task.state == "FAILED", task and task.error)
    time.sleep_ms(20)
  end
  error("the analysis stays " .. json.encode(task))
end

local function results(blip, id)
  return blip:post(AD .. "/results/_search", {
    size = 10000, query = { bool = { filter = json.array { { term = { detector_id = id } },
      { exists = { field = "task_id" } } } } },
  }).json.hits.hits
end

describe("one detector", function()
  local blip, list

  setup(function()
    list = rows()
    blip = server.start()
    load(blip, list)
  end)

  teardown(function() blip:stop() end)

  it("has the same grades through REST and through blip run", function()
    local id = create(blip)
    analyse(blip, id)
    local expected, compared, graded = by_script(list), 0, 0
    for _, hit in ipairs(results(blip, id)) do
      local found, verdict = hit._source, expected[hit._source.data_start_time]
      if found.error == nil then
        assert.near(verdict.grade or 0, found.anomaly_grade, 1e-9)
        assert.near(verdict.score or 0, found.anomaly_score, 1e-9)
        assert.near(verdict.confidence or 0, found.confidence, 1e-9)
        compared = compared + 1
        if found.anomaly_grade > 0 then graded = graded + 1 end
      end
    end
    assert.is_true(compared > 2000, compared)
    assert.is_true(graded > 0)
  end)
end)
