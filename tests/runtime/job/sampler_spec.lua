-- The values of a bucket as samples of a few measurements each.
local gathering = require "support.gathering"

describe("samples", function()
  local mean = { ["function"] = "mean", field = "v" }

  local function samples_of(g, records, time_s)
    gathering.post(g, records)
    local closed = gathering.close(g, time_s)
    return closed[#closed].detectors[1][1].samples[1], closed[#closed].detectors[1][1].per_sample
  end

  it("are not known before the third bucket", function()
    local g = gathering.new { detectors = { mean } }
    for minute = 0, 1 do
      assert.same({ {}, 0 }, { samples_of(g, { { time = minute * 60, v = 1 } }, minute * 60 + 60) })
    end
    local samples, per_sample = samples_of(g, { { time = 120, v = 7 } }, 180)
    assert.equal(1, per_sample)
    assert.equal(3, #samples, "what came before is learned with it")
    assert.same({ 120, 1, 7, 0 }, samples[3])
  end)

  it("are one row each where rows come one per bucket", function()
    local g = gathering.new { detectors = { mean } }
    for minute = 0, 9 do gathering.post(g, { { time = minute * 60 + 5, v = minute } }) end
    assert.same({ { 605, 1, 42, 0 } }, (samples_of(g, { { time = 605, v = 42 } }, 660)))
  end)

  it("are groups in time order, and what is left waits", function()
    local g = gathering.new { detectors = { mean } }
    for minute = 0, 2 do
      gathering.post(g, { { time = minute * 60, v = 0 }, { time = minute * 60 + 1, v = 0 },
        { time = minute * 60 + 2, v = 0 } })
    end
    gathering.close(g, 180)
    local first = samples_of(g, { { time = 184, v = 5 }, { time = 180, v = 1 }, { time = 181, v = 2 },
      { time = 182, v = 3 } }, 240)
    assert.same({ { 181, 3, 2, 0 } }, first)
    local second = samples_of(g, { { time = 240, v = 6 }, { time = 241, v = 7 } }, 300)
    assert.equal(1, #second)
    assert.equal(6, second[1][3])
  end)

  it("do not depend on the order of the rows", function()
    local forwards, backwards = gathering.new { detectors = { mean } }, gathering.new { detectors = { mean } }
    gathering.post(forwards, { { time = 0 } })
    gathering.post(backwards, { { time = 0 } })
    for bucket = 0, 5 do
      local records, reversed = {}, {}
      for i = 0, 6 do records[i + 1] = { time = bucket * 60 + i // 2, v = i * 3 % 7 } end
      for i = 1, 7 do reversed[i] = records[8 - i] end
      gathering.post(forwards, records)
      gathering.post(backwards, reversed)
    end
    local a, b = gathering.close(forwards, 360), gathering.close(backwards, 360)
    for i = 1, 6 do assert.same(a[i].detectors[1][1].samples, b[i].detectors[1][1].samples) end
  end)

  it("are at least three rows for a variance", function()
    local g = gathering.new { detectors = { { ["function"] = "varp", field = "v" } } }
    for minute = 0, 3 do gathering.post(g, { { time = minute * 60, v = minute } }) end
    local samples, per_sample = samples_of(g, { { time = 240, v = 9 } }, 300)
    assert.equal(3, per_sample)
    assert.is_true(#samples <= 1)
  end)

  it("are the bucket's value in the middle of the bucket for counts", function()
    local g = gathering.new()
    assert.same({ { 30, 2, 2, 0 } }, (samples_of(g, { { time = 0 }, { time = 3 } }, 60)))
  end)

  it("are looked at again when rows become many more", function()
    local g, per_sample = gathering.new { detectors = { mean } }, 0
    for minute = 0, 70 do
      local records = {}
      for i = 1, minute < 10 and 1 or 8 do records[i] = { time = minute * 60 + i, v = i } end
      per_sample = select(2, samples_of(g, records, minute * 60 + 60))
    end
    assert.is_true(per_sample >= 6)
  end)
end)
