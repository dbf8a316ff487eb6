--- The columns of the tables of jobs and datafeeds (elastic-ml.md 7.12).
-- A column is as @{blip.api.text_table} takes it, and has `path`, where its value is in the stats, and
-- `write(value, query)`, which makes a text of it.
-- @module blip.api.elastic.cat_columns
local time = require "runtime.time"

local SIZES = { "b", "kb", "mb", "gb", "tb", "pb" }
local BYTES = { b = 1, kb = 1 << 10, k = 1 << 10, mb = 1 << 20, m = 1 << 20, gb = 1 << 30, g = 1 << 30,
                tb = 1 << 40, t = 1 << 40, pb = 1 << 50, p = 1 << 50 }
local MS = { nanos = 1e-6, micros = 1e-3, ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }

-- --- cells ----------------------------------------------------------------------------------

local function number(value)
  return value and tostring(value)
end

local function instant(value)
  return value and time.format(value)
end

-- A size in the unit that the request asks for, else in the largest in which it is one or more.
local function size(value, query)
  if not value then return nil end
  local unit = BYTES[query.bytes]
  if unit then return tostring(value // unit) end
  local at = 1
  while value >= 1024 and at < #SIZES do
    value, at = value / 1024, at + 1
  end
  return ("%s%s"):format((("%.1f"):format(value):gsub("%.0$", "")), SIZES[at])
end

local function span(value, query)
  if not value then return nil end
  local unit = MS[query.time]
  if unit then return ("%d"):format(value // unit) end
  return ("%.1f"):format(value):gsub("%.0$", "") .. "ms"
end

-- --- columns --------------------------------------------------------------------------------

-- A column that is shown only when it is asked for: name, other names, where its value is, how it is
-- written, what it means.
local function hidden(name, aliases, path, write, meaning)
  return { name, aliases, meaning, path = path, write = write, right = write ~= tostring, hidden = true }
end

local function shown(...)
  local column = hidden(...)
  column.hidden = false
  return column
end

local function counts(field) return { "data_counts", field } end
local function model(field) return { "model_size_stats", field } end
local function timing(field) return { "timing_stats", field } end

local JOB_COLUMNS = {
  shown("id", "", { "job_id" }, tostring, "the job_id"),
  shown("state", "s", { "state" }, tostring, "the job state"),
  hidden("opened_time", "ot", { "open_time" }, tostring, "how long the job has been open"),
  hidden("assignment_explanation", "ae", { "assignment_explanation" }, tostring,
    "why the job is or is not assigned to a node"),
  shown("data.processed_records", "dpr,dataProcessedRecords", counts "processed_record_count", number,
    "number of processed records"),
  hidden("data.processed_fields", "dpf,dataProcessedFields", counts "processed_field_count", number,
    "number of processed fields"),
  hidden("data.input_bytes", "dib,dataInputBytes", counts "input_bytes", size, "total input bytes"),
  hidden("data.input_records", "dir,dataInputRecords", counts "input_record_count", number,
    "total record count"),
  hidden("data.input_fields", "dif,dataInputFields", counts "input_field_count", number,
    "total field count"),
  hidden("data.invalid_dates", "did,dataInvalidDates", counts "invalid_date_count", number,
    "number of records with invalid dates"),
  hidden("data.missing_fields", "dmf,dataMissingFields", counts "missing_field_count", number,
    "number of records with missing fields"),
  hidden("data.out_of_order_timestamps", "doot,dataOutOfOrderTimestamps",
    counts "out_of_order_timestamp_count", number,
    "number of records handled out of order"),
  hidden("data.empty_buckets", "deb,dataEmptyBuckets", counts "empty_bucket_count", number,
    "number of empty buckets"),
  hidden("data.sparse_buckets", "dsb,dataSparseBuckets", counts "sparse_bucket_count", number,
    "number of sparse buckets"),
  hidden("data.buckets", "db,dataBuckets", counts "bucket_count", number, "total bucket count"),
  hidden("data.earliest_record", "der,dataEarliestRecord", counts "earliest_record_timestamp", instant,
    "earliest record time"),
  hidden("data.latest_record", "dlr,dataLatestRecord", counts "latest_record_timestamp", instant,
    "latest record time"),
  hidden("data.last", "dl,dataLast", counts "last_data_time", instant, "last time data was seen"),
  hidden("data.last_empty_bucket", "dleb,dataLastEmptyBucket",
    counts "latest_empty_bucket_timestamp", instant,
    "last time an empty bucket occurred"),
  hidden("data.last_sparse_bucket", "dlsb,dataLastSparseBucket",
    counts "latest_sparse_bucket_timestamp", instant,
    "last time a sparse bucket occurred"),
  shown("model.bytes", "mb,modelBytes", model "model_bytes", size, "model size"),
  shown("model.memory_status", "mms,modelMemoryStatus", model "memory_status", tostring,
    "current memory status"),
  hidden("model.bytes_exceeded", "mbe,modelBytesExceeded", model "model_bytes_exceeded", size,
    "how much the model has exceeded the limit"),
  hidden("model.memory_limit", "mml,modelMemoryLimit", model "model_bytes_memory_limit", size,
    "model memory limit"),
  hidden("model.by_fields", "mbf,modelByFields", model "total_by_field_count", number,
    "count of 'by' fields"),
  hidden("model.over_fields", "mof,modelOverFields", model "total_over_field_count", number,
    "count of 'over' fields"),
  hidden("model.partition_fields", "mpf,modelPartitionFields", model "total_partition_field_count", number,
    "count of 'partition' fields"),
  hidden("model.bucket_allocation_failures", "mbaf,modelBucketAllocationFailures",
    model "bucket_allocation_failures_count", number,
    "number of bucket allocation failures"),
  hidden("model.categorization_status", "mcs,modelCategorizationStatus",
    model "categorization_status", tostring,
    "current categorization status"),
  hidden("model.categorized_doc_count", "mcdc,modelCategorizedDocCount",
    model "categorized_doc_count", number,
    "count of categorized documents"),
  hidden("model.total_category_count", "mtcc,modelTotalCategoryCount", model "total_category_count", number,
    "count of categories"),
  hidden("model.frequent_category_count", "modelFrequentCategoryCount",
    model "frequent_category_count", number,
    "count of frequent categories"),
  hidden("model.rare_category_count", "mrcc,modelRareCategoryCount", model "rare_category_count", number,
    "count of rare categories"),
  hidden("model.dead_category_count", "mdcc,modelDeadCategoryCount", model "dead_category_count", number,
    "count of dead categories"),
  hidden("model.failed_category_count", "mfcc,modelFailedCategoryCount",
    model "failed_category_count", number,
    "count of failed categories"),
  hidden("model.log_time", "mlt,modelLogTime", model "log_time", instant,
    "when the model stats were gathered"),
  hidden("model.timestamp", "mt,modelTimestamp", model "timestamp", instant,
    "the time of the last record when the model stats were gathered"),
  shown("forecasts.total", "ft,forecastsTotal", { "forecasts_stats", "total" }, number,
    "total number of forecasts"),
}

-- Statistics of forecasts, of which there are none.
for name, write in pairs { memory = size, records = number, time = span } do
  for _, part in ipairs { "min", "max", "avg", "total" } do
    local letter = ("f%s%s"):format(name:sub(1, 1), part == "max" and "max" or part:sub(1, 3))
    JOB_COLUMNS[#JOB_COLUMNS + 1] = hidden(("forecasts.%s.%s"):format(name, part), letter,
      { "forecasts_stats", name, part }, write, ("%s of forecasts: %s"):format(name, part))
  end
end

local NODE = {
  hidden("node.id", "ni,nodeId", { "node", "id" }, tostring, "id of the assigned node"),
  hidden("node.name", "nn,nodeName", { "node", "name" }, tostring, "name of the assigned node"),
  hidden("node.ephemeral_id", "ne,nodeEphemeralId", { "node", "ephemeral_id" }, tostring,
    "ephemeral id of the assigned node"),
  hidden("node.address", "na,nodeAddress", { "node", "transport_address" }, tostring,
    "network address of the assigned node"),
}

local BUCKETS = {
  shown("buckets.count", "bc,bucketsCount", timing "bucket_count", number, "bucket count"),
  hidden("buckets.time.total", "btt,bucketsTimeTotal", timing "total_bucket_processing_time_ms", span,
    "total bucket processing time"),
  hidden("buckets.time.min", "btmin,bucketsTimeMin", timing "minimum_bucket_processing_time_ms", span,
    "minimum bucket processing time"),
  hidden("buckets.time.max", "btmax,bucketsTimeMax", timing "maximum_bucket_processing_time_ms", span,
    "maximum bucket processing time"),
  hidden("buckets.time.exp_avg", "btea,bucketsTimeExpAvg",
    timing "exponential_average_bucket_processing_time_ms", span,
    "exponential average bucket processing time"),
  hidden("buckets.time.exp_avg_hour", "bteah,bucketsTimeExpAvgHour",
    timing "exponential_average_bucket_processing_time_per_hour_ms", span,
    "exponential average bucket processing time per hour"),
}

table.move(NODE, 1, #NODE, #JOB_COLUMNS + 1, JOB_COLUMNS)
table.move(BUCKETS, 1, #BUCKETS, #JOB_COLUMNS + 1, JOB_COLUMNS)

local FEED_COLUMNS = {
  shown("id", "", { "datafeed_id" }, tostring, "the datafeed_id"),
  shown("state", "s", { "state" }, tostring, "the datafeed state"),
  hidden("assignment_explanation", "ae", { "assignment_explanation" }, tostring,
    "why the datafeed is or is not assigned to a node"),
  shown("buckets.count", "bc,bucketsCount", timing "bucket_count", number, "bucket count"),
  shown("search.count", "sc,searchCount", timing "search_count", number,
    "number of searches ran by the datafeed"),
  hidden("search.time", "st,searchTime", timing "total_search_time_ms", span, "the total search time"),
  hidden("search.bucket_avg", "sba,searchBucketAvg", timing "average_search_time_per_bucket_ms", span,
    "the average search time per bucket"),
  hidden("search.exp_avg_hour", "seah,searchExpAvgHour",
    timing "exponential_average_search_time_per_hour_ms", span,
    "the exponential average search time per hour"),
}
table.move(NODE, 1, #NODE, #FEED_COLUMNS + 1, FEED_COLUMNS)

return {
  --- Of the stats of a job.
  jobs = JOB_COLUMNS,
  --- Of the stats of a datafeed.
  datafeeds = FEED_COLUMNS,
}
