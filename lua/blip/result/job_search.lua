--- Results of a job, found among the documents of its index (elastic-ml.md 6).
-- @module blip.result.job_search
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local job_index = require "blip.result.job_index"
local json = require "runtime.json"
local search = require "blip.query.search"

local job_search = {}

local FROM, SIZE = 0, 100 -- where none are given (1.5)

-- A bound that is not given may also be written as -1 (1.7).
local function bound(value)
  return value ~= "-1" and value or nil
end

--- The clause of a time range, `start` <= t < `end`; nil when neither is given.
function job_search.time_range(from, to)
  from, to = bound(from), bound(to)
  if not from and not to then return nil end
  return { range = { timestamp = { gte = from, lt = to } } }
end

--- The clauses of a search for results of one kind.
-- @tparam table job its configuration
-- @tparam string result_type such as "bucket"
-- @tparam table wanted `start`, `end`, `exclude_interim`, and by choice `score_field` with `score`, the
-- least that it may be
function job_search.clauses(job, result_type, wanted)
  local list = { { term = { job_id = job.job_id } }, { term = { result_type = result_type } } }
  list[#list + 1] = job_search.time_range(wanted.start, wanted["end"])
  if wanted.score and wanted.score > 0 then
    list[#list + 1] = { range = { [wanted.score_field] = { gte = wanted.score } } }
  end
  local query = { filter = json.array(list) }
  if wanted.exclude_interim then query.must_not = json.array { { term = { is_interim = true } } } end
  return { bool = query }
end

local function sort_of(wanted)
  local function key(field)
    local order = wanted.desc and "desc" or "asc"
    return { [field] = { order = order, missing = "_last", unmapped_type = "double" } }
  end
  local list = { key(wanted.sort) }
  if wanted.then_by and wanted.then_by ~= wanted.sort then list[2] = key(wanted.then_by) end
  return json.array(list)
end

--- Runs a search over a job's results.
-- @return Elasticsearch's answer; or nil and an error. Without an index nothing is found
function job_search.run(job, body)
  local indices, err = job_index.resolve(job)
  if not indices then return nil, err end
  return search.run(indices, body)
end

--- One page of results.
-- @tparam table job its configuration
-- @tparam string result_type
-- @tparam table wanted as @{clauses}, and `sort`, `desc`, by choice `then_by` (a second key), `from`, `size`
-- @treturn table `count` of all matches, `documents` of the page; or nil and an error
function job_search.page(job, result_type, wanted)
  local answer, err = job_search.run(job, {
    query = job_search.clauses(job, result_type, wanted), sort = sort_of(wanted), track_total_hits = true,
    from = wanted.from or FROM, size = wanted.size or SIZE,
  })
  if not answer then return nil, err end
  local page = { count = answer.hits.total.value, documents = {} }
  for i, hit in ipairs(json.plain(answer.hits).hits) do page.documents[i] = json.plain(hit._source) end
  return page
end

--- The document of one id, such as a job's data counts.
-- @return its fields; nil when there is none
function job_search.get(job, id)
  local name = job_index.name(job)
  local row = documents.row(name, id)
  if not row then return nil end
  local source, err = json.decode(row._source)
  if not source then return fail.failed("document [%s] of [%s]: %s", id, name, err.reason) end
  return source
end

return job_search
