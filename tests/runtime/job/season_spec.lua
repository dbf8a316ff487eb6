local job = require "runtime.job"
local json = require "runtime.json"
local random = require "support.random"

local DAY, SPAN, START = 86400, 1800, 1767571200 -- Monday, 5 January 2026

--- The buckets and annotations of a mean over one value per bucket.
local function run(days, value)
  local r = random.new(4711)
  for _ = 1, 20 do r:uniform() end
  local j = assert(job.new {
    job_id = "season", bucket_span_s = SPAN, time_field = "time", time_format = "epoch",
    detectors = { { ["function"] = "mean", field = "value" } },
  })
  local lines = {}
  for i = 0, days * DAY // SPAN - 1 do
    local t = START + i * SPAN
    lines[#lines + 1] = ('{"time":%d,"value":%.6f}'):format(t, value(t, r))
  end
  assert(j:post(table.concat(lines, "\n")))
  assert(j:flush { advance_ms = (START + days * DAY) * 1000 })
  local buckets, told = {}, {}
  for line in j:take_results():gmatch "[^\n]+" do
    local d = json.decode(line)
    if d.result_type == "bucket" then buckets[(d.timestamp // 1000 - START) / DAY] = d.anomaly_score end
  end
  for line in j:take_annotations():gmatch "[^\n]+" do
    local d = json.decode(line)
    local day = d.timestamp and (d.timestamp // 1000 - START) / DAY
    if d.annotation then told[#told + 1] = { text = d.annotation, day = day } end
  end
  return buckets, told
end

--- The highest score within [from, to) days.
local function worst(buckets, from, to)
  local most = 0
  for day, score in pairs(buckets) do
    if day >= from and day < to then most = math.max(most, score) end
  end
  return most
end

local function find(told, pattern)
  for _, one in ipairs(told) do
    if one.text:find(pattern) then return one end
  end
end

local function sine(t, r) return 100 + 10 * math.sin(2 * math.pi * t / DAY) + r:normal() end

describe("a job over a season", function()
  it("tells the day it found and is quiet from then on", function()
    local buckets, told = run(14, sine)
    local found = find(told, "^Detected seasonal component with period 1 day$")
    assert.is_true(found.day >= 2.9 and found.day <= 3.6)
    assert.is_true(worst(buckets, 4, 14) < 50)
  end)

  it("scores a peak that is missing", function()
    local from = START + 10.2 * DAY
    local buckets = run(12, function(t, r)
      return t >= from and t < from + 7200 and 90 + r:normal() or sine(t, r)
    end)
    assert.is_true(worst(buckets, 10.1, 10.4) >= 50)
    assert.is_true(worst(buckets, 4, 10) < 50)
  end)

  it("tells weekends from weekdays after two weeks, and is quiet on the next one", function()
    local buckets, told = run(28, function(t, r)
      local weekend = (t - START) % (7 * DAY) >= 5 * DAY
      return 10 + (weekend and 20 or 60) * math.exp(-(t % DAY / 3600 - 13) ^ 2 / 18) + 2 * r:normal()
    end)
    assert.equal(14, math.floor(find(told, "weekend").day + 0.1))
    assert.is_true(worst(buckets, 18, 28) < 50)
  end)

  it("scores a new level at once, tells of it within 30 to 50 hours, and is quiet again", function()
    local buckets, told = run(40, function(t, r)
      return sine(t, r) + (t >= START + 30 * DAY and 10 or 0)
    end)
    assert.is_true(worst(buckets, 30, 30.2) >= 75)
    local shift = find(told, "^Detected level shift by")
    assert.is_true(shift.day >= 30 + 29 / 24 and shift.day <= 30 + 50 / 24)
    assert.is_true(worst(buckets, 32.5, 40) < 50)
  end)
end)
