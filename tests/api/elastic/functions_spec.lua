-- Every function of elastic-ml.md 4.1, from its configuration to its results.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"
local START = 1491004800

-- The fields that a function wants beside an optional partition.
local FAMILIES = {
  { names = { "count", "low_count", "high_count", "non_zero_count", "low_non_zero_count",
    "high_non_zero_count", "time_of_day", "time_of_week" } },
  { names = { "distinct_count", "low_distinct_count", "high_distinct_count", "info_content",
    "low_info_content", "high_info_content" }, field = "page" },
  { names = { "mean", "low_mean", "high_mean", "avg", "low_avg", "high_avg", "median",
    "low_median", "high_median", "sum", "low_sum", "high_sum", "non_null_sum",
    "low_non_null_sum", "high_non_null_sum", "varp", "low_varp", "high_varp", "min", "max",
    "metric" }, field = "value" },
  { names = { "lat_long" }, field = "place" },
  { names = { "rare" }, by = "page" },
  { names = { "freq_rare" }, by = "page", over = "user" },
}
local NO_OVER = { non_zero_count = true, low_non_zero_count = true, high_non_zero_count = true }

-- What the last bucket is for these is strange for a series and for each person.
local LOUD = { mean = true, high_mean = true, avg = true, median = true, max = true,
  sum = true, high_sum = true, metric = true, lat_long = true }

--- Sixty buckets; the last one is unlike the others in every way.
local function rows()
  local lines = {}
  for bucket = 0, 59 do
    for i = 1, 6 do
      local odd = bucket == 59
      lines[#lines + 1] = ('{"time":%d,"value":%d,"page":"%s%d","user":"u%d","place":"%s"}'):format(
        START + bucket * 300 + i * 7, odd and 900 + i or 10 + (bucket + i) % 5, odd and "new" or "p",
        i % 2, i % 3, odd and "10.5,20.5" or ("50.%d,4.%d"):format(i, (bucket + i) % 4))
    end
  end
  return table.concat(lines, "\n")
end

describe("a job of function", function()
  local blip, body

  setup(function()
    blip = server.start()
    body = rows()
  end)
  teardown(function() blip:stop() end)

  local function ok(answer)
    assert.is_true(answer.status < 300, answer.body)
    return answer.json
  end

  local function run(id, detectors)
    local path = ML .. id
    jobs.create(blip, id, { analysis_config = {
      bucket_span = "300s", detectors = detectors, influencers = { "user" } } })
    jobs.open(blip, id)
    ok(blip:post(path .. "/_data", body))
    ok(blip:post(path .. "/_flush?calc_interim=true"))
    ok(blip:post(path .. "/_close"))
    local buckets = ok(blip:get(path .. "/results/buckets?size=100"))
    local records = ok(blip:get(path .. "/results/records?size=500")).records
    ok(blip:delete(path))
    return buckets.count, records
  end

  --- The function by itself, and over users where it may be.
  local function detectors_of(family, name)
    local function detector(over)
      return { ["function"] = name, field_name = family.field, by_field_name = family.by,
        over_field_name = over }
    end
    local list = { detector(family.over) }
    if not family.over and not NO_OVER[name] then list[2] = detector "user" end
    return list
  end

  for _, family in ipairs(FAMILIES) do
    for _, name in ipairs(family.names) do
      it(name .. " gives a bucket for each span, and records of its own shape", function()
        local count, records = run("f-" .. name, detectors_of(family, name))
        assert.equal(59, count) -- the first one is partial
        local found = {}
        for _, record in ipairs(records) do
          assert.equal(name, record["function"])
          assert.is_true(record.probability > 0 and record.probability <= 1)
          assert.is_true(record.record_score >= 0 and record.record_score <= 100)
          local population = record.detector_index == 1 or family.over ~= nil
          assert.equal(population, record.causes ~= nil)
          assert.equal(population, record.actual == nil)
          found[record.detector_index] = true
        end
        if LOUD[name] then assert.is_true(found[0] and found[1]) end
      end)
    end
  end
end)
