-- Properties of scores (elastic-model, 14.5), through whole jobs.
local engine = require "support.engine"
local job = require "runtime.job"

local SPAN = 1800
local FROM = 1500000000 - 1500000000 % SPAN

--- Normal noise around 100, one value a bucket; `planted[bucket]` in its place.
local function values(count, seed, planted)
  local function unit()
    seed = (seed * 1103515245 + 12345) % 2147483648
    return (seed + 0.5) / 2147483648
  end
  local rows = {}
  for bucket = 0, count - 1 do
    local value = 100 + 10 * math.sqrt(-2 * math.log(unit())) * math.cos(2 * math.pi * unit())
    rows[bucket + 1] = { time = FROM + bucket * SPAN, value = planted and planted[bucket] or value }
  end
  return rows
end

local function run(rows, detectors)
  local j = assert(job.new(engine.config {
    bucket_span_s = SPAN, detectors = detectors or { { ["function"] = "mean", field = "value" } } }))
  engine.post(j, rows)
  assert(j:flush { advance_ms = (rows[#rows].time + SPAN) * 1000 })
  local documents = engine.documents(j)
  return engine.only(documents, "record"), engine.only(documents, "bucket"), j
end

local function at(documents, bucket)
  for _, document in ipairs(documents) do
    if document.timestamp == (FROM + bucket * SPAN) * 1000 then return document end
  end
end

describe("runtime.job scores", function()
  it("call less than one bucket of noise in a thousand critical", function()
    local records = run(values(3000, 1))
    local critical = 0
    for _, record in ipairs(records) do
      if record.record_score >= 75 then critical = critical + 1 end
    end
    assert.is_true(critical <= 3, critical .. " of 3000")
    assert.is_true(#records < 3000 * 0.05, #records .. " of 3000")
  end)

  it("call the first spike of six sigmas after 500 calm buckets critical", function()
    local records = run(values(505, 4, { [500] = 160 }))
    assert.is_true(at(records, 500).record_score > 85, tostring(at(records, 500).record_score))
    assert.is_true(at(records, 500).probability < 1e-4)
  end)

  it("have the bucket's score for the largest of its influencers'", function()
    local _, buckets = run(values(505, 4, { [500] = 160 }))
    for _, bucket in ipairs(buckets) do
      local largest = 0
      for _, one in ipairs(bucket.bucket_influencers) do
        largest = math.max(largest, one.anomaly_score)
      end
      assert.equal(largest, bucket.anomaly_score)
    end
  end)

  it("ask for a second look at what was written when a far larger anomaly comes", function()
    local _, _, j = run(values(400, 4, { [350] = 150 }))
    j:take_scores_changed()
    engine.post(j, { { time = FROM + 401 * SPAN, value = 400 } })
    assert(j:flush { advance_ms = (FROM + 402 * SPAN) * 1000 })
    assert.is_true(j:take_scores_changed())
  end)

  it("are not changed by interim results", function()
    local _, _, one = run(values(300, 2))
    local _, _, two = run(values(300, 2))
    for _, j in ipairs { one, two } do
      engine.post(j, { { time = FROM + 300 * SPAN, value = 500 } })
    end
    assert(two:flush { calc_interim = true })
    local interim = engine.documents(two)
    assert.is_true(engine.worst(engine.only(interim, "record")).record_score > 50)
    engine.documents(one)
    for _, j in ipairs { one, two } do assert(j:flush { advance_ms = (FROM + 301 * SPAN) * 1000 }) end
    local final, other = engine.documents(one), engine.documents(two)
    assert.equal(at(engine.only(final, "record"), 300).record_score,
      at(engine.only(other, "record"), 300).record_score)
  end)

  it("do not let a detector that cries every day drown another", function()
    local planted = {}
    for bucket = 48, 480, 12 do planted[bucket] = 100 + bucket % 7 * 60 + 300 end
    local rows = values(520, 3, planted)
    for i, row in ipairs(rows) do row.other = i == 501 and 60 or 10 + i % 5 end
    local records, buckets = run(rows, {
      { ["function"] = "mean", field = "value" }, { ["function"] = "mean", field = "other" } })
    local quiet
    for _, record in ipairs(records) do
      if record.detector_index == 1 and record.timestamp == (FROM + 500 * SPAN) * 1000 then
        quiet = record
      end
    end
    assert.is_true(quiet.record_score > 75, tostring(quiet.record_score))
    assert.is_true(at(buckets, 500).anomaly_score > 0)
  end)
end)
