--- What a script asks of the engine of jobs: `model = seasonal { "high_mean", by = "host" }`.
-- Makes the configuration that `runtime.job` takes from a definition. A row of the detector, one per
-- interval and entity, is a record that is summed up already; a feature is what the function looks at.
--
--     category field  ─▶  partition, by or over
--     feature i       ─▶  detector i - 1 over the column f<i>
-- @module blip.detector.seasonal
local attempt = require "blip.attempt"
local date_math = require "blip.query.date_math"
local detector = require "blip.job.detector"
local fail = require "blip.fail"
local functions = require "blip.job.functions"
local meta = require "blip.job.meta"
local rule = require "blip.job.rule"

local DEFAULT_FUNCTION = "mean"
local ROLES = { "partition", "by", "over" }
local SECOND, DAY_S = 1000, 86400
local MEMORY_BYTES = 1 << 30
local PRUNE_DAYS, PRUNE_BUCKETS = 30, 20

local seasonal = {}

local function is_in(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

-- Category fields that were given no part: the first free ones of partition and by.
local function fill_roles(d, roles)
  for _, field in ipairs(d.category) do
    if not (roles.partition == field or roles.by == field or roles.over == field) then
      local free = not roles.partition and "partition" or not roles.by and "by"
      if not free then
        return fail.invalid("detector '%s': the category field '%s' has no part in the model", d.id, field)
      end
      roles[free] = field
    end
  end
  return roles
end

--- Which category field is what to the model.
-- @treturn table `partition`, `by`, `over`: names of fields or nil; or nil and an `invalid` error
function seasonal.roles(d)
  local roles = {}
  for _, role in ipairs(ROLES) do
    local field = d.model[role]
    if field and not is_in(d.category, field) then
      return fail.invalid("detector '%s': %s = '%s' is none of its category fields", d.id, role, field)
    end
    roles[role] = field
  end
  return fill_roles(d, roles)
end

-- --- rules ----------------------------------------------------------------------------------

local ACTIONS = { result = { "skip_result" }, learning = { "skip_model_update" },
                  both = { "skip_result", "skip_model_update" } }

local function conditions_of(given)
  local list = {}
  for _, value in ipairs { "actual", "typical", "diff_from_typical", "time" } do
    for operator, number in pairs(given[value] or {}) do
      list[#list + 1] = { applies_to = value, operator = operator, value = number }
    end
  end
  return list
end

-- A list of values becomes a filter of the model's own; a text is the id of one that is stored. What
-- is not stored, as when a script runs over a file, matches nothing.
local function filter_id(values, filters)
  if type(values) == "string" then
    local stored = meta.filters:find(values)
    filters[values] = stored and stored.items or {}
    return values
  end
  local id = ("list-%d"):format(filters.count + 1)
  filters.count, filters[id] = filters.count + 1, values
  return id
end

local function scope_of(given, filters)
  local scope = {}
  for filter_type, fields in pairs { include = given.only, exclude = given.except } do
    for field, values in pairs(fields) do
      scope[field] = { filter_id = filter_id(values, filters), filter_type = filter_type }
    end
  end
  return scope
end

local function rules_of(d, filters)
  local list = {}
  for i, given in ipairs(d.model.rules or {}) do
    list[i] = {
      actions = ACTIONS[given.skip], conditions = conditions_of(given), scope = scope_of(given, filters),
    }
  end
  return list
end

-- --- events ---------------------------------------------------------------------------------

local function to_event(description, from_ms, to_ms)
  return {
    description = description, start_s = from_ms // SECOND, end_s = -(-to_ms // SECOND), skip_result = true,
    skip_model_update = true,
  }
end

local function moment(text)
  return assert(date_math.resolve(text, { format = "strict_date_optional_time" }))
end

-- The events of calendars: stored ones by their ids, and those that the script spells out.
local function events_of(d)
  local list, named = {}, {}
  for _, given in ipairs(d.model.calendars or {}) do
    if given.id then
      named[given.id] = true
    else
      list[#list + 1] = to_event(given.description, moment(given.from), moment(given.to))
    end
  end
  for _, event in ipairs(next(named) and meta.events:all() or {}) do
    if named[event.calendar_id] then
      list[#list + 1] = to_event(event.description, event.start_time, event.end_time)
    end
  end
  return list
end

-- --- the whole ------------------------------------------------------------------------------

local function function_of(d, feature)
  local given = d.model.functions
  if type(given) == "table" then given = given[feature.name] end
  return given or DEFAULT_FUNCTION
end

local function detector_of(d, roles, i, rules)
  local name = function_of(d, d.features[i])
  local f = functions.find(name)
  local made = detector.normal({
    ["function"] = name,
    field_name = not (f and f.field == "forbidden") and "f" .. i or nil,
    by_field_name = roles.by, over_field_name = roles.over, partition_field_name = roles.partition,
  }, i - 1)
  made.custom_rules = rule.list(rules, made)
  return {
    ["function"] = made["function"], field = made.field_name, by = roles.by, over = roles.over,
    partition = roles.partition, use_null = false, rules = made.custom_rules or {},
    description = d.features[i].name,
  }
end

local function build(d, roles)
  local filters = { count = 0 }
  local rules, detectors = rules_of(d, filters), {}
  for i = 1, #d.features do detectors[i] = detector_of(d, roles, i, rules) end
  filters.count = nil
  local span_s = d.interval_ms // SECOND
  return {
    job_id = d.id, bucket_span_s = span_s, latency_s = 0, time_field = "time", time_format = "epoch_ms",
    summary_count_field = "rows", influencers = d.model.influencers or {}, detectors = detectors,
    filters = filters, events = events_of(d), memory_limit_bytes = d.model.memory_bytes or MEMORY_BYTES,
    prune_window_s = math.max(PRUNE_DAYS * DAY_S, PRUNE_BUCKETS * span_s), renormalization_window_s = 0,
  }
end

--- The configuration of a definition's model.
-- @tparam table d definition whose model is of kind "seasonal"
-- @treturn table for `runtime.job`; or nil and an `invalid` error
function seasonal.config(d)
  if d.interval_ms % SECOND ~= 0 then
    return fail.invalid("detector '%s': the model seasonal needs an interval of whole seconds", d.id)
  end
  local roles, err = seasonal.roles(d)
  if not roles then return nil, err end
  for _, field in ipairs(d.model.influencers or {}) do
    if not is_in(d.category, field) then
      return fail.invalid("detector '%s': the influencer '%s' is none of its category fields", d.id, field)
    end
  end
  return attempt(build, d, roles)
end

return seasonal
