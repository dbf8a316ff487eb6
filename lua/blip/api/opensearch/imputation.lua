--- What a detector puts in the place of missing data (opensearch-ad.md 4.8).
-- @module blip.api.opensearch.imputation
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"

local METHODS = { ZERO = true, FIXED_VALUES = true, PREVIOUS = true }

local imputation = {}

local function read_fill(reader)
  local fill = {}
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "feature_name" then
      fill.feature_name = reader:text()
    elseif name == "data" then
      fill.data = reader:double()
    else
      reader:skip()
    end
  end)
  return json.ordered(fill, { "feature_name", "data" })
end

-- One value per feature, the last one wins; sorted by name, since the plugin keeps no order either.
local function read_fills(reader)
  local by_name, list = {}, {}
  reader:expect "START_ARRAY"
  while reader:next() ~= "END_ARRAY" do
    local fill = read_fill(reader)
    if not fill.feature_name or not fill.data then
      refuse.argument "An entry of default_fill needs both feature_name and data"
    end
    by_name[fill.feature_name] = fill
  end
  for _, fill in pairs(by_name) do
    list[#list + 1] = fill
  end
  table.sort(list, function(a, b)
    return a.feature_name < b.feature_name
  end)
  return #list > 0 and json.array(list) or nil
end

--- Reads the option at which the reader stands.
function imputation.read(reader)
  local option = { method = "ZERO" }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "method" then
      option.method = reader:text():upper()
      if not METHODS[option.method] then
        refuse.argument(
          "No enum constant org.opensearch.timeseries.dataprocessor.ImputationMethod.%s",
          option.method
        )
      end
    elseif name == "default_fill" then
      option.default_fill = read_fills(reader)
    else
      reader:skip()
    end
  end)
  return json.ordered(option, { "method", "default_fill" })
end

local function bad(text, ...)
  refuse.validation("imputation_option", text, ...)
end

--- Refuses fixed values that do not name exactly the enabled features.
function imputation.check(option, features)
  if option.method ~= "FIXED_VALUES" then
    return
  elseif not option.default_fill then
    bad "Enabled features are present, but no default fill values are provided."
  end
  local enabled, filled = {}, {}
  for _, feature in ipairs(features) do
    if feature.feature_enabled then
      enabled[#enabled + 1] = feature.feature_name
    end
  end
  for _, fill in ipairs(option.default_fill) do
    filled[fill.feature_name] = true
  end
  if #enabled ~= #option.default_fill then
    bad(
      "Mismatch between the number of enabled features and default fill values. "
        .. "Number of default fill values: %d. Number of enabled features: %d.",
      #option.default_fill,
      #enabled
    )
  end
  for _, name in ipairs(enabled) do
    if not filled[name] then
      bad("Missing feature name: %s.", name)
    end
  end
end

return imputation
