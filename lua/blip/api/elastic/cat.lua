--- Routes: jobs and datafeeds as tables (elastic-ml.md 7.12).
-- @module blip.api.elastic.cat
local columns_of = require "blip.api.elastic.cat_columns"
local feed_stats = require "blip.job.feed_stats"
local feeds = require "blip.job.feeds"
local needs = require "blip.api.needs"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local registry = require "blip.job.registry"
local stats = require "blip.job.stats"
local text_table = require "blip.api.text_table"

local routes = {}

local function at(object, path)
  for _, name in ipairs(path) do
    object = type(object) == "table" and object[name] or nil
  end
  return object
end

local function row(columns, object, query)
  local cells = {}
  for _, column in ipairs(columns) do
    local value = at(object, column.path)
    if value ~= nil then cells[column[1]] = column.write(value, query) end
  end
  return cells
end

local readers = { allow_no_match = options.boolean }
for _, name in ipairs(text_table.PARAMETERS) do readers[name] = options.text end
local wanted = options.query(readers)

local function answer(request, columns, list)
  if request:flag "help" then return text_table.help(columns) end
  local given, rows = wanted:read(request), {}
  for i, object in ipairs(list(given.allow_no_match)) do rows[i] = row(columns, object, request.query) end
  return text_table.answer(request, columns, rows)
end

local function cat_jobs(request)
  return answer(request, columns_of.jobs, function(allow_no_match)
    return stats.list(registry.list(request.params.job_id, allow_no_match))
  end)
end

local function cat_feeds(request)
  return answer(request, columns_of.datafeeds, function(allow_no_match)
    local list = feeds.list(request.params.datafeed_id, allow_no_match)
    for i, feed in ipairs(list) do list[i] = feed_stats.of(feed) end
    return list
  end)
end

local JOBS = needs("cluster:monitor/xpack/ml/job/stats/get", paths.warned(cat_jobs))
local FEEDS = needs("cluster:monitor/xpack/ml/datafeeds/stats/get", paths.warned(cat_feeds))

routes["GET /_cat/ml/anomaly_detectors"] = JOBS
routes["GET /_cat/ml/anomaly_detectors/{job_id}"] = JOBS
routes["GET /_cat/ml/datafeeds"] = FEEDS
routes["GET /_cat/ml/datafeeds/{datafeed_id}"] = FEEDS

return routes
