--- Routes: how jobs are doing (elastic-ml.md 7.6).
-- @module blip.api.elastic.stats
local answers = require "blip.api.elastic.answers"
local counts = require "blip.job.counts"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local registry = require "blip.job.registry"
local size = require "blip.job.size"
local stats = require "blip.job.stats"

local routes = {}

local ACTION = "cluster:monitor/xpack/ml/job/stats/get"

local wanted = options.new(ACTION, { job_id = options.text, allow_no_match = options.boolean })

local function get(request)
  local given = wanted:read(request)
  local list = stats.list(registry.list(request.params.job_id, given.allow_no_match))
  for _, one in ipairs(list) do
    one.data_counts = answers.human(request, one.data_counts, counts.TIMES)
    one.model_size_stats = answers.human(request, one.model_size_stats, size.TIMES)
  end
  return answers.list("jobs", list)
end

paths.both(routes, "GET /anomaly_detectors/_stats", ACTION, get)
paths.both(routes, "GET /anomaly_detectors/{job_id}/_stats", ACTION, get)

return routes
