--- Routes: filters (elastic-ml.md 2.5 and 9.2).
-- @module blip.api.elastic.filters
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local filter = require "blip.job.filter"
local ids = require "blip.job.ids"
local object = require "blip.api.elastic.object"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local reply = require "blip.api.reply"

local ADMIN = "cluster:admin/xpack/ml/filters/"

local routes = {}

local texts = object.list(object.text)
local filter_body = object.new("ml_filter", {
  filter_id = object.text, description = object.text, items = texts,
})
local update_body = object.new("update_filter", {
  filter_id = object.text, description = object.text, add_items = texts, remove_items = texts,
})

-- A body about the filter that the path names.
local function read(request, parser)
  request:allow {}
  local id = request.params.filter_id
  local sent = parser:parse(bodies.text(request))
  ids.check_same("filter_id", sent.filter_id, id)
  sent.filter_id = id
  return sent
end

paths.both(routes, "PUT /filters/{filter_id}", ADMIN .. "put", function(request)
  return reply.ok(filter.put(read(request, filter_body)))
end)

paths.both(routes, "POST /filters/{filter_id}/_update", ADMIN .. "update", function(request)
  return reply.ok(filter.update(request.params.filter_id, read(request, update_body)))
end)

local list_options = options.new(ADMIN .. "get", { from = options.count, size = options.count })

local function get(request)
  local wanted = list_options:read(request)
  local list = filter.list(request.params.filter_id)
  return answers.list("filters", answers.page(list, wanted.from, wanted.size), #list)
end

paths.both(routes, "GET /filters", ADMIN .. "get", get)
paths.both(routes, "GET /filters/{filter_id}", ADMIN .. "get", get)

paths.both(routes, "DELETE /filters/{filter_id}", ADMIN .. "delete", function(request)
  request:allow {}
  filter.delete(request.params.filter_id)
  return answers.acknowledged()
end)

return routes
