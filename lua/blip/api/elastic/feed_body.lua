--- Readers of the bodies that describe datafeeds (elastic-ml.md 8.1).
-- What they return is what @{blip.job.feed_config} takes.
-- @module blip.api.elastic.feed_body
local aggregation = require "blip.query.aggregation"
local dsl = require "blip.query.dsl"
local object = require "blip.api.elastic.object"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"

local text, boolean, integer = object.text, object.boolean, object.integer

local FROZEN = "[ignore_throttled] parameter is deprecated because frozen indices have been deprecated. "
  .. "Consider cold or frozen tiers in place of frozen indices."
local WILDCARDS = { "open", "closed", "hidden", "none", "all" }

local feed_body = {}

-- A query must be one that the server can read, and is kept as it was written.
local function query(reader, name, parser)
  local tree = object.any(reader, name, parser)
  assert(dsl.query(tree))
  return tree
end

local function aggregations(reader, name, parser)
  local tree = object.any(reader, name, parser)
  assert(aggregation.read(tree))
  return tree
end

local chunking = object.new("chunking_config", {
  mode = object.word { "auto", "manual", "off" },
  time_span = text,
}, { required = { "mode" } })

local delayed_data = object.new("delayed_data_check_config", {
  enabled = boolean,
  check_window = text,
}, { required = { "enabled" } })

local indices_options = object.new("indices_options", {
  expand_wildcards = object.list(object.word(WILDCARDS)),
  ignore_unavailable = boolean,
  allow_no_indices = boolean,
  ignore_throttled = boolean,
})

local FIELDS = {
  datafeed_id = text,
  job_id = text,
  indices = object.list(text),
  indexes = object.list(text),
  query = query,
  aggregations = aggregations,
  aggs = aggregations,
  script_fields = object.any,
  runtime_mappings = object.any,
  scroll_size = integer,
  frequency = text,
  query_delay = text,
  chunking_config = object.nested(chunking),
  delayed_data_check_config = object.nested(delayed_data),
  max_empty_searches = integer,
  indices_options = object.nested(indices_options),
}

--- A datafeed, as `object.nested` takes it.
feed_body.parser = object.new("datafeed_config", FIELDS)
local update_parser = object.new("datafeed_update", FIELDS)

--- Settles which of two names a body used for one thing.
-- @tparam table sent changed in place
function feed_body.settle(sent)
  if sent.aggs and sent.aggregations then
    refuse.argument "Found two aggregation definitions: [aggs] and [aggregations]"
  end
  sent.aggregations, sent.aggs = sent.aggregations or sent.aggs, nil
  sent.indices, sent.indexes = sent.indices or sent.indexes, nil
  return sent
end

local function words(value)
  local list = {}
  for word in value:gmatch "[^,]+" do list[#list + 1] = word end
  return list
end

local query_options = options.query {
  expand_wildcards = words, ignore_unavailable = options.boolean, allow_no_indices = options.boolean,
  ignore_throttled = options.boolean,
}

--- The options about indices of a request's query string, which no body can say.
-- @treturn table name to value
function feed_body.indices_options(request)
  return query_options:read(request)
end

--- Reads the body of a request about a datafeed, and the options about indices in its query.
-- @tparam table request
-- @tparam string body
-- @tparam[opt] boolean is_update
-- @treturn table; raises the dialect's error
function feed_body.read(request, body, is_update)
  local sent = feed_body.settle((is_update and update_parser or feed_body.parser):parse(body))
  local chosen = feed_body.indices_options(request)
  if next(chosen) ~= nil then
    sent.indices_options = sent.indices_options or {}
    for name, value in pairs(chosen) do sent.indices_options[name] = value end
  end
  feed_body.warn(request, sent)
  return sent
end

--- Warns of an option that is deprecated.
function feed_body.warn(request, sent)
  local chosen = sent.indices_options
  if chosen and chosen.ignore_throttled ~= nil then paths.warn(request, FROZEN) end
end

return feed_body
