--- The one normal form of a detector, whatever it was written in.
-- The REST dialect makes it from JSON, the script loader from `detector "name" { ... }`; the
-- engine reads nothing else. A definition is plain data (but for the functions of a script) and
-- is not changed once it is made.
--
--     definition.new {
--       id = "http_errors", name = "http_errors", origin = "script",
--       indices = { "logs-nginx" }, time_field = "@timestamp", filter = filter.term("env", "prod"),
--       interval_ms = 60000, delay_ms = 30000, category = { "service", "region" },
--       features = {
--         { name = "error_rate", expr = aggregate.count(failed) / aggregate.count() },
--         { name = "pressure", inputs = { calls = aggregate.count() }, compute = function(b) ... end },
--       },
--       model = { kind = "forest", shingle = 8 },
--     }
-- @module blip.detector.definition
local fail = require "blip.fail"

local definition = {}

--- Fields of a definition; the ones in brackets may be absent.
--
-- - `id` text; also the `detector_id` of results; "" for one that is not stored. `name` text,
--   default: the id
-- - `origin` "rest" or "script"
-- - `[version]` text that changes with every edit: a run whose version differs starts anew
-- - `[document]` what tasks embed as `detector`: the REST document (raw JSON or a table)
-- - `[result_index]` alias that results go to instead of the common one
-- - `[user]` who made it, see `blip.source.rights`: it reads with their rights, and every result
--   carries it
-- - `indices` names, aliases and patterns; `time_field`; `[filter]` a `blip.query.filter`
-- - `interval_ms` > 0, `delay_ms` >= 0, `frequency_ms` a multiple of the interval (default: one)
-- - `aligned` true: intervals lie on the epoch grid. false: a real-time run's intervals end at
--   the moment of its start (the REST default, as the plugin does it)
-- - `category` names of the fields whose values make an entity, sorted; `{}` = one series
-- - `features` in the order of the vector, at least one:
--   `{ id =, name =, expr = <blip.query.aggregate> }` or
--   `{ id =, name =, inputs = { key = <aggregate>, ... }, compute = f }` with
--   `f(bucket) -> number or nil`, where `bucket[key]` is an input's number (nil = no value) and
--   `bucket.time` the bucket's start in ms; also, for whole frames at once,
--   `[compute_frame] = f(frame, { key = column }, out) -> true`, which adds the column `out`.
--   Disabled features are left out by who makes the definition.
-- - `empty` what a single series makes of an interval without rows: "missing" (an error result,
--   the REST default) or "value" (count and sum are 0 then; the script default)
-- - `model` see `models` below
-- - `rules` list of rules, each a list of conditions that hold together:
--   `{ feature = <name>, type = "ACTUAL_OVER_EXPECTED_RATIO" ..., value = number or nil }`
--   (opensearch-ad.md 4.9); default for the forest: ratio 0.2 both ways for each feature
-- - `[impute]` `{ method = "zero" | "fixed" | "previous", fixed = { [feature name] = number } }`
-- - `[pace]` of historical analyses, `{ intervals =, pause_ms = }`: a rest after so many intervals
-- - `history` intervals that train the model when a real-time run starts
-- - `[on_anomaly]` `f(anomaly)`, called for every result with a grade above 0
-- @table definition

--- Model kinds and their options with defaults.
--
-- - `forest`: `shingle`, `trees`, `samples`, `recency` (time decay = 1 / recency), `seed`,
--   `[output_after]`
-- - `ensemble`: `sensitivity` (factor of the threshold), `seed`, `[history]` (rows of past)
-- - `seasonal`: the engine of jobs. `[functions]` a function's name (elastic-ml.md 4.1; "mean") or
--   names by feature; `[partition]`, `[by]`, `[over]` category fields; `[influencers]` category fields;
--   `[memory_bytes]`; `[rules]` and `[calendars]` as `blip.detector.seasonal` reads them
-- - `script`: `new() -> state`, `push(state, time_ms, { value, ... }) -> verdict` or nil while it
--   warms up (missing values are NaN; a verdict is `{ score =, grade =, confidence =,
--   [expected = { value, ... }] }`), `save(state) -> text` and `load(text) -> state`
-- @table models
local models = {
  forest = { shingle = 8, trees = 50, samples = 256, recency = 2560, seed = 0 },
  ensemble = { sensitivity = 1, seed = 0 },
  script = { seed = 0 },
  seasonal = { seed = 0 },
}

local MIN_TRAINING = 32 -- intervals a forest needs before it scores
local MAX_FEATURES = 64 -- runtime/model/model.h

local CONDITIONS = {
  ACTUAL_OVER_EXPECTED_MARGIN = true,
  EXPECTED_OVER_ACTUAL_MARGIN = true,
  ACTUAL_OVER_EXPECTED_RATIO = true,
  EXPECTED_OVER_ACTUAL_RATIO = true,
  ACTUAL_IS_OVER_EXPECTED = true,
  ACTUAL_IS_BELOW_EXPECTED = true,
}

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

local function check_texts(d, key)
  if type(d[key]) ~= "table" or #d[key] == 0 then
    return fail.invalid("detector '%s': %s must name at least one", d.id, key)
  end
  for _, text in ipairs(d[key]) do
    if not is_text(text) then
      return fail.invalid("detector '%s': %s holds %s", d.id, key, tostring(text))
    end
  end
  return true
end

local function check_times(d)
  if math.type(d.interval_ms) ~= "integer" or d.interval_ms <= 0 then
    return fail.invalid("detector '%s': the interval must be above 0, not %s", d.id, tostring(d.interval_ms))
  elseif math.type(d.delay_ms) ~= "integer" or d.delay_ms < 0 then
    return fail.invalid("detector '%s': the delay must not be %s", d.id, tostring(d.delay_ms))
  end
  local frequency_ms = d.frequency_ms
  if math.type(frequency_ms) ~= "integer" or frequency_ms <= 0 or frequency_ms % d.interval_ms ~= 0 then
    return fail.invalid("detector '%s': the frequency must be a multiple of the interval", d.id)
  end
  return true
end

local function check_feature(d, feature, names)
  if not is_text(feature.name) then
    return fail.invalid("detector '%s' has a feature without a name", d.id)
  elseif names[feature.name] then
    return fail.invalid("detector '%s' has two features '%s'", d.id, feature.name)
  elseif feature.compute and type(feature.inputs) ~= "table" then
    return fail.invalid("feature '%s' is a function without inputs", feature.name)
  elseif not feature.compute and type(feature.expr) ~= "table" then
    return fail.invalid("feature '%s' has no aggregation", feature.name)
  end
  names[feature.name] = true
  return true
end

-- Features with ids filled in; names is filled with the names.
local function check_features(d, names)
  if type(d.features) ~= "table" or #d.features == 0 or #d.features > MAX_FEATURES then
    return fail.invalid("detector '%s' needs 1 to %d features", d.id, MAX_FEATURES)
  end
  local features = {}
  for i, feature in ipairs(d.features) do
    local ok, err = check_feature(d, feature, names)
    if not ok then return nil, err end
    features[i] = { id = feature.name }
    for key, value in pairs(feature) do features[i][key] = value end
  end
  return features
end

local function check_model(d)
  local given = d.model or { kind = d.origin == "script" and "ensemble" or "forest" }
  local defaults = models[given.kind]
  if not defaults then
    return fail.invalid("detector '%s': there is no model '%s'", d.id, tostring(given.kind))
  end
  local model = {}
  for key, value in pairs(defaults) do model[key] = value end
  for key, value in pairs(given) do model[key] = value end
  return model
end

local function check_rules(d, names)
  for _, rule in ipairs(d.rules) do
    for _, condition in ipairs(rule) do
      if not names[condition.feature] then
        return fail.invalid("detector '%s': a rule names the feature '%s'", d.id, tostring(condition.feature))
      elseif not CONDITIONS[condition.type] then
        return fail.invalid("detector '%s': a rule has the type '%s'", d.id, tostring(condition.type))
      end
    end
  end
  return true
end

local function check_impute(d, names)
  if d.impute == nil then return true end
  local method, fixed = d.impute.method, d.impute.fixed or {}
  if method ~= "zero" and method ~= "previous" and method ~= "fixed" then
    return fail.invalid("detector '%s': there is no imputation '%s'", d.id, tostring(method))
  end
  for name in pairs(method == "fixed" and names or {}) do
    if type(fixed[name]) ~= "number" then
      return fail.invalid("detector '%s': no value is given for a missing '%s'", d.id, name)
    end
  end
  return true
end

-- Columns of a scored frame that a category field would stand in for.
local TAKEN = {
  time = true, rows = true, scored = true, score = true, grade = true, confidence = true, threshold = true,
  probability = true, start_index = true, cause = true, model_id = true,
}

local function check_category(d)
  for _, field in ipairs(d.category) do
    if TAKEN[field] or field:match "^f%d+$" then
      return fail.invalid("detector '%s': a category field cannot be called '%s'", d.id, field)
    end
  end
  return true
end

local function default_rules(features)
  local rules = {}
  for i, feature in ipairs(features) do
    rules[i] = {
      { feature = feature.name, type = "ACTUAL_OVER_EXPECTED_RATIO", value = 0.2 },
      { feature = feature.name, type = "EXPECTED_OVER_ACTUAL_RATIO", value = 0.2 },
    }
  end
  return rules
end

local function sorted(names)
  local copy = table.move(names or {}, 1, #(names or {}), 1, {})
  table.sort(copy)
  return copy
end

-- What is missing in d gets its default.
local function complete(d, features, model)
  d.features, d.model = features, model
  d.category = sorted(d.category)
  d.rules = d.rules or (model.kind == "forest" and default_rules(features) or {})
  d.history = d.history or MIN_TRAINING + (model.shingle or 0)
  d.empty = d.empty or (d.origin == "script" and "value" or "missing")
  if d.aligned == nil then d.aligned = d.origin == "script" end
  return d
end

--- Makes a definition: checks what is given and fills in what is not.
-- @tparam table given fields as above; `id`, `origin`, `indices`, `time_field`, `interval_ms` and
-- `features` are required
-- @treturn table the definition, a new table; or nil and an `invalid` error that names the field
function definition.new(given)
  local d, names = {}, {}
  for key, value in pairs(given) do d[key] = value end
  d.name = d.name or d.id
  d.delay_ms = d.delay_ms or 0
  d.frequency_ms = d.frequency_ms or d.interval_ms
  if type(d.id) ~= "string" then return fail.invalid("a detector needs an id") end
  if not is_text(d.time_field) then return fail.invalid("detector '%s' has no time field", d.id) end
  local ok, err = check_texts(d, "indices")
  if ok then ok, err = check_times(d) end
  local features, model
  if ok then features, err = check_features(d, names) end
  if features then model, err = check_model(d) end
  if not model then return nil, err end
  complete(d, features, model)
  ok, err = check_category(d)
  if ok then ok, err = check_rules(d, names) end
  if ok then ok, err = check_impute(d, names) end
  if not ok then return nil, err end
  return d
end

--- Is this a detector of one series (no category fields)?
function definition.is_single(d)
  return #d.category == 0
end

return definition
