--- Buckets and their influencers as the dialect shows them (elastic-ml.md 5.1, 5.2).
-- @module blip.result.bucket
local json = require "runtime.json"
local view = require "blip.result.view"

local bucket = {}

local ORDER = {
  "job_id", "timestamp", "anomaly_score", "bucket_span", "initial_anomaly_score", "records", "event_count",
  "is_interim", "bucket_influencers", "processing_time_ms", "partition_scores", "scheduled_events",
  "result_type",
}
local INFLUENCER_ORDER = {
  "job_id", "result_type", "influencer_field_name", "initial_anomaly_score", "anomaly_score",
  "raw_anomaly_score", "probability", "timestamp", "bucket_span", "is_interim",
}
local ZEROS = { anomaly_score = 0.0, initial_anomaly_score = 0.0, event_count = 0, processing_time_ms = 0 }
local INFLUENCER_ZEROS = {
  initial_anomaly_score = 0.0, anomaly_score = 0.0, raw_anomaly_score = 0.0, probability = 0.0,
}

local function influencer(document, of)
  view.common(document, "bucket_influencer")
  document.job_id = document.job_id or of.job_id
  document.timestamp = document.timestamp or of.timestamp
  return json.ordered(view.fill(document, INFLUENCER_ZEROS), INFLUENCER_ORDER)
end

--- A stored bucket, shown.
-- @tparam table document changed in place
-- @tparam[opt] boolean legacy on the old prefix, where buckets have partition scores
function bucket.show(document, legacy)
  view.fill(view.common(document, "bucket"), ZEROS)
  local list = {}
  for i, one in ipairs(document.bucket_influencers or {}) do list[i] = influencer(one, document) end
  document.bucket_influencers = json.array(list)
  local events = document.scheduled_events
  if events and #events == 0 then document.scheduled_events = nil end
  document.partition_scores = legacy and json.array(document.partition_scores or {}) or nil
  return json.ordered(document, ORDER)
end

return bucket
