--- Numbers results within their bucket, as the oldest clients read them: `sequence_num`, from 1, by id
-- (elastic-ml.md 16).
-- @module blip.result.ordinal
local job_search = require "blip.result.job_search"
local json = require "runtime.json"

local ordinal = {}

local MOST = 10000 -- results of the buckets of one page

-- What tells two results of a bucket apart.
local function key_of(document)
  local parts = {}
  for _, name in ipairs {
    "timestamp", "detector_index", "influencer_field_name", "influencer_field_value", "partition_field_value",
    "by_field_value", "over_field_value",
  } do
    parts[#parts + 1] = tostring(document[name])
  end
  return table.concat(parts, "\0")
end

-- The numbers of all results in some buckets, by what tells them apart.
local function numbers(job, result_type, times)
  local answer, err = job_search.run(job, {
    query = { bool = { filter = json.array {
      { term = { job_id = job.job_id } }, { term = { result_type = result_type } },
      { terms = { timestamp = json.array(times) } },
    } } },
    sort = json.array { "timestamp" }, size = MOST,
  })
  if not answer then return nil, err end
  local list = json.plain(answer.hits).hits
  table.sort(list, function(a, b) return a._id < b._id end)
  local counts, found = {}, {}
  for _, hit in ipairs(list) do
    local document = json.plain(hit._source)
    local at = document.timestamp
    counts[at] = (counts[at] or 0) + 1
    found[key_of(document)] = counts[at]
  end
  return found
end

--- Gives each document its number, unless it came with one.
-- @return the documents; or nil and an error
function ordinal.add(job, result_type, documents)
  local times, seen = {}, {}
  for _, document in ipairs(documents) do
    if not seen[document.timestamp] then times[#times + 1] = document.timestamp end
    seen[document.timestamp] = true
  end
  if #times == 0 then return documents end
  local found, err = numbers(job, result_type, times)
  if not found then return nil, err end
  for _, document in ipairs(documents) do
    document.sequence_num = document.sequence_num or found[key_of(document)] or 1
  end
  return documents
end

return ordinal
