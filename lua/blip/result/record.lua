--- Anomaly records as the dialect shows them (elastic-ml.md 5.4, 5.5).
-- @module blip.result.record
local json = require "runtime.json"
local view = require "blip.result.view"

local record = {}

local ORDER = {
  "job_id", "result_type", "probability", "multi_bucket_impact", "record_score", "initial_record_score",
  "bucket_span", "detector_index", "sequence_num", "is_interim", "timestamp", "by_field_name",
  "by_field_value", "correlated_by_field_value", "partition_field_name", "partition_field_value", "function",
  "function_description", "typical", "actual", "field_name", "over_field_name", "over_field_value", "causes",
  "influencers", "geo_results", "anomaly_score_explanation",
}
local CAUSE_ORDER = {
  "probability", "by_field_name", "by_field_value", "correlated_by_field_value", "partition_field_name",
  "partition_field_value", "function", "function_description", "typical", "actual", "geo_results",
  "influencers", "field_name", "over_field_name", "over_field_value",
}
local INFLUENCE_ORDER = { "influencer_field_name", "influencer_field_values" }
local EXPLANATION_ORDER = {
  "anomaly_type", "anomaly_length", "single_bucket_impact", "multi_bucket_impact",
  "anomaly_characteristics_impact", "lower_confidence_bound", "typical_value", "upper_confidence_bound",
  "high_variance_penalty", "incomplete_bucket_penalty",
}
local ZEROS = { probability = 0.0, record_score = 0.0, initial_record_score = 0.0, detector_index = 0 }

local function order_each(list, order)
  for _, one in ipairs(list or {}) do json.ordered(one, order) end
end

--- A stored record, shown.
-- @tparam table document changed in place
function record.show(document)
  view.fill(view.common(document, "record"), ZEROS)
  order_each(document.causes, CAUSE_ORDER)
  order_each(document.influencers, INFLUENCE_ORDER)
  if document.anomaly_score_explanation then
    json.ordered(document.anomaly_score_explanation, EXPLANATION_ORDER)
  end
  return json.ordered(document, ORDER)
end

return record
