--- Custom rules of a detector: when a result is not written or not learnt (elastic-ml.md 9.3).
-- @module blip.job.rule
local functions = require "blip.job.functions"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"

local KEYS = { "actions", "scope", "conditions", "params" }
local SCOPE_KEYS = { "filter_id", "filter_type" }
local CONDITION_KEYS = { "applies_to", "operator", "value" }
local SCOPED_BY = { "by_field_name", "over_field_name", "partition_field_name" }

local rule = {}

-- The fields of a detector whose values a scope may look at.
local function scope_fields(detector)
  local fields = {}
  for _, key in ipairs(SCOPED_BY) do
    fields[#fields + 1] = detector[key]
  end
  return fields
end

local function check_scope(scope, fields)
  for _, name in ipairs(json.keys(scope)) do
    if #fields == 0 then
      refuse.argument("Invalid detector rule: scope field '%s' is invalid; "
        .. "detector has no available fields for scoping", name)
    end
    local known = false
    for _, field in ipairs(fields) do known = known or field == name end
    if not known then
      refuse.argument("Invalid detector rule: scope field '%s' is invalid; select from [%s]", name,
        table.concat(fields, ", "))
    end
  end
end

local function check_conditions(conditions, function_name)
  if functions.find(function_name).conditions == "any" then return end
  for _, condition in ipairs(conditions) do
    if condition.applies_to ~= "time" then
      refuse.argument("Invalid detector rule: function %s only supports conditions that apply to time",
        function_name)
    end
  end
end

local function normal_scope(sent)
  local scope, keys = {}, json.keys(sent)
  for _, field in ipairs(keys) do
    scope[field] = json.ordered({
      filter_id = sent[field].filter_id,
      filter_type = sent[field].filter_type or "include",
    }, SCOPE_KEYS)
  end
  return json.ordered(scope, keys)
end

local function normal_conditions(sent)
  local list = {}
  for i, condition in ipairs(sent) do
    list[i] = json.ordered({
      applies_to = condition.applies_to, operator = condition.operator, value = condition.value + 0.0,
    }, CONDITION_KEYS)
  end
  return json.array(list)
end

--- The normal form of a rule.
-- @tparam table sent `actions`, `scope` (field to `{filter_id=, filter_type=}`), `conditions`
-- (`{applies_to=, operator=, value=}`), `params`
-- @tparam table detector in its normal form
-- @return an ordered table; raises the dialect's error
function rule.normal(sent, detector)
  local scope, conditions = sent.scope or {}, sent.conditions or {}
  if next(scope) == nil and #conditions == 0 then
    refuse.argument "Invalid detector rule: at least scope or a condition is required"
  end
  check_scope(scope, scope_fields(detector))
  check_conditions(conditions, detector["function"])
  local actions = sent.actions and #sent.actions > 0 and sent.actions or { "skip_result" }
  return json.ordered({
    actions = json.array(actions),
    scope = next(scope) ~= nil and normal_scope(scope) or nil,
    conditions = #conditions > 0 and normal_conditions(conditions) or nil,
    params = sent.params,
  }, KEYS)
end

--- Puts the parts of a rule in their order.
function rule.ordered(each)
  for _, scope in pairs(each.scope or {}) do json.ordered(scope, SCOPE_KEYS) end
  for _, condition in ipairs(each.conditions or {}) do json.ordered(condition, CONDITION_KEYS) end
  return json.ordered(each, KEYS)
end

--- The rules of a list in their normal form; nil for an empty list.
function rule.list(sent, detector)
  if not sent or #sent == 0 then return nil end
  local list = {}
  for i, each in ipairs(sent) do list[i] = rule.normal(each, detector) end
  return json.array(list)
end

--- The ids of the filters that a detector's rules look into: a set.
function rule.filters(detector)
  local found = {}
  for _, each in ipairs(detector.custom_rules or {}) do
    for _, scope in pairs(each.scope or {}) do found[scope.filter_id] = true end
  end
  return found
end

return rule
