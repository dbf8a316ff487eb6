--- Where results are: the common indices, and those that detectors name (opensearch-ad.md 4.7).
-- @module blip.api.opensearch.result_index
local access = require "blip.security.access"
local json = require "runtime.json"
local names = require "blip.index.names"
local refuse = require "blip.api.opensearch.refuse"
local results = require "blip.result.index"
local stored = require "blip.api.opensearch.stored"

local result_index = { PATTERN = ".opendistro-anomaly-results*" }

-- What an index must have to hold results.
local FIELDS = {
  detector_id = "keyword",
  data_start_time = "date",
  data_end_time = "date",
  anomaly_grade = "double",
  confidence = "double",
}
local MOST_NAMES = 10000

-- What the caller must be allowed to do with an index that is to hold results.
local ACTIONS = {
  "indices:admin/create",
  "indices:admin/aliases",
  "indices:data/write/index",
  "indices:data/write/delete",
  "indices:data/read/search",
}

--- Refuses a result index that the caller may not use, or that exists and holds something else.
function result_index.check(detector)
  local name = detector.result_index
  for _, action in ipairs(name and ACTIONS or {}) do
    if not access.may(action, name) then
      refuse.denied(action)
    end
  end
  if not name or not stored.exists(name) then
    return
  end
  for _, index in ipairs(assert(names.resolve { name })) do
    for field, kind in pairs(FIELDS) do
      local mapped = index.mapping.fields[field]
      if not mapped or mapped.type ~= kind then
        refuse.finding(400, "result_index", "Result index mapping is not correct for index: %s", name)
      end
    end
  end
end

--- Makes sure that a detector's own result index is there and can hold results.
function result_index.prepare(detector)
  if not detector.result_index then
    return
  end
  result_index.check(detector)
  assert(results.make(detector.result_index))
end

-- The result indices that detectors name.
local function known()
  if not stored.any() then
    return {}
  end
  local answer = assert(stored.search({ stored.INDEX }, {
    size = 0,
    aggs = { names = { terms = { field = "result_index", size = MOST_NAMES } } },
  }))
  local list = {}
  for i, bucket in ipairs(answer.aggregations.names.buckets) do
    list[i] = bucket.key
  end
  return list
end

--- The custom result indices that a comma list of names and patterns means.
-- @return patterns that also match what an index was rolled over to
function result_index.named(expression)
  local list = {}
  for _, name in ipairs(known()) do
    for wanted in expression:gmatch "[^,]+" do
      if name:find(names.pattern(wanted)) then
        list[#list + 1] = name .. "*"
        break
      end
    end
  end
  return json.array(list)
end

return result_index
