--- The features of a detector: a name and an aggregation each (opensearch-ad.md 4.3).
-- @module blip.api.opensearch.features
local json = require "runtime.json"
local aggregations = require "blip.api.opensearch.aggregations"
local ids = require "blip.api.opensearch.ids"
local refuse = require "blip.api.opensearch.refuse"

local KEYS = { "feature_id", "feature_name", "feature_enabled", "aggregation_query" }

local features = {}

local function read_feature(reader)
  local feature = { feature_id = ids.new() }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "feature_id" or name == "feature_name" then
      feature[name] = reader:text()
    elseif name == "feature_enabled" then
      feature.feature_enabled = reader:boolean()
    elseif name == "aggregation_query" then
      reader:expect "START_OBJECT"
      feature.aggregation_query = aggregations.first(reader:tree()) or false
    else
      reader:skip()
    end
  end)
  if not feature.feature_name or not feature.feature_name:find "%S" then
    refuse.argument "Feature name should be set"
  elseif feature.aggregation_query == nil then
    refuse.argument "Feature aggregation query should be set"
  elseif feature.aggregation_query == false then
    refuse.argument("The aggregation query of feature [%s] names no aggregation", feature.feature_name)
  elseif feature.feature_enabled == nil then
    refuse.argument("feature_enabled of feature [%s] should be set to true or false", feature.feature_name)
  end
  return json.ordered(feature, KEYS)
end

local function read_all(reader)
  local list = {}
  reader:expect "START_ARRAY"
  while reader:next() ~= "END_ARRAY" do
    list[#list + 1] = read_feature(reader)
  end
  return json.array(list)
end

--- Reads the list of features at which the reader stands; ids that are missing are made.
function features.read(reader)
  local ok, result = pcall(read_all, reader)
  if ok then
    return result
  elseif refuse.is_syntax(result) then
    refuse.validation("feature_attributes", "Custom query error: %s", result.reason)
  end
  error(result, 0)
end

-- The names that come more than once, each once, in the order of their second coming.
local function repeated(list, name_of)
  local seen, twice = {}, {}
  for _, feature in ipairs(list) do
    local name = name_of(feature)
    seen[name] = (seen[name] or 0) + 1
    if seen[name] == 2 then
      twice[#twice + 1] = name
    end
  end
  return twice
end

--- Refuses a name that two features share.
function features.check_names(list)
  local twice = repeated(list, function(feature)
    return feature.feature_name
  end)
  if #twice > 0 then
    refuse.validation(
      "feature_attributes",
      "[%s] appears more than once. Feature name has to be unique",
      table.concat(twice, ", ")
    )
  end
end

--- Refuses more features than the cluster allows, and an aggregation name that two features share.
-- @tparam integer most
function features.check_list(list, most)
  if #list > most then
    refuse.finding(400, "feature_attributes", "Can't create more than %d feature(s)", most)
  end
  local twice = repeated(list, function(feature)
    return (next(feature.aggregation_query))
  end)
  if #twice > 0 then
    refuse.finding(
      400,
      "feature_attributes",
      "Config has duplicate feature aggregation query names: %s",
      table.concat(twice, ", ")
    )
  end
end

--- The number of features that are in use.
function features.enabled(list)
  local count = 0
  for _, feature in ipairs(list) do
    count = count + (feature.feature_enabled and 1 or 0)
  end
  return count
end

return features
