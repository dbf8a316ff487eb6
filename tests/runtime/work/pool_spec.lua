local server = require "support.server"
local time = require "runtime.time"

local routes = assert(package.searchpath("support.jobs", package.path))

describe("pool", function()
  local blip, file

  setup(function()
    blip = server.start { routes = { routes }, threads = 3, queue = 50 }
  end)

  teardown(function() blip:stop() end)

  before_each(function() file = blip.folder .. "/notes-" .. time.monotonic_ns() end)

  local function submit(list)
    for _, job in ipairs(list) do job.file = file end
    local answer = blip:post("/_jobs", list)
    assert.equal(200, answer.status, answer.body)
  end

  -- The lines that the jobs have written, once there are `count` of them.
  local function notes(count)
    local lines
    for _ = 1, 500 do
      lines = {}
      local handle = io.open(file)
      for line in handle and handle:lines() or function() end do lines[#lines + 1] = line end
      if handle then handle:close() end
      if #lines >= count then break end
      time.sleep_ms(10)
    end
    return lines
  end

  it("runs a job on a worker", function()
    submit { { name = "a", ms = 1 } }
    assert.same({ "begin a", "end a" }, notes(2))
  end)

  it("runs jobs of one key after each other and others beside them", function()
    submit {
      { name = "a1", key = "a", ms = 60 }, { name = "a2", key = "a", ms = 10 },
      { name = "b", key = "b", ms = 10 },
    }
    local lines = notes(6)
    local place = {}
    for i, line in ipairs(lines) do place[line] = i end
    assert.is_true(place["end a1"] < place["begin a2"])
    assert.is_true(place["end b"] < place["end a1"])
  end)

  it("keeps a worker free of background jobs", function()
    submit {
      { name = "1", ms = 200 }, { name = "2", ms = 200 }, { name = "3", ms = 200 }, { name = "4", ms = 200 },
    }
    time.sleep_ms(50)
    local counts = blip:get("/_jobs").json  -- itself on the third worker
    assert.equal(2, counts.running.background)
    assert.equal(2, counts.waiting.background)
    assert.equal(8, #notes(8))
  end)

  it("cancels the jobs of a key, waiting or running", function()
    submit { { name = "runs", key = "k", ms = 5000 }, { name = "waits", key = "k", ms = 5000 } }
    notes(1)
    assert.equal(2, blip:delete("/_jobs/k").json.cancelled)
    assert.same({ "begin runs", "cancelled runs" }, notes(2))
  end)

  it("cancels a job at its deadline", function()
    submit { { name = "late", ms = 5000, deadline_ms = 50 } }
    assert.same({ "begin late", "cancelled late" }, notes(2))
  end)

  it("logs what a job raises or returns as its failure", function()
    submit { { func = "fail", args = "raise", key = "one" }, { func = "fail", args = "return", key = "two" } }
    local reasons = {}
    for _ = 1, 100 do
      for _, event in ipairs(blip:events()) do
        if event.event == "job_failed" then reasons[event.key] = event.reason end
      end
      if reasons.one and reasons.two then break end
      time.sleep_ms(10)
    end
    assert.matches("raised for a spec", reasons.one)
    assert.equal("returned for a spec", reasons.two)
  end)

  describe("schedule", function()
    local function set(key, in_ms, name)
      return blip:put("/_schedule/" .. key, { in_ms = in_ms, name = name, ms = 0, file = file })
    end

    it("submits what is due in the order of its moments", function()
      set("x", 120, "later")
      set("y", 20, "sooner")
      assert.same({ "begin sooner", "end sooner", "begin later", "end later" }, notes(4))
    end)

    it("keeps one moment per key", function()
      set("x", 30, "first")
      set("x", 60, "second")
      time.sleep_ms(150)
      assert.same({ "begin second", "end second" }, notes(2))
    end)

    it("forgets a key that is cleared", function()
      set("x", 50, "never")
      assert.is_true(blip:delete("/_schedule/x").json.cleared)
      assert.is_false(blip:delete("/_schedule/x").json.cleared)
      time.sleep_ms(120)
      assert.same({}, notes(0))
    end)
  end)
end)
