--- Routes that judge a job without making one (elastic-ml.md 7.8).
-- @module blip.api.elastic.validate
local analysis = require "blip.job.analysis"
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local config = require "blip.job.config"
local detector = require "blip.job.detector"
local job_body = require "blip.api.elastic.job_body"
local memory = require "blip.job.memory"
local object = require "blip.api.elastic.object"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local reply = require "blip.api.reply"

local JOBS, ADMIN = "POST /anomaly_detectors/", "cluster:admin/xpack/ml/job/"

local routes = {}

paths.both(routes, JOBS .. "_validate", ADMIN .. "validate", function(request)
  request:allow {}
  config.new(job_body.read_strictly(bodies.text(request)), {})
  return answers.acknowledged()
end)

paths.both(routes, JOBS .. "_validate/detector", ADMIN .. "validate/detector", function(request)
  request:allow {}
  detector.normal(job_body.detector:parse(bodies.text(request)), 0)
  return answers.acknowledged()
end)

local cardinalities = object.map(object.double)
local estimate_body = object.new("estimate_model_memory", {
  analysis_config = object.nested(job_body.analysis),
  overall_cardinality = cardinalities,
  max_bucket_cardinality = cardinalities,
})

local function estimate(request)
  request:allow {}
  local sent = estimate_body:parse(bodies.text(request))
  if not sent.analysis_config then refuse.request "[analysis_config] was not specified" end
  local needed = memory.estimate_mb(analysis.normal(sent.analysis_config), sent.overall_cardinality or {},
    sent.max_bucket_cardinality or {})
  return reply.ok { model_memory_estimate = ("%.0fmb"):format(needed) }
end

paths.both(routes, JOBS .. "_estimate_model_memory", ADMIN .. "estimate_model_memory", estimate)

return routes
