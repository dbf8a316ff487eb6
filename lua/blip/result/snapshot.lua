--- Model snapshots as the dialect lists them (elastic-ml.md 5.14 and 7.10): documents among a job's
-- results, which say when its models were saved.
-- @module blip.result.snapshot
local documents = require "blip.index.documents"
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local view = require "blip.result.view"

local KEYS = {
  "job_id",
  "min_version",
  "timestamp",
  "description",
  "snapshot_id",
  "snapshot_doc_count",
  "model_size_stats",
  "latest_record_time_stamp",
  "latest_result_time_stamp",
  "retain",
}
local OLDEST_VERSION = "5.5.0"
local TIMES = { "timestamp", "latest_record_time_stamp", "latest_result_time_stamp" }
local PAGE = 10000

local snapshot = {
  --- The fields that are times.
  TIMES = TIMES,
}

local function show(document)
  for _, name in ipairs(TIMES) do document[name] = view.time(document[name]) end
  document.quantiles = nil
  view.fill(document, { min_version = OLDEST_VERSION, retain = false, snapshot_doc_count = 0 })
  return json.ordered(document, KEYS)
end

-- One id, several by commas, or patterns; nil and `_all` stand for every snapshot.
local function id_clause(expression)
  if not expression or expression == "" or expression == "_all" or expression == "*" then return nil end
  local should = {}
  for token in expression:gmatch "[^,]+" do
    local kind = token:find("*", 1, true) and "wildcard" or "term"
    should[#should + 1] = { [kind] = { snapshot_id = token } }
  end
  return { bool = { should = json.array(should), minimum_should_match = 1 } }
end

local function query(job, wanted)
  local clauses = { { term = { job_id = job.job_id } }, { exists = { field = "snapshot_doc_count" } } }
  clauses[#clauses + 1] = id_clause(wanted.snapshot_id)
  clauses[#clauses + 1] = job_search.time_range(wanted.start, wanted["end"])
  return { bool = { filter = json.array(clauses) } }
end

--- A page of a job's snapshots.
-- @tparam table job its configuration
-- @tparam table wanted by choice `snapshot_id` (ids and patterns by commas), `start`, `end`, `sort`, `desc`
-- (true unless it is false), `from`, `size`
-- @treturn table `count` of all matches, `documents` of the page; or nil and an error
function snapshot.page(job, wanted)
  local order = wanted.desc == false and "asc" or "desc"
  local key = { [wanted.sort or "timestamp"] = { order = order, missing = "_last", unmapped_type = "long" } }
  local answer, err = job_search.run(job, {
    query = query(job, wanted), sort = json.array { key }, from = wanted.from, size = wanted.size or 100,
    track_total_hits = true,
  })
  if not answer then return nil, err end
  local page = { count = answer.hits.total.value, documents = {}, ids = {} }
  for i, hit in ipairs(json.plain(answer.hits).hits) do
    page.documents[i], page.ids[i] = show(json.plain(hit._source)), { index = hit._index, id = hit._id }
  end
  return page
end

--- One snapshot, by its literal id.
-- @treturn table the snapshot, and where its document is: `index`, `id`; nil when there is none
function snapshot.find(job, id)
  local page = assert(snapshot.page(job, { snapshot_id = id, size = PAGE }))
  for i, document in ipairs(page.documents) do
    if document.snapshot_id == id then return document, page.ids[i] end
  end
  return nil
end

--- Deletes the document of a snapshot.
-- @tparam table place as @{find} gives it
-- @return the store's answer; or nil and an error
function snapshot.delete(place)
  return documents.delete(place.index, place.id)
end

return snapshot
