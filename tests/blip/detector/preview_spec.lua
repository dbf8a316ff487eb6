local detect = require "support.detect"
local minutes = require "support.minutes"
local preview = require "blip.detector.preview"

describe("blip.detector.preview", function()
  setup(function()
    minutes.load("spec-preview", { minutes = 3000, hosts = 7, plant = { [800] = 90 } })
  end)

  local function run(changes, from, to)
    local d = detect.definition("p", "spec-preview", changes)
    return assert(preview.run(d, detect.at(from), detect.at(to)))
  end

  it("scores every interval of a range that needs no sampling", function()
    -- 1000 intervals: 250 samples, one of every 4, with lines between them
    local list = run(nil, 0, 1000)
    assert.equal(997, #list)
    assert.equal(detect.at(0), list[1].data_start_time)
    assert.equal(detect.at(1), list[1].data_end_time)
    assert.equal(detect.at(996), list[997].data_start_time)
    local between = (list[1].feature_data[1].data + list[5].feature_data[1].data) / 2
    assert.is_true(math.abs(between - list[3].feature_data[1].data) < 1e-9)
  end)

  it("has results without times of execution", function()
    local first = run(nil, 0, 1000)[1]
    assert.equal("p", first.detector_id)
    assert.equal(0, first.schema_version)
    assert.equal(0, first.anomaly_grade)
    assert.is_nil(first.execution_start_time)
    assert.is_nil(first.model_id)
    assert.is_nil(first.task_id)
  end)

  it("thins long ranges out to a thousand", function()
    local list = run(nil, 0, 3000)
    assert.equal(1000, #list)
    assert.equal(detect.at(0), list[1].data_start_time)
    assert.equal(detect.at(2990), list[1000].data_start_time) -- 300 samples, one of every 10
  end)

  it("finds what was sampled", function()
    local most = 0
    for _, r in ipairs(run(nil, 0, 1000)) do most = math.max(most, r.anomaly_grade) end
    assert.is_true(most > 0.5)
  end)

  it("is the same each time", function()
    assert.same(run(nil, 0, 1000), run(nil, 0, 1000))
  end)

  it("is empty when there are too few points", function()
    assert.same({}, run(nil, 0, 300))
    assert.same({}, run(nil, 5000, 9000))
  end)

  it("shows five entities, one after the other", function()
    local list, order = run({ category = { "host" } }, 0, 1000), {}
    for i, r in ipairs(list) do
      local host = r.entity[1].value
      if i == 1 or host ~= list[i - 1].entity[1].value then order[#order + 1] = host end
    end
    assert.equal(5, #order)
    assert.equal(5 * 997, #list)
  end)

  it("refuses an empty range", function()
    local d = detect.definition("p", "spec-preview")
    local _, err = preview.run(d, detect.at(5), detect.at(5) + 59999)
    assert.equal("invalid", err.kind)
  end)
end)
