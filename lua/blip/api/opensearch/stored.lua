--- What the engine keeps about detectors, as the routes look at it.
-- @module blip.api.opensearch.stored
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"
local registry = require "blip.detector.registry"
local system = require "blip.detector.system"
local tasks = require "blip.detector.tasks"
local tokens = require "blip.api.opensearch.tokens"

local TASK = {
  "task_id",
  "last_update_time",
  "error",
  "state",
  "task_progress",
  "init_progress",
  "current_piece",
  "execution_start_time",
  "execution_end_time",
  "is_latest",
  "task_type",
  "coordinating_node",
  "worker_node",
  "entity",
  "parent_task_id",
  "estimated_minutes_left",
  "detector_id",
  "detector",
  "detection_date_range",
}
local JOB = {
  "name",
  "schedule",
  "window_delay",
  "enabled",
  "enabled_time",
  "last_update_time",
  "lock_duration_seconds",
  "type",
  "disabled_time",
  "result_index",
}
local MOST_TASKS = 10000

local stored = { INDEX = system.DETECTORS, TASKS = system.TASKS, JOBS = system.JOBS }

-- The value, or nil when it does not exist; any other error is raised.
local function found(value, err)
  if value or err.kind == "not_found" then
    return value
  end
  error(err, 0)
end

--- Whether there is an index or an alias of a name.
function stored.exists(name)
  return catalog.find(name) ~= nil or catalog.alias(name) ~= nil
end

--- Whether any detector was ever created.
function stored.any()
  return stored.exists(stored.INDEX)
end

--- Refuses to go on without an index.
function stored.need(index)
  if not stored.exists(index) then
    refuse.no_index(index, "index_or_alias")
  end
end

--- Searches indices and patterns.
-- @tparam {string,...} indices
-- @tparam table body of a `_search`
-- @return the answer, or nil and an error
function stored.search(indices, body)
  return documents.search(table.concat(indices, ","), body)
end

--- A detector, `{ _id, _version, _seq_no, _primary_term, _source }`; nil when there is none. The
-- source keeps the order in which it was stored.
function stored.find(id)
  local row = documents.row(stored.INDEX, id)
  return row and {
    _id = id,
    _version = row._version,
    _seq_no = row._seq_no,
    _primary_term = 1,
    _source = tokens.decode(row._source),
  }
end

--- As `find`; refuses an id that names none.
function stored.detector(id)
  return stored.find(id) or refuse.no_detector(id)
end

--- How many detectors a query finds, all of them when there is none.
function stored.count(query)
  if not stored.any() then
    return 0
  end
  return assert(stored.search({ stored.INDEX }, {
    query = query,
    size = 0,
    track_total_hits = true,
  })).hits.total.value
end

--- The job of a detector; nil when it was never started.
function stored.job(id)
  local job = found(documents.get(stored.JOBS, id))
  return job and json.ordered(job._source, JOB)
end

--- The latest task of a detector.
-- @tparam string family `realtime` or `historical`
-- @return the task as it is shown, with its id; nil when there is none
function stored.task(id, family)
  if not stored.exists(stored.TASKS) then
    return nil
  end
  local task, err = tasks.latest(id, family == "historical")
  if err then
    error(err, 0)
  elseif not task then
    return nil
  end
  local shown = { task_id = task.id }
  for name, value in pairs(task.task) do
    shown[name] = value
  end
  return json.ordered(shown, TASK)
end

--- Whether a task has not come to its end.
function stored.is_open(task)
  return not tasks.is_ended(task)
end

--- Writes a detector; what the store refuses is told in the plugin's words.
-- @tparam string failure what a write that fails is called
-- @tparam function write of the registry, called with the other arguments
-- @return the store's answer
function stored.write(failure, write, ...)
  local answer, err = write(...)
  if answer then
    return answer
  elseif err.kind == "conflict" then
    refuse.status(400, "There was a problem updating the config:[%s]", (...))
  elseif err.kind == "not_found" then
    refuse.no_detector((...))
  end
  refuse.status(500, failure)
end

-- Deletes the tasks of a detector, also those that are not the latest.
local function delete_tasks(id)
  if not stored.exists(stored.TASKS) then
    return
  end
  local answer = assert(stored.search({ stored.TASKS }, {
    size = MOST_TASKS,
    _source = false,
    query = { term = { detector_id = id } },
  }))
  for _, hit in ipairs(answer.hits.hits) do
    documents.delete(stored.TASKS, hit._id)
  end
end

--- Deletes a detector with its job and its tasks.
-- @return the store's answer, also when there is no such detector
function stored.delete(id)
  delete_tasks(id)
  if stored.job(id) then
    assert(documents.delete(stored.JOBS, id))
  end
  return assert(registry.delete(id))
end

return stored
