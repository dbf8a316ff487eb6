--- The mappings of what a job keeps: results, annotations, notifications (elastic-ml.md 5).
-- @module blip.result.job_fields
local fields = require "blip.result.fields"

local job_fields = {}

local KEYWORD, BOOLEAN, UNREAD, nested = fields.KEYWORD, fields.BOOLEAN, fields.UNREAD, fields.nested
local DOUBLE, LONG, INTEGER = { type = "double" }, { type = "long" }, fields.INTEGER
local DATE = { type = "date", format = "strict_date_optional_time||epoch_millis" }
local TEXT = { type = "text" }

-- What names a series: by, over and partition field with their values.
local SERIES = {
  field_name = KEYWORD,
  by_field_name = KEYWORD, by_field_value = KEYWORD, correlated_by_field_value = KEYWORD,
  over_field_name = KEYWORD, over_field_value = KEYWORD,
  partition_field_name = KEYWORD, partition_field_value = KEYWORD,
}

local GROUPS = {
  common = {
    job_id = KEYWORD, result_type = KEYWORD, timestamp = DATE, bucket_span = LONG, is_interim = BOOLEAN,
    sequence_num = INTEGER,
  },
  series = SERIES,
  bucket = {
    anomaly_score = DOUBLE, initial_anomaly_score = DOUBLE, raw_anomaly_score = DOUBLE, event_count = LONG,
    processing_time_ms = LONG, scheduled_events = KEYWORD, partition_scores = UNREAD,
    bucket_influencers = nested {
      job_id = KEYWORD, result_type = KEYWORD, timestamp = DATE, bucket_span = LONG, is_interim = BOOLEAN,
      influencer_field_name = KEYWORD, initial_anomaly_score = DOUBLE, anomaly_score = DOUBLE,
      raw_anomaly_score = DOUBLE, probability = DOUBLE,
    },
  },
  record = {
    probability = DOUBLE, multi_bucket_impact = DOUBLE, record_score = DOUBLE, initial_record_score = DOUBLE,
    detector_index = INTEGER, ["function"] = KEYWORD, function_description = KEYWORD,
    typical = DOUBLE, actual = DOUBLE, causes = UNREAD, anomaly_score_explanation = UNREAD,
    geo_results = UNREAD,
    influencers = nested { influencer_field_name = KEYWORD, influencer_field_values = KEYWORD },
  },
  influencer = {
    influencer_field_name = KEYWORD, influencer_field_value = KEYWORD, influencer_score = DOUBLE,
    initial_influencer_score = DOUBLE,
  },
  category = {
    category_id = LONG, terms = TEXT, regex = KEYWORD, max_matching_length = LONG, examples = TEXT,
    num_matches = LONG, preferred_to_categories = LONG, mlcategory = KEYWORD,
  },
  model_plot = {
    model_feature = KEYWORD, model_lower = DOUBLE, model_upper = DOUBLE, model_median = DOUBLE,
  },
  model_size_stats = {
    model_bytes = LONG, peak_model_bytes = LONG, model_bytes_exceeded = LONG, model_bytes_memory_limit = LONG,
    total_by_field_count = LONG, total_over_field_count = LONG, total_partition_field_count = LONG,
    bucket_allocation_failures_count = LONG, memory_status = KEYWORD, assignment_memory_basis = KEYWORD,
    categorized_doc_count = LONG, total_category_count = LONG, frequent_category_count = LONG,
    rare_category_count = LONG, dead_category_count = LONG, failed_category_count = LONG,
    categorization_status = KEYWORD, log_time = DATE,
  },
  data_counts = {
    processed_record_count = LONG, processed_field_count = LONG, input_bytes = LONG, input_field_count = LONG,
    invalid_date_count = LONG, missing_field_count = LONG, out_of_order_timestamp_count = LONG,
    empty_bucket_count = LONG, sparse_bucket_count = LONG, bucket_count = LONG,
    earliest_record_timestamp = DATE, latest_record_timestamp = DATE, last_data_time = DATE,
    latest_empty_bucket_timestamp = DATE, latest_sparse_bucket_timestamp = DATE, input_record_count = LONG,
    latest_bucket_timestamp = DATE,
  },
  timing_stats = {
    total_bucket_processing_time_ms = DOUBLE, minimum_bucket_processing_time_ms = DOUBLE,
    maximum_bucket_processing_time_ms = DOUBLE, average_bucket_processing_time_ms = DOUBLE,
    exponential_average_bucket_processing_time_ms = DOUBLE,
    exponential_average_bucket_processing_time_per_hour_ms = DOUBLE,
    search_count = LONG, total_search_time_ms = DOUBLE,
  },
  snapshot = {
    snapshot_id = KEYWORD, snapshot_doc_count = INTEGER, min_version = KEYWORD, description = TEXT,
    retain = BOOLEAN, latest_record_time_stamp = DATE, latest_result_time_stamp = DATE,
    quantiles = UNREAD, model_size_stats = UNREAD,
  },
}

local function merged(groups)
  local all = {}
  for _, group in pairs(groups) do
    for name, definition in pairs(group) do all[name] = definition end
  end
  return all
end

--- Fields of the documents in a results index. A field of the data that has one of these names is
-- not copied into results under it (5.9).
job_fields.RESULT = merged(GROUPS)

--- Fields of annotations.
job_fields.ANNOTATION = merged { SERIES, {
  annotation = TEXT, create_time = DATE, create_username = KEYWORD, timestamp = DATE, end_timestamp = DATE,
  job_id = KEYWORD, modified_time = DATE, modified_username = KEYWORD, type = KEYWORD, event = KEYWORD,
  detector_index = INTEGER,
} }

--- Fields of notifications.
job_fields.NOTIFICATION = {
  job_id = KEYWORD, level = KEYWORD, message = { type = "text", fields = { raw = KEYWORD } },
  timestamp = DATE, node_name = KEYWORD, job_type = KEYWORD,
}

--- Fields of a model snapshot's and quantiles' documents in the state index; nothing searches them.
job_fields.STATE = {}

return job_fields
