--- How large a job's models are (elastic-ml.md 5.11).
-- @module blip.job.size
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local view = require "blip.result.view"

local size = {}

local NUMBERS = {
  "model_bytes", "total_by_field_count", "total_over_field_count", "total_partition_field_count",
  "bucket_allocation_failures_count", "categorized_doc_count", "total_category_count",
  "frequent_category_count", "rare_category_count", "dead_category_count", "failed_category_count",
}
local OPTIONAL = {
  "peak_model_bytes", "model_bytes_exceeded", "model_bytes_memory_limit", "spilled_model_count",
  "assignment_memory_basis",
}
local ORDER = {
  "job_id", "result_type", "model_bytes", "peak_model_bytes", "model_bytes_exceeded",
  "model_bytes_memory_limit", "total_by_field_count", "total_over_field_count",
  "total_partition_field_count", "bucket_allocation_failures_count", "spilled_model_count", "memory_status",
  "assignment_memory_basis", "categorized_doc_count", "total_category_count", "frequent_category_count",
  "rare_category_count", "dead_category_count", "failed_category_count", "categorization_status", "log_time",
  "timestamp",
}

size.TIMES = { "log_time", "timestamp" }

--- Stats of the engine as the dialect shows them.
-- @tparam string job_id
-- @tparam table numbers from the engine; what is missing is 0
-- @tparam[opt] table more `log_time`, `timestamp`
function size.show(job_id, numbers, more)
  local shown = { job_id = job_id, result_type = "model_size_stats" }
  for _, name in ipairs(NUMBERS) do shown[name] = numbers[name] or 0 end
  for _, name in ipairs(OPTIONAL) do shown[name] = numbers[name] end
  shown.memory_status = numbers.memory_status or "ok"
  shown.categorization_status = numbers.categorization_status or "ok"
  for _, name in ipairs(size.TIMES) do shown[name] = view.time(more and more[name] or numbers[name]) end
  return json.ordered(shown, ORDER)
end

--- The id of the document of some stats.
function size.id(stats)
  return ("%s_model_size_stats_%d"):format(stats.job_id, stats.log_time)
end

--- A job's latest stats; zeros when there are none.
-- @tparam table job its configuration
function size.load(job)
  local answer = job_search.run(job, {
    query = job_search.clauses(job, "model_size_stats", {}), size = 1,
    sort = json.array { { log_time = { order = "desc", unmapped_type = "long" } } },
  })
  local hit = answer and json.plain(answer.hits).hits[1]
  return size.show(job.job_id, hit and json.plain(hit._source) or {})
end

local WATCHED = {
  "model_bytes", "memory_status", "bucket_allocation_failures_count", "model_bytes_memory_limit",
  "spilled_model_count",
}

--- Whether stats say something that earlier ones did not.
function size.differs(stats, before)
  for _, name in ipairs(WATCHED) do
    if stats[name] ~= before[name] then return true end
  end
  return false
end

return size
