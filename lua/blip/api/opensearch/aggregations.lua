--- Aggregations in the form in which a detector stores them, and which of them make a feature
-- (opensearch-ad.md 5.1).
--     {"p":{"percentiles":{"field":"ms"}}}
--       -->  {"p":{"percentiles":{"field":"ms","percents":[1.0,...],"keyed":true,
--                                 "tdigest":{"compression":100.0}}}}
-- @module blip.api.opensearch.aggregations
local json = require "runtime.json"
local canonical = require "blip.api.opensearch.canonical"
local dsl = require "blip.query.dsl"
local metrics = require "blip.query.metric"
local problem = require "blip.query.problem"
local refuse = require "blip.api.opensearch.refuse"
local tokens = require "blip.api.opensearch.tokens"

local PERCENTS = { 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0 }
local SUGGESTIBLE = {}

local aggregations = {}

local function doubles(values)
  if not json.is_array(values) then
    values = { values }
  end
  local list = {}
  for i, value in ipairs(values) do
    list[i] = canonical.double(value)
  end
  return json.array(list)
end

-- A script sent as text means its source.
local function script(sent)
  if type(sent) ~= "table" then
    sent = { source = tostring(sent) }
  end
  local lang = { "lang", sent.id == nil and "painless" or nil }
  return canonical.options(sent, { "source", "id", lang, "options", "params" })
end

local function compression(sent)
  return canonical.options(sent, { { "compression", 100.0, canonical.double } })
end

local function body_of(options)
  return function(body)
    return canonical.options(body, options)
  end
end

-- A metric over one field or script, with options of its own behind the common ones.
local function metric(...)
  return body_of { "field", "missing", { "script", nil, script }, "format", "value_type", ... }
end

local WEIGHT = { "field", "missing", { "script", nil, script } }

local function weight(sent)
  return canonical.options(sent, WEIGHT)
end

-- The single numbers that a feature can be.
local METRICS = {
  avg = metric(),
  sum = metric(),
  min = metric(),
  max = metric(),
  value_count = metric(),
  cardinality = metric "precision_threshold",
  median_absolute_deviation = metric { "compression", 1000.0, canonical.double },
  percentiles = metric(
    { "percents", doubles(PERCENTS), doubles },
    { "keyed", true },
    { "tdigest", { compression = 100.0 }, compression }
  ),
  weighted_avg = body_of { { "weight", nil, weight }, { "value", nil, weight }, "format", "value_type" },
}
-- The query of a filter aggregation, read as the search routes do.
local function filter(body)
  local node, err = dsl.query(body)
  if not node then
    error(err, 0)
  end
  return canonical.query(body)
end

-- One bucket around a single number.
local WRAPPERS = {
  filter = filter,
  missing = body_of { "field" },
  nested = body_of { "path" },
  reverse_nested = body_of { "path" },
  global = body_of {},
  sampler = body_of { { "shard_size", 100 } },
}
-- What exists, but is not one number: refused when the feature is tried.
local OTHERS = {}
for name in
  ([[adjacency_matrix auto_date_histogram children composite date_histogram date_range diversified_sampler
  extended_stats filters geo_bounds geo_centroid geo_distance geohash_grid geotile_grid histogram ip_range
  matrix_stats multi_terms parent percentile_ranks range rare_terms scripted_metric significant_terms
  significant_text stats terms top_hits variable_width_histogram]]):gmatch "%S+"
do
  OTHERS[name] = body_of {}
end
for _, known in ipairs { METRICS, WRAPPERS, OTHERS } do
  for name in pairs(known) do
    SUGGESTIBLE[name] = true
  end
end

-- The parser's own errors reach the client as an error of the feature's query.
local function bad(text, ...)
  refuse.validation("feature_attributes", "Custom query error: " .. text, ...)
end

local function token_of(value)
  if type(value) == "table" then
    return tokens.keys(value) and "START_OBJECT" or "START_ARRAY"
  elseif value == json.null then
    return "VALUE_NULL"
  end
  return "VALUE_" .. type(value):upper()
end

-- Reads the options of an aggregation as the search routes do, so that both refuse the same.
local function check_options(kind, body)
  if not metrics[kind] or body.script ~= nil then
    return
  end
  local ok, err = metrics[kind](body)
  if ok then
    return
  elseif refuse.is_syntax(err) then
    bad("%s", err.reason)
  elseif err.type == "illegal_argument_exception" then
    error(err, 0)
  end
end

local rewrite_all

-- The definition `{"avg":{...},"aggs":{...}}` of one aggregation.
local function rewrite(name, definition)
  local kind, below, written, keys = nil, nil, {}, {}
  for _, key in ipairs(tokens.keys(definition)) do
    local value = definition[key]
    if not tokens.keys(value) then
      bad("Expected [START_OBJECT] under [%s], but got a [%s] in [%s]", key, token_of(value), name)
    elseif key == "aggs" or key == "aggregations" then
      below = rewrite_all(value)
    elseif key == "meta" then
      written.meta = value
    elseif kind then
      bad("Found two aggregation type definitions in [%s]: [%s] and [%s]", name, kind, key)
    else
      local shape = METRICS[key] or WRAPPERS[key]
      if not shape and not OTHERS[key] then
        bad("Unknown aggregation type [%s]%s", key, problem.suggestion(key, SUGGESTIBLE))
      end
      check_options(key, value)
      kind, written[key] = key, shape and shape(value) or value
    end
  end
  if not kind then
    bad("Missing definition for aggregation [%s]", name)
  end
  keys[1], keys[2], keys[3] = kind, "meta", "aggregations"
  written.aggregations = below
  return json.ordered(written, keys)
end

local function rewrite_named(tree, name)
  if name:find "[%[%]>]" then
    bad(
      "Invalid aggregation name [%s]. "
        .. "Aggregation names can contain any character except '[', ']', and '>'",
      name
    )
  elseif not tokens.keys(tree[name]) then
    bad(
      "Aggregation definition for [%s starts with a [%s], expected a [START_OBJECT].",
      name,
      token_of(tree[name])
    )
  end
  return rewrite(name, tree[name])
end

function rewrite_all(tree)
  local written, keys = {}, tokens.keys(tree)
  for _, name in ipairs(keys) do
    written[name] = rewrite_named(tree, name)
  end
  return json.ordered(written, keys)
end

--- Rewrites the first aggregation of a feature's query; the others are not used.
-- @tparam table tree made by `Reader:tree`
-- @return an ordered object with one entry; nil when the query is empty
function aggregations.first(tree)
  local name = tokens.keys(tree)[1]
  return name and json.ordered({ [name] = rewrite_named(tree, name) }, { name })
end

-- The kind of a definition, and its body.
local function kind_of(definition)
  for kind, body in pairs(definition) do
    if METRICS[kind] or WRAPPERS[kind] or OTHERS[kind] then
      return kind, body
    end
  end
end

--- Looks at what a feature's aggregation is.
-- @tparam table query `{name = definition}` as stored
-- @return the kind of the number: its name in `METRICS`, or nil when the aggregation is not one number
-- @return true when it is computed by a script of another language, which Blip does not run
function aggregations.number(query)
  local _, definition = next(query)
  local kind, body = kind_of(definition)
  if WRAPPERS[kind] then
    local name, inner = next(definition.aggregations or {})
    if not inner or next(definition.aggregations, name) then
      return nil, false
    end
    kind, body = kind_of(inner)
  end
  return METRICS[kind] and kind, type(body) == "table" and body.script ~= nil
end

return aggregations
