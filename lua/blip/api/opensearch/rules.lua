--- Suppression rules: which anomalies a detector does not report (opensearch-ad.md 4.9).
-- @module blip.api.opensearch.rules
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"

local RULE_KEYS = { "action", "conditions" }
local CONDITION_KEYS = { "feature_name", "threshold_type", "operator", "value" }
local ENUMS = {
  action = { type = "Action", IGNORE_ANOMALY = true },
  operator = { type = "Operator", LTE = true },
  threshold_type = {
    type = "ThresholdType",
    ACTUAL_OVER_EXPECTED_MARGIN = true,
    EXPECTED_OVER_ACTUAL_MARGIN = true,
    ACTUAL_OVER_EXPECTED_RATIO = true,
    EXPECTED_OVER_ACTUAL_RATIO = true,
    ACTUAL_IS_OVER_EXPECTED = true,
    ACTUAL_IS_BELOW_EXPECTED = true,
  },
}
-- These compare actual and expected value directly and so have neither operator nor value.
local DIRECT = { ACTUAL_IS_OVER_EXPECTED = true, ACTUAL_IS_BELOW_EXPECTED = true }
local DEFAULT_TYPES = { "ACTUAL_OVER_EXPECTED_RATIO", "EXPECTED_OVER_ACTUAL_RATIO" }
local DEFAULT_VALUE = 0.2

local rules = {}

local function read_enum(reader, name)
  local enum, word = ENUMS[name], reader:text():upper()
  if enum[word] ~= true then
    refuse.argument("No enum constant org.opensearch.ad.model.%s.%s", enum.type, word)
  end
  return word
end

local function read_condition(reader)
  local condition = { operator = json.null }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "feature_name" then
      condition.feature_name = reader:text()
    elseif name == "threshold_type" then
      condition.threshold_type = read_enum(reader, name)
    elseif reader.token == "VALUE_NULL" then
      return
    elseif name == "operator" then
      condition.operator = read_enum(reader, name)
    elseif name == "value" then
      condition.value = reader:double()
    else
      reader:skip()
    end
  end)
  return json.ordered(condition, CONDITION_KEYS)
end

local function read_list(reader, read_one)
  local list = {}
  reader:expect "START_ARRAY"
  while reader:next() ~= "END_ARRAY" do
    list[#list + 1] = read_one(reader)
  end
  return json.array(list)
end

local function read_rule(reader)
  local rule = { conditions = json.array {} }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "action" then
      rule.action = read_enum(reader, name)
    elseif name == "conditions" then
      rule.conditions = read_list(reader, read_condition)
    else
      reader:skip()
    end
  end)
  return json.ordered(rule, RULE_KEYS)
end

--- Reads the list of rules at which the reader stands.
function rules.read(reader)
  return read_list(reader, read_rule)
end

--- The rules of a detector that names none: a deviation below a fifth of the actual value is no anomaly.
function rules.default(features)
  local list = {}
  for _, feature in ipairs(features) do
    if feature.feature_enabled then
      local conditions = {}
      for i, kind in ipairs(DEFAULT_TYPES) do
        conditions[i] = json.ordered({
          feature_name = feature.feature_name,
          threshold_type = kind,
          operator = "LTE",
          value = DEFAULT_VALUE,
        }, CONDITION_KEYS)
      end
      local rule = { action = "IGNORE_ANOMALY", conditions = json.array(conditions) }
      list[#list + 1] = json.ordered(rule, RULE_KEYS)
    end
  end
  return json.array(list)
end

local function bad(text, ...)
  refuse.validation("rules", "Suppression Rule Error: " .. text, ...)
end

local function check_condition(condition, features)
  local name, kind, value = condition.feature_name, condition.threshold_type, condition.value
  if not name then
    bad "A condition is missing the feature name."
  elseif not features[name] then
    bad('Feature "%s" specified in a suppression rule does not exist.', name)
  elseif not features[name].feature_enabled then
    bad('Feature "%s" specified in a suppression rule is not enabled.', name)
  elseif not kind then
    bad "A condition within a suppression rule is not properly defined."
  elseif DIRECT[kind] then
    if condition.operator ~= json.null or value then
      bad(
        'For threshold type "%s", both operator and value must be empty or null, '
          .. "as this rule compares actual to expected values directly",
        kind
      )
    end
  elseif not value then
    refuse.argument('Suppression Rule Error: The threshold value for feature "%s" is missing.', name)
  elseif value ~= value then
    bad('The threshold value for feature "%s" is not a valid number.', name)
  elseif value <= 0 then
    bad('The threshold value for feature "%s" must be a positive number.', name)
  end
end

--- Refuses rules that speak of features that the detector does not have or does not use.
function rules.check(list, features)
  if #list > 0 and #features == 0 then
    bad "Features are not defined while suppression rules are provided."
  end
  local by_name = {}
  for _, feature in ipairs(features) do
    by_name[feature.feature_name] = feature
  end
  for _, rule in ipairs(list) do
    for _, condition in ipairs(rule.conditions) do
      check_condition(condition, by_name)
    end
  end
end

return rules
