local definition = require "blip.detector.definition"
local aggregate = require "blip.query.aggregate"
local tasks = require "blip.detector.tasks"

local RANGE = { start_time = 0, end_time = 3600000 }

local function detector(id, category)
  return assert(definition.new {
    id = id, origin = "rest", indices = { "logs" }, time_field = "ts", interval_ms = 60000,
    category = category,
    features = { { name = "a", expr = aggregate.count() } }, document = { name = "n" },
  })
end

describe("blip.detector.tasks", function()
  it("begin as created, with the detector that they are of", function()
    local id = assert(tasks.create(detector "t-new", RANGE)).id
    local task = assert(tasks.get(id))
    assert.equal("CREATED", task.state)
    assert.equal("t-new", task.detector_id)
    assert.equal("HISTORICAL_SINGLE_ENTITY", task.task_type)
    assert.same(RANGE, task.detection_date_range)
    assert.equal("n", task.detector.name)
    assert.is_true(task.is_latest)
    assert.is_false(tasks.is_ended(task))
  end)

  it("have a type for each kind of run", function()
    assert.equal("REALTIME_SINGLE_ENTITY", tasks.create(detector "t-a").task_type)
    assert.equal("REALTIME_HC_DETECTOR", tasks.create(detector("t-b", { "host" })).task_type)
    assert.equal("HISTORICAL_HC_DETECTOR", tasks.create(detector("t-c", { "host" }), RANGE).task_type)
  end)

  it("are the latest of their kind, one after the other", function()
    local d = detector "t-latest"
    local first = tasks.create(d, RANGE)
    local live = tasks.create(d)
    local second = tasks.create(d, RANGE)
    assert.equal(second.id, tasks.latest("t-latest", true).id)
    assert.equal(live.id, tasks.latest("t-latest", false).id)
    assert.is_false(tasks.get(first.id).is_latest)
    assert.is_nil(tasks.latest("t-none", true))
  end)

  it("end with a reason", function()
    local task = tasks.create(detector "t-end", RANGE)
    assert(tasks.finish(task, "FAILED", "no data"))
    task = tasks.get(task.id)
    assert.is_true(tasks.is_ended(task))
    assert.equal("no data", task.error)
    assert.is_number(task.execution_end_time)
  end)

  it("are not overwritten by somebody who read them before a change", function()
    local id = tasks.create(detector "t-guard", RANGE).id
    local one, other = tasks.get(id), tasks.get(id)
    assert(tasks.finish(one, "STOPPED"))
    other.state = "RUNNING"
    local ok, err = tasks.save(other)
    assert.is_nil(ok)
    assert.equal("conflict", err.kind)
    assert.equal("STOPPED", tasks.get(id).state)
  end)

  it("are listed while they have not ended", function()
    local id = tasks.create(detector "t-open", RANGE).id
    local open = {}
    for _, task in ipairs(assert(tasks.unfinished())) do open[task.id] = true end
    assert.is_true(open[id])
  end)
end)
