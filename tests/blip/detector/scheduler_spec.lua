local detect = require "support.detect"
local documents = require "blip.index.documents"
local live = require "blip.detector.live"
local minutes = require "support.minutes"
local registry = require "blip.detector.registry"
local schedule = require "runtime.schedule"
local scheduler = require "blip.detector.scheduler"
local tasks = require "blip.detector.tasks"
local time = require "runtime.time"
local work = require "runtime.work"

describe("blip.detector.scheduler", function()
  local real = { submit = work.submit, set = schedule.set, now_ms = time.now_ms }
  local known, queue, due, now_ms = {}, {}, {}, 0

  setup(function()
    minutes.load("spec-scheduler", { minutes = 400 })
    registry.reader("rest", {
      find = function(id) return known[id], { kind = "not_found", reason = "no " .. id } end,
    })
    work.submit = function(job) queue[#queue + 1] = job return true end
    schedule.set = function(key, due_ms, _, _, id) due[id] = { key = key, due_ms = due_ms } return true end
    time.now_ms = function() return now_ms end
  end)

  teardown(function()
    work.submit, schedule.set, time.now_ms = real.submit, real.set, real.now_ms
  end)

  before_each(function() now_ms = detect.at(300) end)

  local function define(id, changes)
    known[id] = detect.definition(id, "spec-scheduler", changes)
    return known[id]
  end

  -- Runs what was handed in.
  local function work_off()
    while #queue > 0 do
      local job = table.remove(queue, 1)
      assert(require(job.module)[job.func](job.args))
    end
  end

  local function start(id, changes)
    local job = assert(scheduler.start(define(id, changes)))
    work_off()
    return job
  end

  it("writes the job document of the plugin", function()
    local job = start("s-job", { delay_ms = 60000 })
    assert.same({
      name = "s-job",
      schedule = { interval = { start_time = now_ms, period = 1, unit = "Minutes" } },
      window_delay = { period = { interval = 1, unit = "Minutes" } },
      enabled = true, enabled_time = now_ms, last_update_time = now_ms, lock_duration_seconds = 60,
      type = "AD",
    }, documents.get(".opendistro-anomaly-detector-jobs", "s-job")._source)
    assert.is_true(job.enabled)
    assert.is_true(scheduler.is_running("s-job"))
  end)

  it("runs at once, and again when the next interval and its delay are over", function()
    start("s-due", { delay_ms = 5000 })
    assert.equal(detect.at(301), due["s-due"].due_ms)
    assert.equal(37, #detect.results("s-due"))
    now_ms = detect.at(301) + 3
    assert(scheduler.tick("s-due"))
    assert.equal(38, #detect.results("s-due"))
    assert.equal(detect.at(302), due["s-due"].due_ms)
  end)

  it("tells the task how far it is", function()
    start("s-task")
    local task = tasks.latest("s-task", false)
    assert.equal("RUNNING", task.state)
    assert.equal(1, task.init_progress)
    assert.equal("REALTIME_SINGLE_ENTITY", task.task_type)
    assert.equal("RUNNING", scheduler.profile("s-task").state)
  end)

  it("initialises while there is too little data", function()
    now_ms = detect.at(8)
    start("s-young")
    local task = tasks.latest("s-young", false)
    assert.equal("INIT", task.state)
    assert.equal(0.25, task.init_progress)
    assert.equal(24, task.estimated_minutes_left)
  end)

  it("refuses to start twice", function()
    start("s-twice")
    local _, err = scheduler.start(known["s-twice"])
    assert.equal("conflict", err.kind)
  end)

  it("stops, and says whether it ran", function()
    start("s-stop")
    assert.is_true(scheduler.stop("s-stop"))
    assert.is_false(scheduler.stop("s-stop"))
    assert.equal("STOPPED", tasks.latest("s-stop", false).state)
    assert.equal("DISABLED", scheduler.profile("s-stop").state)
    assert.is_false(scheduler.job("s-stop").enabled)
    assert(scheduler.tick("s-stop")) -- one that was due already does nothing
    assert.equal(37, #detect.results("s-stop"))
    local _, err = scheduler.stop("s-never")
    assert.equal("not_found", err.kind)
  end)

  it("starts again after a stop", function()
    start("s-again")
    scheduler.stop("s-again")
    now_ms = detect.at(310)
    start("s-again")
    assert.equal(detect.at(309), live.state("s-again").emit_ms)
  end)

  it("stops after more than six failures in a row, and says why", function()
    start("s-fail")
    known["s-fail"] = detect.definition("s-fail", "there-is-no-such-index")
    for i = 1, 6 do
      now_ms = detect.at(300 + i)
      scheduler.tick("s-fail")
      assert.is_true(scheduler.is_running("s-fail"))
    end
    now_ms = detect.at(307)
    scheduler.tick("s-fail")
    assert.is_false(scheduler.is_running("s-fail"))
    local list = detect.results("s-fail")
    assert.matches("^Stopped analysis as job failed consecutively for more than 6 times: ", list[#list].error)
    assert.equal(list[#list].error, tasks.latest("s-fail", false).error)
  end)

  it("stops one that never came to its first interval", function()
    start("s-none", { indices = { "there-is-no-such-index" } })
    for i = 1, 7 do
      now_ms = detect.at(300 + i)
      scheduler.tick("s-none")
    end
    assert.is_false(scheduler.is_running("s-none"))
  end)

  it("goes on after a feature's function has raised an error", function()
    local broken = true
    start("s-raise", { origin = "script", features = { {
      name = "n",
      inputs = { n = require("blip.query.aggregate").count() },
      compute = function(bucket)
        if broken then error { kind = "invalid", reason = "d.lua:3: attempt to add nil" } end
        return bucket.n
      end,
    } } })
    assert.equal(0, #detect.results("s-raise"))
    broken = false
    now_ms = detect.at(301)
    assert(scheduler.tick("s-raise"))
    assert.is_true(#detect.results("s-raise") > 0)
    assert.is_true(scheduler.is_running("s-raise"))
  end)

  it("counts failures anew after a success", function()
    local good = define("s-heal")
    start("s-heal")
    for i = 1, 20 do
      known["s-heal"] = i % 5 == 0 and good or detect.definition("s-heal", "there-is-no-such-index")
      now_ms = detect.at(300 + i)
      scheduler.tick("s-heal")
    end
    assert.is_true(scheduler.is_running("s-heal"))
    assert.equal(37 + 20, #detect.results("s-heal"))
  end)

  it("stops a detector that is no longer there", function()
    start("s-gone")
    known["s-gone"] = nil
    assert(scheduler.tick("s-gone"))
    assert.is_false(scheduler.is_running("s-gone"))
  end)

  it("goes on after a restart of the server", function()
    start("s-resume")
    assert(scheduler.resume())
    local ids = {}
    for _, job in ipairs(queue) do ids[job.args] = true end
    queue = {}
    assert.is_true(ids["s-resume"])
    assert.is_nil(ids["s-stop"])
  end)

  it("adopts a script's detector unless somebody stopped it", function()
    local d = define("s-script", { origin = "script", version = "1" })
    assert(scheduler.adopt(d))
    work_off()
    assert.is_true(scheduler.is_running("s-script"))
    assert(scheduler.adopt(d))
    work_off()
    scheduler.stop("s-script")
    assert(scheduler.adopt(d))
    assert.same({}, queue)
    assert(scheduler.abandon("s-script"))
    assert.is_nil(scheduler.job("s-script"))
    assert(scheduler.abandon("s-script"))
  end)
end)
