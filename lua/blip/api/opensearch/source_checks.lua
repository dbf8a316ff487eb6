--- What a detector must find in its source: indices, time field, category fields, documents,
-- features that can run.
-- Each function raises the plugin's refusal (opensearch-ad.md 3.1, steps 4, 8, 10, 11 and 13).
-- @module blip.api.opensearch.source_checks
local aggregations = require "blip.api.opensearch.aggregations"
local json = require "runtime.json"
local names = require "blip.index.names"
local normal = require "blip.api.opensearch.normal"
local refuse = require "blip.api.opensearch.refuse"
local rights = require "blip.source.rights"
local search = require "blip.query.search"
local stored = require "blip.api.opensearch.stored"

local DATE_TYPES = { date = true, date_nanos = true }
local CATEGORY_TYPES = { keyword = true, ip = true }

local source_checks = {}

-- The indices that a detector reads; patterns may match none.
local function resolved(detector)
  return assert(names.resolve(detector.indices))
end

local function listed(indices)
  return table.concat(indices, ", ")
end

--- Refuses a source that the caller may not read.
function source_checks.readable(detector)
  if not rights.check(detector.indices) then
    refuse.denied(rights.READ)
  end
end

--- Refuses an index that the caller may not read, or that does not exist.
function source_checks.indices(detector)
  source_checks.readable(detector)
  for _, name in ipairs(detector.indices) do
    if not name:find "[*:]" and not stored.exists(name) then
      refuse.no_index(name, "index_or_alias")
    end
  end
end

local function bad_time_field(detector, detail, ...)
  refuse.finding(
    500,
    "time_field",
    "Validation failed for timefield of %s,  Exceptions: [Timestamp field: (%s) %s]",
    detector.name,
    detector.time_field,
    detail:format(...)
  )
end

--- Refuses a time field that one of the indices does not have, or that is no date.
function source_checks.time_field(detector)
  local indices = resolved(detector)
  for _, index in ipairs(indices) do
    local mapped = index.mapping.fields[detector.time_field]
    if not mapped then
      bad_time_field(detector, "is not found in the (%s) index mapping", index.name)
    elseif not DATE_TYPES[mapped.type] then
      bad_time_field(detector, "must be of type date")
    end
  end
  if #indices == 0 then
    bad_time_field(detector, "is not found in index mapping")
  end
end

--- Refuses category fields that are no keyword and no ip, or of which no index has any.
function source_checks.categories(detector)
  local found = false
  for _, index in ipairs(resolved(detector)) do
    for _, field in ipairs(detector.category_field) do
      local mapped = index.mapping.fields[field]
      found = found or mapped ~= nil
      if mapped and not CATEGORY_TYPES[mapped.type] then
        refuse.finding(500, "category_field", "Categorical field %s must be of type keyword or ip.", field)
      end
    end
  end
  if not found then
    refuse.finding(
      500,
      "category_field",
      "Can't find the categorical field %s in index [%s]",
      detector.category_field[1],
      listed(detector.indices)
    )
  end
end

--- Refuses a source without documents.
function source_checks.documents(detector)
  if assert(search.count(resolved(detector))) == 0 then
    refuse.finding(
      400,
      "indices",
      "Can't create anomaly detector as no document is found in the indices: [%s]",
      listed(detector.indices)
    )
  end
end

local EMPTY = "Feature has an invalid query returning empty aggregated data"
local BROKEN = "Feature has an invalid query causing a runtime exception"

-- The number that an aggregation of an answer came to; nil when there was none.
local function number_in(answer)
  local value = answer.value
  if answer.values then
    value = select(2, next(answer.values))
  end
  for _, below in pairs(answer) do
    if value == nil and type(below) == "table" then
      value = number_in(below)
    end
  end
  return value ~= json.null and value or nil
end

-- What is wrong with a feature's query; nil when it gives a number. What other engines compute
-- and Blip does not is accepted here and named when the detector is to run.
local function trial(detector, feature)
  local query = feature.aggregation_query
  local kind, by_script = aggregations.number(query)
  if not kind then
    return BROKEN
  elseif by_script or not normal.aggregate(query) then
    return nil
  end
  local answer = search.run(resolved(detector), { size = 0, aggs = query })
  if not answer then
    return BROKEN
  end
  return not number_in(json.plain(answer.aggregations)) and EMPTY or nil
end

--- Refuses features whose query fails or gives no number over all documents.
function source_checks.features(detector)
  local texts, issues = {}, {}
  for _, feature in ipairs(detector.feature_attributes) do
    local problem = trial(detector, feature)
    if problem then
      texts[#texts + 1] = ("%s: %s"):format(problem, feature.feature_name)
      issues[feature.feature_name] = problem
    end
  end
  if #texts > 0 then
    local message = listed(texts)
    local text = "Validation failed for feature(s) of detector %s Exceptions: [%s]"
    refuse.features(text:format(detector.name, message), message, issues)
  end
end

return source_checks
