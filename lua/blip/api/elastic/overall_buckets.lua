--- Route: how strange intervals were over several jobs (elastic-ml.md 6.4).
-- @module blip.api.elastic.overall_buckets
local answers = require "blip.api.elastic.answers"
local config = require "blip.job.config"
local index_names = require "blip.index.names"
local options = require "blip.api.elastic.options"
local overall = require "blip.result.overall"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local times = require "blip.api.elastic.times"

local routes = {}

local ACTION = "cluster:monitor/xpack/ml/job/results/overall_buckets/get"
local MOST = 10000

local wanted = options.new(ACTION, {
  job_id = options.text, top_n = options.integer, bucket_span = options.time_value,
  overall_score = options.number, exclude_interim = options.boolean, allow_no_match = options.boolean,
  start = options.text, ["end"] = options.text,
})

-- The longest bucket span of some jobs, as milliseconds and as it was written.
local function longest_span(jobs)
  local longest, text = 0, nil
  for _, job in ipairs(jobs) do
    local span = config.bucket_span_ms(job)
    if span > longest then longest, text = span, job.analysis_config.bucket_span end
  end
  return longest, text
end

local function check_span(given, longest, text)
  if not given.bucket_span then return longest end
  if given.bucket_span.ms < longest then
    refuse.argument("Param [bucket_span] must be greater or equal to the max bucket_span [%s]", text)
  end
  return given.bucket_span.ms
end

local function read(request)
  local given = wanted:read(request)
  given.top_n = given.top_n or 1
  if given.top_n <= 0 then
    refuse.argument("[topN] parameter must be positive, found [%d]", given.top_n)
  end
  for _, name in ipairs { "start", "end" } do
    given[name] = given[name] and times.math(given[name], name)
  end
  return given
end

-- The expression of the path may name groups and patterns: each job's results must be readable.
local function check_readable(jobs)
  for _, job in ipairs(jobs) do
    assert(index_names.permit(".ml-anomalies-" .. job.job_id, "indices:data/read/search"))
  end
end

local function get(request)
  local given = read(request)
  local jobs = registry.list(request.params.job_id, given.allow_no_match)
  check_readable(jobs)
  if #jobs == 0 then return answers.list("overall_buckets", {}) end
  local text
  given.longest_ms, text = longest_span(jobs)
  given.span_ms = check_span(given, given.longest_ms, text)
  local list = assert(overall.buckets(jobs, given))
  if #list > MOST then
    refuse.argument("Unable to return more than [%d] results; please use parameters [start] and [end] to "
      .. "limit the time range", MOST)
  end
  return answers.list("overall_buckets", list)
end

paths.read(routes, "/anomaly_detectors/{job_id}/results/overall_buckets", ACTION, get,
  { read = ".ml-anomalies-{job_id}" })

return routes
