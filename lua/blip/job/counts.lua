--- What a job's records came to: its data counts as documents and as the dialect shows them
-- (elastic-ml.md 5.12).
-- @module blip.job.counts
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local view = require "blip.result.view"

local counts = {}

local NUMBERS = {
  "processed_record_count", "processed_field_count", "input_bytes", "input_field_count", "invalid_date_count",
  "missing_field_count", "out_of_order_timestamp_count", "empty_bucket_count", "sparse_bucket_count",
  "bucket_count", "input_record_count",
}
local TIMES = {
  "earliest_record_timestamp", "latest_record_timestamp", "last_data_time", "latest_empty_bucket_timestamp",
  "latest_sparse_bucket_timestamp", "log_time", "latest_bucket_timestamp",
}
local ORDER = {
  "job_id", "processed_record_count", "processed_field_count", "input_bytes", "input_field_count",
  "invalid_date_count", "missing_field_count", "out_of_order_timestamp_count", "empty_bucket_count",
  "sparse_bucket_count", "bucket_count", "earliest_record_timestamp", "latest_record_timestamp",
  "last_data_time", "latest_empty_bucket_timestamp", "latest_sparse_bucket_timestamp", "input_record_count",
  "log_time", "latest_bucket_timestamp",
}

counts.TIMES = TIMES

--- The counts of the engine as the dialect shows them.
-- @tparam string job_id
-- @tparam table numbers from the engine; what is missing is 0
-- @tparam[opt] table more `last_data_time`, `log_time`
function counts.show(job_id, numbers, more)
  local shown = { job_id = job_id }
  for _, name in ipairs(NUMBERS) do shown[name] = numbers[name] or 0 end
  for _, name in ipairs(TIMES) do shown[name] = view.time(more and more[name] or numbers[name]) end
  return json.ordered(shown, ORDER)
end

--- The id of the document of a job's counts.
function counts.id(job_id)
  return job_id .. "_data_counts"
end

--- A job's counts as they are stored, those of the oldest versions too; zeros when there are none.
-- @tparam table job its configuration
function counts.load(job)
  local id = job.job_id
  local document = job_search.get(job, counts.id(id)) or job_search.get(job, id .. "-data-counts") or {}
  return counts.show(id, document)
end

return counts
