--- How long a job's buckets took (elastic-ml.md 7.6).
-- @module blip.job.timing
local job_search = require "blip.result.job_search"
local json = require "runtime.json"

local timing = {}

local ORDER = {
  "job_id", "result_type", "bucket_count", "total_bucket_processing_time_ms",
  "minimum_bucket_processing_time_ms", "maximum_bucket_processing_time_ms",
  "average_bucket_processing_time_ms", "exponential_average_bucket_processing_time_ms",
  "exponential_average_bucket_processing_time_per_hour_ms",
}
local WEIGHT = 0.01 -- of one bucket in the exponential average
local HOUR_MS = 3600000

--- The id of the document of a job's times.
function timing.id(job_id)
  return job_id .. "_timing_stats"
end

--- A job's times as they are stored; zeros when there are none.
-- @tparam table job its configuration
function timing.load(job)
  local stats = job_search.get(job, timing.id(job.job_id)) or {}
  stats.job_id, stats.result_type = job.job_id, nil
  stats.bucket_count = stats.bucket_count or 0
  stats.total_bucket_processing_time_ms = stats.total_bucket_processing_time_ms or 0.0
  return json.ordered(stats, ORDER)
end

--- Adds some buckets to a job's times.
-- @tparam table stats from @{load}; changed in place
-- @tparam integer count of buckets
-- @tparam number total_ms that they took together
-- @tparam integer span_ms of a bucket
function timing.add(stats, count, total_ms, span_ms)
  local each = total_ms / count
  local before = stats.exponential_average_bucket_processing_time_ms or each
  local kept = (1 - WEIGHT) ^ count
  stats.bucket_count = stats.bucket_count + count
  stats.total_bucket_processing_time_ms = stats.total_bucket_processing_time_ms + total_ms
  stats.minimum_bucket_processing_time_ms = math.min(stats.minimum_bucket_processing_time_ms or each, each)
  stats.maximum_bucket_processing_time_ms = math.max(stats.maximum_bucket_processing_time_ms or each, each)
  stats.average_bucket_processing_time_ms = stats.total_bucket_processing_time_ms / stats.bucket_count
  stats.exponential_average_bucket_processing_time_ms = kept * before + (1 - kept) * each
  stats.exponential_average_bucket_processing_time_per_hour_ms =
    stats.exponential_average_bucket_processing_time_ms * HOUR_MS / span_ms
  return stats
end

--- The document of a job's times.
function timing.document(stats)
  local document = {}
  for name, value in pairs(stats) do document[name] = value end
  document.result_type = "timing_stats"
  return json.ordered(document, ORDER)
end

return timing
