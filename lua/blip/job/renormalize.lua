--- Scores stored results anew when what counts as strange for a job has changed: those of the last
-- while, from their stored probabilities; what they were scored first stays (elastic-model.md 11).
-- @module blip.job.renormalize
local bucket = require "blip.result.bucket"
local config = require "blip.job.config"
local engine = require "runtime.job"
local influencer = require "blip.result.influencer"
local job_index = require "blip.result.job_index"
local job_search = require "blip.result.job_search"
local job_write = require "blip.result.job_write"
local json = require "runtime.json"
local record = require "blip.result.record"
local view = require "blip.result.view"

local renormalize = {}

local PAGE = 2000

-- The score that a stored one is to become, or nil. What a client has put there may name what the
-- job does not have, or lack a number; such a result stays as it is.
local function moved_score(live, level, where, probability, stored)
  if type(probability) ~= "number" or type(stored) ~= "number" then return nil end
  local now = live:rescore(level, where, probability)
  return now and engine.score_moved(stored, now) and now or nil
end

-- The number of a detector that has a partition field, counted from 0; -1 when none has.
local function detector_of(job, field)
  for i, detector in ipairs(job.analysis_config.detectors) do
    if field and detector.partition_field_name == field then return i - 1 end
  end
  return -1
end

local function score_partitions(live, job, document)
  local moved = false
  for _, one in ipairs(document.partition_scores or {}) do
    local now = moved_score(live, "partition", {
      detector_index = detector_of(job, one.partition_field_name),
      partition = one.partition_field_value,
    }, one.probability, one.record_score)
    if now then one.record_score, moved = now, true end
  end
  return moved
end

-- The largest score of a bucket's influencers is the bucket's own.
local function score_bucket(live, document, job)
  local moved, largest = false, 0.0
  for _, one in ipairs(document.bucket_influencers) do
    local of_time = one.influencer_field_name == "bucket_time"
    local now = moved_score(live, of_time and "bucket_time" or "bucket_influencer",
      { field = not of_time and one.influencer_field_name or nil }, one.probability, one.anomaly_score)
    if now then one.anomaly_score, moved = now, true end
    if type(one.anomaly_score) == "number" then largest = math.max(largest, one.anomaly_score) end
  end
  document.anomaly_score = moved and largest or document.anomaly_score
  return score_partitions(live, job, document) or moved
end

local function score_record(live, document)
  local now = moved_score(live, "record", {
    detector_index = document.detector_index, partition = document.partition_field_value,
    person = document.over_field_value or document.by_field_value,
  }, document.probability, document.record_score)
  document.record_score = now or document.record_score
  return now ~= nil
end

local function score_influencer(live, document)
  local now = moved_score(live, "influencer", {
    field = document.influencer_field_name, value = document.influencer_field_value,
  }, document.probability, document.influencer_score)
  document.influencer_score = now or document.influencer_score
  return now ~= nil
end

local KINDS = {
  bucket = { score = score_bucket, show = bucket.show, initial = "initial_anomaly_score" },
  record = { score = score_record, show = record.show, initial = "initial_record_score" },
  influencer = { score = score_influencer, show = influencer.show, initial = "initial_influencer_score" },
}

local function is_scored(document)
  local parts = document.bucket_influencers
  if document.result_type ~= "bucket" then return type(document.probability) == "number" end
  if type(parts) ~= "table" then return false end
  for _, list in ipairs { parts, document.partition_scores } do
    for _, one in ipairs(list) do
      if type(one) ~= "table" then return false end
    end
  end
  return true
end

local function query_of(job, from_ms)
  local scored = {}
  for _, kind in pairs(KINDS) do scored[#scored + 1] = { range = { [kind.initial] = { gt = 0 } } } end
  return { bool = {
    filter = json.array {
      { term = { job_id = job.job_id } }, { range = { timestamp = { gte = from_ms } } },
      { bool = { should = json.array(scored) } },
    },
    must_not = json.array { { term = { is_interim = true } } },
  } }
end

-- Calls `visit(id, document)` for every result since a moment.
local function each_result(job, from_ms, visit)
  local after
  repeat
    local answer, err = job_search.run(job, {
      query = query_of(job, from_ms), size = PAGE, sort = json.array { { timestamp = "asc" }, "_doc" },
      search_after = after,
    })
    if not answer then return nil, err end
    local hits = json.plain(answer.hits).hits
    for _, hit in ipairs(hits) do visit(hit._id, json.plain(hit._source)) end
    after = #hits == PAGE and hits[#hits].sort or nil
  until not after
  return true
end

--- Scores a job's stored results anew, in the open transaction.
-- @param c connection
-- @tparam table job its configuration
-- @param live its models
-- @treturn integer how many changed; or nil and an error
function renormalize.run(c, job, live)
  local window_ms, position_ms = config.renormalization_window_ms(job), live:position_ms()
  if window_ms == 0 or not position_ms then return 0 end
  local lines = {}
  local ok, err = each_result(job, position_ms - window_ms, function(id, document)
    local kind = KINDS[document.result_type]
    if not kind or not is_scored(document) or not kind.score(live, document, job) then return end
    document.timestamp = view.time(document.timestamp)
    local with_partitions = document.partition_scores ~= nil
    lines[#lines + 1] = job_write.line(id, kind.show(document, with_partitions))
  end)
  if ok then ok, err = job_write.lines(c, job_index.name(job), table.concat(lines)) end
  if not ok then return nil, err end
  return #lines
end

return renormalize
