--- What an operation leaves behind: results, counts, times, sizes, in one transaction; and what is told
-- afterwards.
-- @module blip.job.outcome
local config = require "blip.job.config"
local counts = require "blip.job.counts"
local job_index = require "blip.result.job_index"
local job_write = require "blip.result.job_write"
local json = require "runtime.json"
local notification = require "blip.job.notification"
local size = require "blip.job.size"
local time = require "runtime.time"
local timing = require "blip.job.timing"

local outcome = {}

local SNAPSHOT_ORDER = {
  "job_id", "min_version", "timestamp", "description", "snapshot_id", "snapshot_doc_count",
  "model_size_stats", "latest_record_time_stamp", "latest_result_time_stamp", "retain",
}

-- The counts of all of a job's records so far.
local function data_counts(job, live, done, before)
  local now_ms = time.now_ms()
  local brings_data = done.kind == "data" or done.kind == "feed"
  return counts.show(job.job_id, live:counts(), {
    last_data_time = brings_data and now_ms or before.last_data_time, log_time = now_ms,
  })
end

local function size_line(job, live, done)
  local before = size.load(job)
  local stats = size.show(job.job_id, live:size_stats(), { log_time = time.now_ms() })
  if not size.differs(stats, before) then return "" end
  if before.log_time and before.log_time >= stats.log_time then stats.log_time = before.log_time + 1 end
  done.memory_status = stats.memory_status ~= before.memory_status and stats.memory_status or nil
  return job_write.line(size.id(stats), stats)
end

local function timing_line(job, buckets, elapsed_ms)
  local stats = timing.add(timing.load(job), buckets, elapsed_ms, config.bucket_span_ms(job))
  return job_write.line(timing.id(job.job_id), timing.document(stats))
end

--- Writes what an operation led to, in the open transaction.
-- @param c connection
-- @tparam table job its configuration
-- @param live its models
-- @tparam table done `kind` of the operation, `elapsed_ms`; gets `memory_status` when that changed
-- @return true; or nil and an error
function outcome.write(c, job, live, done)
  local index = job_index.name(job)
  local before = counts.load(job)
  local now = data_counts(job, live, done, before)
  local buckets = now.bucket_count - before.bucket_count
  local lines = {
    live:take_results(), job_write.line(counts.id(job.job_id), now),
  }
  if buckets > 0 then
    lines[#lines + 1] = timing_line(job, buckets, done.elapsed_ms)
    lines[#lines + 1] = size_line(job, live, done)
  end
  local ok, err = job_write.lines(c, index, table.concat(lines))
  if ok then ok, err = job_write.lines(c, job_index.ANNOTATIONS, live:take_annotations()) end
  return ok, err
end

local function document_id(job, snapshot_id)
  return ("%s_model_snapshot_%s"):format(job.job_id, snapshot_id)
end

--- Writes the document of the models that are being saved; it takes the place of the one before.
-- @tparam table row of @{blip.job.state}
function outcome.write_snapshot(c, job, row, live)
  local index, stats = job_index.name(job), live:counts()
  local id = tostring(row.saved_ms // 1000)
  local document = json.ordered({
    job_id = job.job_id, min_version = config.VERSION, timestamp = row.saved_ms,
    description = row.state == "opened" and "Periodic snapshot" or "State persisted due to job close",
    snapshot_id = id, snapshot_doc_count = 1,
    model_size_stats = size.show(job.job_id, live:size_stats(), { log_time = row.saved_ms }),
    latest_record_time_stamp = stats.latest_record_timestamp,
    latest_result_time_stamp = stats.latest_bucket_timestamp, retain = false,
  }, SNAPSHOT_ORDER)
  local lines = job_write.line(document_id(job, id), document)
  if row.snapshot_id and row.snapshot_id ~= id then
    lines = job_write.deletion(document_id(job, row.snapshot_id)) .. lines
  end
  row.snapshot_id = id
  return job_write.lines(c, index, lines)
end

local MEMORY = {
  soft_limit = { "warning", "Job memory status changed to soft_limit; memory pruning will now be more "
    .. "aggressive" },
  hard_limit = { "error", "Job memory status changed to hard_limit; job exceeded model memory limit %s. "
    .. "Adjust the analysis_limits.model_memory_limit setting to ensure all data is analyzed" },
}

--- Tells of what an operation led to, when it is committed.
function outcome.tell(job, done)
  local message = MEMORY[done.memory_status]
  if message then
    notification.write(job.job_id, message[1], message[2], job.analysis_limits.model_memory_limit)
  end
end

return outcome
