--- How much memory the models of a job will need (elastic-ml.md 7.8).
-- @module blip.job.memory
local categorization = require "blip.job.categorization"
local refuse = require "blip.job.refuse"

local MEBIBYTE = 1 << 20
local BASE_BYTES = 10 * MEBIBYTE
local SERIES_BYTES, PERSON_BYTES, INFLUENCER_BYTES = 64 << 10, 1 << 10, 10 << 10
local CATEGORIES_BYTES = 20 * MEBIBYTE

local memory = {}

local function cardinality(given, field, name)
  if not field or field == categorization.FIELD then return 1 end
  return given[field]
    or refuse.argument("[%s] has no entry for the field [%s], which the analysis uses", name, field)
end

local function detector_bytes(d, overall)
  local function count(field) return cardinality(overall, field, "overall_cardinality") end
  local series = count(d.by_field_name) * count(d.partition_field_name)
  local people = d.over_field_name and count(d.over_field_name) * count(d.partition_field_name) or 0
  return series * SERIES_BYTES + people * PERSON_BYTES
end

-- The fields that detectors split by, which influencers get for nothing.
local function split_fields(config)
  local fields = {}
  for _, d in ipairs(config.detectors) do
    for _, key in ipairs { "by_field_name", "over_field_name", "partition_field_name" } do
      if d[key] then fields[d[key]] = true end
    end
  end
  return fields
end

--- The memory that an analysis will need.
-- @tparam table config its `analysis_config` in normal form
-- @tparam table overall how many values each split field has
-- @tparam table per_bucket how many values each influencer has in one bucket
-- @treturn number mebibytes, a whole number; raises the dialect's error for a field without a number
function memory.estimate_mb(config, overall, per_bucket)
  local bytes, split = BASE_BYTES + 0.0, split_fields(config)
  for _, d in ipairs(config.detectors) do bytes = bytes + detector_bytes(d, overall) end
  for _, name in ipairs(config.influencers) do
    if not split[name] then
      bytes = bytes + cardinality(per_bucket, name, "max_bucket_cardinality") * INFLUENCER_BYTES
    end
  end
  if config.categorization_field_name then bytes = bytes + CATEGORIES_BYTES end
  return math.ceil(bytes / MEBIBYTE)
end

return memory
