--- One detector of a job: a function over fields (elastic-ml.md 3.3).
-- @module blip.job.detector
local functions = require "blip.job.functions"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local rule = require "blip.job.rule"

local KEYS = {
  "detector_description",
  "function",
  "field_name",
  "by_field_name",
  "over_field_name",
  "partition_field_name",
  "use_null",
  "exclude_frequent",
  "custom_rules",
  "detector_index",
}
local FIELDS = { "field_name", "by_field_name", "over_field_name", "partition_field_name" }
local REQUIREMENTS = { field_name = "field", by_field_name = "by", over_field_name = "over" }
local DIFFERENT = {
  { "partition_field_name", "by_field_name" },
  { "partition_field_name", "over_field_name" },
  { "by_field_name", "over_field_name" },
}
local NOT_PERMITTED = { count = true, by = true, over = true }
local FREQUENT = { all = true, none = true, by = true, over = true }
local WITHOUT_FIELDS = {
  count = true, low_count = true, high_count = true, non_zero_count = true, low_non_zero_count = true,
  high_non_zero_count = true, time_of_day = true, time_of_week = true,
}
local DEFAULT_FUNCTION = "metric"

local detector = {}

--- The names of a detector's settings that are names of fields.
detector.FIELDS = FIELDS

local function function_of(name)
  local f = functions.find((name or DEFAULT_FUNCTION):lower())
  return f or refuse.argument("Unknown function '%s'", name)
end

--- Refuses a name that no field of a record may have.
function detector.check_field_name(name)
  if name:find '["\\%c]' or name == "." then
    refuse.argument("Invalid field name '%s'. Field names including over, by and partition fields "
      .. "cannot contain any of these characters: %s", name, '",\\')
  end
end

local function check_names(sent)
  for _, key in ipairs(FIELDS) do
    if sent[key] then detector.check_field_name(sent[key]) end
  end
  for _, key in ipairs { "by_field_name", "over_field_name" } do
    if NOT_PERMITTED[sent[key]] then
      refuse.argument("'%s' is not a permitted value for %s", sent[key], key)
    end
  end
  for _, pair in ipairs(DIFFERENT) do
    if sent[pair[1]] and sent[pair[1]] == sent[pair[2]] then
      refuse.argument("%s and %s cannot be the same: '%s'", pair[1], pair[2], sent[pair[1]])
    end
  end
end

local function check_requirements(f, sent)
  if not (sent.field_name or sent.by_field_name or sent.over_field_name or WITHOUT_FIELDS[f.name]) then
    refuse.argument("Unless a count or temporal function is used one of field_name, by_field_name or "
      .. "over_field_name must be set")
  end
  for _, key in ipairs(FIELDS) do
    local rule_of_field = f[REQUIREMENTS[key]]
    if rule_of_field == "required" and not sent[key] then
      refuse.argument("%s must be set when the '%s' function is used", key, f.name)
    elseif rule_of_field == "forbidden" and sent[key] then
      refuse.argument("%s cannot be used with function '%s'", key, f.name)
    end
  end
end

local function quoted(name)
  return name:find "[^%w_]" and '"' .. name .. '"' or name
end

local function describe(d)
  local text = d["function"]
  if d.field_name then text = ("%s(%s)"):format(text, quoted(d.field_name)) end
  if d.by_field_name then text = text .. " by " .. quoted(d.by_field_name) end
  if d.over_field_name then text = text .. " over " .. quoted(d.over_field_name) end
  if d.use_null then text = text .. " usenull=true" end
  if d.partition_field_name then text = text .. " partitionfield=" .. quoted(d.partition_field_name) end
  if d.exclude_frequent then text = text .. " excludefrequent=" .. d.exclude_frequent end
  return text
end

--- What a detector does, in words made from its settings: `max(responsetime) by airline`.
-- @tparam table d in its normal form
-- @function detector.describe
detector.describe = describe

local function frequent(word)
  if word == nil then return nil end
  local lower = word:lower()
  return FREQUENT[lower] and lower
    or refuse.argument("exclude_frequent value '%s' is not recognized", word)
end

local function blank_is_nil(text)
  return text ~= "" and text or nil
end

local function check_index(sent, index)
  if sent.detector_index and sent.detector_index ~= index then
    refuse.argument("Invalid detector_index '%d': it must be the detector's position, %d",
      sent.detector_index, index)
  end
end

--- The normal form of a detector.
-- @tparam table sent what a body said of it
-- @tparam integer index its position, from 0
-- @return an ordered table, as it is stored and shown; raises the dialect's error
function detector.normal(sent, index)
  local f = function_of(sent["function"])
  local d = { ["function"] = f.name, use_null = sent.use_null or nil, detector_index = index }
  for _, key in ipairs(FIELDS) do d[key] = blank_is_nil(sent[key]) end
  d.exclude_frequent = frequent(sent.exclude_frequent)
  check_requirements(f, d)
  check_names(d)
  check_index(sent, index)
  d.custom_rules = rule.list(sent.custom_rules, d)
  d.detector_description = blank_is_nil(sent.detector_description) or describe(d)
  return detector.ordered(d)
end

--- Puts the settings of a detector in their order, and those of its rules.
function detector.ordered(d)
  for _, each in ipairs(d.custom_rules or {}) do rule.ordered(each) end
  return json.ordered(d, KEYS)
end

--- A text that two detectors share when they do the same thing: position and description do not count.
function detector.identity(d)
  local parts = { describe(d) }
  parts[2] = d.custom_rules and json.encode(d.custom_rules) or ""
  return table.concat(parts, "\0")
end

return detector
