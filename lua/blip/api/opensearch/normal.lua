--- From a detector document to the engine's normal form (`blip.detector.definition`).
-- What a client may store and what Blip can run differ in a few aggregations: those are named here, when the
-- detector is to run.
-- @module blip.api.opensearch.normal
local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local document = require "blip.api.opensearch.document"
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local periods = require "blip.api.opensearch.periods"
local registry = require "blip.detector.registry"
local rights = require "blip.source.rights"
local settings = require "blip.api.opensearch.settings"

local normal = {}

-- kind -> function(body, filter): the engine's aggregate for one metric.
local METRICS = {}
for _, kind in ipairs {
  "avg",
  "sum",
  "min",
  "max",
  "value_count",
  "cardinality",
  "median_absolute_deviation",
} do
  METRICS[kind] = function(body, where)
    return aggregate[kind](body.field, where)
  end
end

function METRICS.percentiles(body, where)
  return aggregate.percentile(body.field, body.percents[1], where)
end

function METRICS.weighted_avg(body, where)
  for _, part in ipairs { "value", "weight" } do
    if type(body[part]) ~= "table" or type(body[part].field) ~= "string" then
      return fail.invalid("[%s] of aggregation [weighted_avg] must name a field", part)
    end
  end
  return aggregate.weighted_avg(body.value.field, body.weight.field, where)
end

-- kind -> function(body): the rows that a single bucket holds, nil for all of them.
local BUCKETS = {}

function BUCKETS.filter(body)
  return dsl.query(body)
end

function BUCKETS.missing(body)
  return ~filter.exists(body.field)
end

function BUCKETS.nested()
  return filter.all()
end

local function only(definition_of)
  for kind, body in pairs(definition_of) do
    if kind ~= "aggregations" and kind ~= "meta" then
      return kind, body
    end
  end
end

local function metric(kind, body, where)
  local make = METRICS[kind]
  if not make then
    return fail.invalid("aggregation [%s] is not supported", kind)
  end
  if body.script ~= nil then
    return fail.invalid("[script] of aggregation [%s] is not supported", kind)
  end
  local node, err = make(body, where)
  if node then
    node.missing = body.missing
  end
  return node, err
end

--- The engine's aggregate for a feature's query.
-- @tparam table query `{name = definition}` as stored
-- @return an aggregate, or nil and an `invalid` error that names what Blip does not run
function normal.aggregate(query)
  local _, outer = next(query)
  local kind, body = only(outer)
  if METRICS[kind] or not outer.aggregations then
    return metric(kind, body)
  elseif not BUCKETS[kind] then
    return fail.invalid("aggregation [%s] is not supported", kind)
  end
  local where, err = BUCKETS[kind](body)
  if not where then
    return nil, err
  end
  local _, inner = next(outer.aggregations)
  kind, body = only(inner)
  return metric(kind, body, where.op ~= "all" and where or nil)
end

local function features_of(detector)
  local list = {}
  for _, feature in ipairs(detector.feature_attributes) do
    if feature.feature_enabled then
      local expr, err = normal.aggregate(feature.aggregation_query)
      if not expr then
        return fail.invalid("Feature [%s] cannot run: %s", feature.feature_name, err.reason)
      end
      list[#list + 1] = { id = feature.feature_id, name = feature.feature_name, expr = expr }
    end
  end
  return list
end

local function rules_of(detector)
  local list = {}
  for _, rule in ipairs(detector.rules or {}) do
    local conditions = {}
    for i, condition in ipairs(rule.conditions) do
      conditions[i] = {
        feature = condition.feature_name,
        type = condition.threshold_type,
        value = condition.value,
      }
    end
    list[#list + 1] = #conditions > 0 and conditions or nil
  end
  return list
end

local IMPUTATIONS = { ZERO = "zero", PREVIOUS = "previous", FIXED_VALUES = "fixed" }

local function impute_of(option)
  if not option then
    return nil
  end
  local fixed = {}
  for _, fill in ipairs(option.default_fill or {}) do
    fixed[fill.feature_name] = fill.data
  end
  return { method = IMPUTATIONS[option.method], fixed = fixed }
end

-- A cluster that asks for pauses between the pieces of an analysis gets them; by default there
-- are none, since an analysis does not get in the way of others here.
local function pace_of()
  local seconds = settings.explicit "batch_task_piece_interval_seconds"
  return seconds and { intervals = settings.get "batch_task_piece_size", pause_ms = seconds * 1000 }
end

local function make(id, detector, version)
  local features, err = features_of(detector)
  if not features then
    return nil, err
  end
  local where
  if not detector.filter_query.match_all then
    where, err = dsl.query(detector.filter_query)
    if not where then
      return nil, err
    end
  end
  return definition.new {
    id = id,
    name = detector.name,
    origin = "rest",
    version = version and tostring(version),
    document = document.shown(detector),
    user = detector.user,
    result_index = detector.result_index,
    indices = detector.indices,
    time_field = detector.time_field,
    filter = where,
    interval_ms = periods.ms(detector.detection_interval),
    delay_ms = periods.ms(detector.window_delay),
    frequency_ms = periods.ms(detector.frequency or detector.detection_interval),
    category = detector.category_field ~= json.null and detector.category_field or {},
    features = features,
    model = { kind = "forest", shingle = detector.shingle_size, recency = detector.recency_emphasis },
    rules = rules_of(detector),
    impute = impute_of(detector.imputation_option),
    history = detector.history,
    pace = pace_of(),
  }
end

--- Makes the definition of a stored detector.
-- @tparam string id empty for a detector that is not stored
-- @tparam table detector the document
-- @tparam[opt] integer version the document's version
-- @return a definition, or nil and an `invalid` error
function normal.definition(id, detector, version)
  return rights.as(detector.user, make, id, detector, version)
end

registry.reader("rest", {
  find = function(id)
    local found, err = registry.get(id)
    if not found then
      return nil, err
    end
    return normal.definition(id, found._source, found._version)
  end,
})

return normal
