--- Routes: create, read, change and delete datafeeds (elastic-ml.md 2.4, 8.1 and 8.2).
-- @module blip.api.elastic.datafeeds
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local datafeed = require "blip.job.datafeed"
local feed_body = require "blip.api.elastic.feed_body"
local feed_config = require "blip.job.feed_config"
local feeds = require "blip.job.feeds"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local reply = require "blip.api.reply"

local ADMIN, LIST = "cluster:admin/xpack/ml/datafeeds/", "cluster:monitor/xpack/ml/datafeeds/get"

local routes = {}

paths.both(routes, "PUT /datafeeds/{datafeed_id}", ADMIN .. "put", function(request)
  local sent = feed_body.read(request, bodies.text(request))
  return reply.ok(feed_config.shown(feeds.create(feed_config.new(sent, request.params.datafeed_id))))
end)

local list_options = options.new(LIST, {
  allow_no_match = options.boolean, exclude_generated = options.boolean,
})

local function get(request)
  local wanted = list_options:read(request)
  local list = feeds.list(request.params.datafeed_id, wanted.allow_no_match)
  for i, feed in ipairs(list) do
    list[i] = wanted.exclude_generated and feed_config.exported(feed) or feed_config.shown(feed)
  end
  return answers.list("datafeeds", list)
end

paths.both(routes, "GET /datafeeds", LIST, get)
paths.both(routes, "GET /datafeeds/{datafeed_id}", LIST, get)

paths.both(routes, "POST /datafeeds/{datafeed_id}/_update", ADMIN .. "update", function(request)
  local sent = feed_body.read(request, bodies.text(request), true)
  assert(datafeed.check_stopped(feeds.get(request.params.datafeed_id), "update"))
  return reply.ok(feed_config.shown(feeds.update(request.params.datafeed_id, sent)))
end)

local delete_options = options.query { force = options.boolean, timeout = options.time_value }

paths.both(routes, "DELETE /datafeeds/{datafeed_id}", ADMIN .. "delete", function(request)
  local given = delete_options:read(request)
  local feed = feeds.get(request.params.datafeed_id)
  if not given.force then assert(datafeed.check_stopped(feed, "delete")) end
  assert(datafeed.delete(feed))
  return answers.acknowledged()
end)

return routes
