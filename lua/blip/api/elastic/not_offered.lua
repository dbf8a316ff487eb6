--- Routes of the dialect's other kinds of machine learning: data-frame analytics, trained models and the
-- structure of files. There are none of them: lists are empty, and making one is refused.
-- @module blip.api.elastic.not_offered
local answers = require "blip.api.elastic.answers"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"

local ADMIN, MONITOR = "cluster:admin/xpack/ml/", "cluster:monitor/xpack/ml/"

local routes = {}

local list_options = options.query {
  allow_no_match = options.boolean, exclude_generated = options.boolean, from = options.count,
  size = options.count, verbose = options.boolean, include = options.text, tags = options.text,
  decompress_definition = options.boolean,
}

local function is_literal(id)
  return id and id ~= "_all" and not id:find "[*,]"
end

-- Lists of a kind, of which there are none: `tails` are the paths behind that of the kind.
local function empty(path, tails, action, name, missing)
  local function list(request)
    local wanted, id = list_options:read(request), request.params.id
    if id and (is_literal(id) or wanted.allow_no_match == false) then refuse.missing(missing, id) end
    return answers.list(name, {})
  end
  for _, tail in ipairs(tails) do paths.both(routes, "GET " .. path .. tail, MONITOR .. action, list) end
end

local FRAMES, MODELS = "/data_frame/analytics", "/trained_models"
local NO_FRAME = "No known data frame analytics with id [%s]"
local NO_MODEL = "No known trained model with model_id [%s]"
local THEMSELVES, STATS = { "", "/{id}" }, { "/_stats", "/{id}/_stats" }

empty(FRAMES, THEMSELVES, "data_frame/analytics/get", "data_frame_analytics", NO_FRAME)
empty(FRAMES, STATS, "data_frame/analytics/stats/get", "data_frame_analytics", NO_FRAME)
empty(MODELS, THEMSELVES, "inference/get", "trained_model_configs", NO_MODEL)
empty(MODELS, STATS, "inference/stats/get", "trained_model_stats", NO_MODEL)

local REFUSED = {
  ["Data frame analytics are not supported"] = {
    ["PUT /data_frame/analytics/{id}"] = "data_frame/analytics/put",
    ["POST /data_frame/analytics/{id}/_update"] = "data_frame/analytics/update",
    ["POST /data_frame/analytics/{id}/_start"] = "data_frame/analytics/start",
    ["POST /data_frame/analytics/_explain"] = "data_frame/analytics/explain",
    ["POST /data_frame/analytics/_preview"] = "data_frame/analytics/preview",
    ["POST /data_frame/_evaluate"] = "data_frame/evaluate",
  },
  ["Trained models are not supported"] = {
    ["PUT /trained_models/{id}"] = "inference/put",
    ["POST /trained_models/{id}/_infer"] = "inference/infer",
    ["POST /trained_models/{id}/deployment/_start"] = "trained_models/deployment/start",
  },
  ["Finding the structure of files is not supported"] = {
    ["POST /find_file_structure"] = "find_file_structure",
  },
}

for text, list in pairs(REFUSED) do
  for route, action in pairs(list) do
    paths.both(routes, route, ADMIN .. action, function() refuse.status(400, text) end)
  end
end

return routes
