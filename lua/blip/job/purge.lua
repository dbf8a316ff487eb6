--- Deletes documents of jobs in bulk.
-- @module blip.job.purge
local documents = require "blip.index.documents"
local job_index = require "blip.result.job_index"
local job_write = require "blip.result.job_write"
local json = require "runtime.json"
local work = require "runtime.work"

local purge = {}

local CHUNK = 5000

local function ids(index, query)
  local answer, err = documents.search(index, {
    query = query, size = CHUNK, sort = json.array { "_doc" }, _source = false,
  })
  if not answer then return nil, err end
  local list = {}
  for i, hit in ipairs(json.plain(answer.hits).hits) do list[i] = hit._id end
  return list
end

local function delete(c, index, list)
  local lines = {}
  for i, id in ipairs(list) do lines[i] = job_write.deletion(id) end
  return job_write.lines(c, index, table.concat(lines))
end

--- Deletes the documents of an index for which a query holds, some thousands at a time.
-- @param c connection, in no transaction
-- @tparam string index not an alias; one that is not there has no documents
-- @tparam table query JSON
-- @treturn integer how many; or nil and an error
function purge.matching(c, index, query)
  local count = 0
  while true do
    work.check()
    local list, err = ids(index, query)
    if not list then return nil, err end
    if #list == 0 then return count end
    local ok
    ok, err = delete(c, index, list)
    if not ok then return nil, err end
    count = count + #list
  end
end

--- Deletes all documents of a job in its results index.
-- @tparam table job its configuration
function purge.results(c, job)
  return purge.matching(c, job_index.name(job), { term = { job_id = job.job_id } })
end

--- Deletes the annotations of a job that Blip made, or all of them.
-- @tparam boolean of_users also those that people wrote
function purge.annotations(c, job, of_users)
  local clauses = { { term = { job_id = job.job_id } } }
  if not of_users then clauses[2] = { term = { create_username = "_xpack" } } end
  return purge.matching(c, job_index.ANNOTATIONS, { bool = { filter = json.array(clauses) } })
end

return purge
