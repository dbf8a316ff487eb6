local engine = require "support.engine"
local job = require "runtime.job"
local memory = require "support.memory"

describe("runtime.job without memory", function()
  local CONFIG = {
    influencers = { "host" },
    filters = { f = { "a", "b*" } },
    events = { { description = "sale", start_s = 0, end_s = 300 } },
    detectors = { { ["function"] = "mean", field = "value", by = "host", rules = { {
      scope = { host = { filter_id = "f" } },
      conditions = { { applies_to = "actual", operator = "gt", value = 5 } },
    } } } },
  }

  it("leaves nothing behind when it is made, fed, saved and loaded", function()
    local body = engine.body(engine.noise { buckets = 3, values = { "a" } })
    assert.is_true(memory.exhaust(function()
      local config = engine.config(CONFIG)
      local j <close> = assert(job.new(config))
      assert(j:post(body))
      assert(j:flush { calc_interim = true })
      j:take_results()
      j:size_stats()
      local again <close> = assert(job.load(config, j:save()))
      again:counts()
    end) > 20)
  end)

  it("tells of a keeper that runs out of it, and goes no further", function()
    local j = engine.new { memory_limit_bytes = 400000, detectors = { {
      ["function"] = "mean", field = "value", partition = "host" } } }
    j:keep { put = function() error "not enough memory" end, get = function() end }
    local err
    local from = 1500000000 - 1500000000 % 300
    for bucket = 0, 20 do
      local rows = {}
      for i = 1, 60 do
        rows[i] = { time = from + bucket * 300, host = "h" .. bucket * 60 + i, value = i }
      end
      local ok, problem = j:post(engine.body(rows))
      err = err or not ok and problem
    end
    assert.matches("not enough memory", err.reason)
  end)
end)
