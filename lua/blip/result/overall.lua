--- Overall buckets: how strange an interval was over several jobs; worked out when asked for
-- (elastic-ml.md 6.4).
--
--     buckets ─▶ per interval S and job the largest score ─▶ mean of the top n ─▶ largest per window
-- @module blip.result.overall
local aggregate = require "blip.query.aggregate"
local dsl = require "blip.query.dsl"
local filter = require "blip.query.filter"
local job_index = require "blip.result.job_index"
local json = require "runtime.json"
local source = require "blip.source.store"

local overall = {}

local ORDER = { "timestamp", "bucket_span", "overall_score", "jobs", "is_interim", "result_type" }
local JOB_ORDER = { "job_id", "max_anomaly_score" }

local function filter_of(jobs, wanted)
  local ids = {}
  for i, job in ipairs(jobs) do ids[i] = job.job_id end
  local query = { filter = json.array {
    { terms = { job_id = json.array(ids) } }, { term = { result_type = "bucket" } },
  } }
  if wanted.exclude_interim then query.must_not = json.array { { term = { is_interim = true } } } end
  return dsl.query { bool = query }
end

local function indices_of(jobs)
  local list, seen = {}, {}
  for _, job in ipairs(jobs) do
    local name = job_index.name(job)
    if not seen[name] and #assert(job_index.resolve(job)) > 0 then list[#list + 1] = name end
    seen[name] = true
  end
  return list
end

-- One row per interval and job: `time`, `job_id`, `score`, `interim`; in the order of times and ids.
local function scan(jobs, wanted, indices)
  local where, err = filter_of(jobs, wanted)
  if not where then return nil, err end
  local span_ms = wanted.longest_ms
  return source.scan {
    indices = indices, filter = where, interval_ms = span_ms, category = { "job_id" },
    time = {
      field = "timestamp",
      from = wanted.start and -(-wanted.start // span_ms) * span_ms, -- up to a multiple
      to = wanted["end"] and wanted["end"] // span_ms * span_ms,
    },
    features = {
      { name = "score", expr = aggregate.max "anomaly_score" },
      { name = "interim", expr = aggregate.count(filter.term("is_interim", true)) },
    },
  }
end

-- The intervals of a scan: `time`, `interim`, `jobs` with their scores.
local function intervals(frame)
  local list, last = {}, nil
  for i = 1, #frame do
    local row = frame:row(i)
    if not last or last.time ~= row.time then
      last = { time = row.time, jobs = {}, interim = false }
      list[#list + 1] = last
    end
    last.interim = last.interim or row.interim > 0
    last.jobs[#last.jobs + 1] = { job_id = row.job_id, score = row.score or 0.0 }
  end
  return list
end

-- The mean of the `count` largest scores of an interval.
local function mean_of_top(jobs, count)
  local scores = {}
  for i, job in ipairs(jobs) do scores[i] = job.score end
  table.sort(scores, function(a, b) return a > b end)
  local used, sum = math.min(count, #scores), 0
  for i = 1, used do sum = sum + scores[i] end
  return sum / used
end

local function merge_jobs(into, jobs)
  for _, job in ipairs(jobs) do
    into[job.job_id] = math.max(into[job.job_id] or job.score, job.score)
  end
end

-- Joins intervals into windows of the wanted span.
local function windows(list, wanted)
  local joined, last = {}, nil
  for _, one in ipairs(list) do
    local time = one.time // wanted.span_ms * wanted.span_ms
    if not last or last.time ~= time then
      last = { time = time, interim = false, score = 0.0, jobs = {} }
      joined[#joined + 1] = last
    end
    last.score = math.max(last.score, mean_of_top(one.jobs, wanted.top_n))
    last.interim = last.interim or one.interim
    merge_jobs(last.jobs, one.jobs)
  end
  return joined
end

local function show_jobs(scores)
  local ids, list = {}, {}
  for id in pairs(scores) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    list[i] = json.ordered({ job_id = id, max_anomaly_score = scores[id] }, JOB_ORDER)
  end
  return json.array(list)
end

local function show(window, span_ms)
  return json.ordered({
    timestamp = window.time, bucket_span = span_ms // 1000, overall_score = window.score,
    jobs = show_jobs(window.jobs), is_interim = window.interim, result_type = "overall_bucket",
  }, ORDER)
end

--- The overall buckets of some jobs.
-- @tparam table jobs their configurations
-- @tparam table wanted
--   `top_n`; `span_ms` of a bucket, at least `longest_ms`, the longest bucket span of the jobs;
--   by choice `overall_score` (at least), `exclude_interim`, `start` and `end` in milliseconds
-- @treturn table what the dialect shows, in the order of time; or nil and an error
function overall.buckets(jobs, wanted)
  local indices = indices_of(jobs)
  if #indices == 0 then return json.array {} end
  local frame, err = scan(jobs, wanted, indices)
  if not frame then return nil, err end
  local list = {}
  for _, window in ipairs(windows(intervals(frame), wanted)) do
    if window.score >= (wanted.overall_score or 0) then list[#list + 1] = show(window, wanted.span_ms) end
  end
  frame:close()
  return json.array(list)
end

return overall
