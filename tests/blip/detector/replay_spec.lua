local detect = require "support.detect"
local json = require "runtime.json"
local minutes = require "support.minutes"
local model = require "runtime.model"
local progress = require "blip.detector.progress"
local registry = require "blip.detector.registry"
local replay = require "blip.detector.replay"
local run = require "blip.detector.run"
local store = require "runtime.store"
local tasks = require "blip.detector.tasks"
local work = require "runtime.work"

local known = {}
registry.reader("rest", { find = function(id) return known[id] or nil, { kind = "not_found" } end })

-- Runs the jobs that are handed in, in this process; `between` is called after each.
local function drain(queue, between)
  while #queue > 0 do
    local job = table.remove(queue, 1)
    assert(require(job.module)[job.func](job.args))
    if between then between(job.args) end
  end
end

describe("blip.detector.replay", function()
  local submit, queue = work.submit, {}

  setup(function()
    local gaps = { [500] = true }
    minutes.load("spec-replay", { minutes = 1000, hosts = 2, plant = { [900] = 60 }, gaps = gaps })
    work.submit = function(job) queue[#queue + 1] = job return true end
  end)

  teardown(function() work.submit = submit end)

  local function analyse(id, changes, from, to, between)
    local d = detect.definition(id, "spec-replay", changes)
    known[id] = d
    local task_id = assert(replay.start(d, detect.at(from), detect.at(to)))
    drain(queue, between)
    return assert(tasks.get(task_id)), detect.results(id), task_id
  end

  it("covers the range's intervals but for the last, as the plugin does", function()
    local task, list, task_id = analyse("replay-one", nil, -100, 2000)
    assert.equal(999, #list)
    assert.equal(detect.at(0), list[1].data_start_time)
    assert.equal(detect.at(999), list[999].data_end_time)
    assert.equal(task_id, list[1].task_id)
    assert.is_nil(list[1].model_id)
    assert.equal("FINISHED", task.state)
    assert.equal(1, task.task_progress)
    assert.equal(1, task.init_progress)
    assert.equal(detect.at(998), task.current_piece)
    assert.is_nil(progress.load(store.connection(), task_id))
  end)

  it("says which intervals have no data", function()
    local _, list = analyse("replay-gap", nil, 400, 600)
    assert.equal("No data in current detection window", list[101].error)
    assert.is_nil(list[101].anomaly_score)
    assert.is_nil(list[101].feature_data)
  end)

  it("finds the anomaly of each entity", function()
    local task, list = analyse("replay-hc", { category = { "host" } }, 0, 1000)
    local found = {}
    for _, r in ipairs(list) do
      if (r.anomaly_grade or 0) > 0.5 then found[r.entity[1].value] = r.data_start_time end
    end
    assert.same({ h1 = detect.at(900), h2 = detect.at(900) }, found)
    assert.equal("", task.error)
    assert.equal(0, task.init_progress)
    assert.equal("replay-hc_entity_8nUQQOPzHGoOP1RZJrvFgg", list[1].model_id)
  end)

  it("fills what is missing when it is told to", function()
    local _, list = analyse("replay-zero", { impute = { method = "zero" } }, 400, 600)
    assert.equal(0, list[101].feature_data[1].data)
    assert.same({ { feature_id = "fid", imputed = true } }, list[101].feature_imputed)
    assert.is_nil(list[101].error)
    assert.is_nil(list[100].feature_imputed)
    _, list = analyse("replay-previous", { impute = { method = "previous" } }, 400, 600)
    assert.equal(list[100].feature_data[1].data, list[101].feature_data[1].data)
  end)

  it("gives the same grades in slices that lose their models", function()
    local slice = replay.SLICE_NS
    replay.SLICE_NS = 0
    local _, cut = analyse("replay-cut", { category = { "host" } }, 0, 1000, model.drop)
    replay.SLICE_NS = slice
    local _, whole = analyse("replay-whole", { category = { "host" } }, 0, 1000)
    assert.same(detect.lines(whole), detect.lines(cut))
  end)

  it("gives the grades of the frames that blip run sees", function()
    local d = detect.definition("replay-frames", "spec-replay")
    local _, list = analyse("replay-frames", nil, 0, 1000)
    local row = 0
    for frame in assert(replay.frames(d, detect.at(0), detect.at(1000), { threads = 4 })) do
      for i = 1, #frame do
        row = row + 1
        assert.equal(list[row].anomaly_score or 0, frame:get(i, "score") or 0)
      end
    end
    assert.equal(#list, row)
  end)

  it("stops when somebody says so", function()
    local d = detect.definition("replay-stop", "spec-replay")
    known[d.id] = d
    local id = assert(replay.start(d, detect.at(0), detect.at(1000)))
    assert(replay.stop(id))
    drain(queue)
    local task = tasks.get(id)
    assert.equal("STOPPED", task.state)
    assert.equal("Historical analysis cancelled by user", task.error)
    assert.equal(0, #detect.results("replay-stop"))
    assert.is_true(replay.stop(id))
  end)

  it("fails with a reason when there is too little data", function()
    assert.equal("There is no data in the detection date range",
      analyse("replay-after", nil, 5000, 6000).error)
    local task = analyse("replay-short", nil, 0, 20)
    assert.equal("There is not enough data to train model", task.error)
    assert.equal("FAILED", task.state)
  end)

  it("goes on with what a stop of the server interrupted", function()
    local d = detect.definition("replay-resume", "spec-replay")
    known[d.id] = d
    local id = assert(replay.start(d, detect.at(0), detect.at(1000)))
    queue = {}
    assert(replay.resume())
    drain(queue)
    assert.equal("FINISHED", tasks.get(id).state)
  end)

  it("keeps the latest task and one old one", function()
    for _ = 1, 3 do analyse("replay-many", nil, 0, 100) end
    local answer = json.plain(assert(tasks.search { query = { term = { detector_id = "replay-many" } } }))
    assert.equal(2, answer.hits.total.value)
    assert.is_true(tasks.latest("replay-many", true).is_latest)
  end)

  it("clips a script's range to whole intervals", function()
    local r = assert(run.open(detect.definition("replay-clip", "spec-replay", { origin = "script" })))
    local from, to = replay.clip(r, detect.at(-5), detect.at(5000))
    assert.equal(detect.at(0), from)
    assert.equal(detect.at(1000), to)
  end)
end)
