--- Task documents: what a detector is doing, for people to look at (opensearch-ad.md 7.3).
-- A real-time run and a historical analysis each have one that is the latest.
-- @module blip.detector.tasks
local definition = require "blip.detector.definition"
local documents = require "blip.index.documents"
local json = require "runtime.json"
local system = require "blip.detector.system"
local time = require "runtime.time"

local INDEX = system.TASKS
local KEPT = 1 -- old tasks of a kind that stay (max_old_ad_task_docs_per_detector)

-- Node names; one process is the whole cluster.
local NODE = "blip"

local tasks = { INDEX = INDEX }

local ENDED = { FINISHED = true, FAILED = true, STOPPED = true }

local ORDER = {
  "last_update_time", "started_by", "stopped_by", "error", "state", "task_progress", "init_progress",
  "current_piece", "execution_start_time", "execution_end_time", "is_latest", "task_type",
  "coordinating_node", "worker_node", "detector_id", "detector", "detection_date_range", "user",
}

--- Has a task ended?
function tasks.is_ended(task)
  return ENDED[task.state] == true
end

local function type_of(d, historical)
  local kind = definition.is_single(d) and "SINGLE_ENTITY" or "HC_DETECTOR"
  return (historical and "HISTORICAL_" or "REALTIME_") .. kind
end

local function family(historical)
  if historical then return { "HISTORICAL_SINGLE_ENTITY", "HISTORICAL_HC_DETECTOR" } end
  return { "REALTIME_SINGLE_ENTITY", "REALTIME_HC_DETECTOR" }
end

-- A task is its document with `id` and the guard of the store beside it.
local function from_hit(hit)
  local task = hit._source
  return setmetatable({ id = hit._id, seq_no = hit._seq_no, task = task }, {
    __index = task,
    __newindex = task,
  })
end

--- Stores a task, unless somebody changed it since it was read.
-- @return true; or nil and an error, `conflict` when somebody was faster
function tasks.save(self)
  self.last_update_time = time.now_ms()
  local source = json.encode(json.ordered(self.task, ORDER))
  local guard = { if_seq_no = self.seq_no, if_primary_term = self.seq_no and 1 or nil }
  local answer, err = system.put(INDEX, self.id, source, guard)
  if not answer then return nil, err end
  rawset(self, "seq_no", answer._seq_no)
  rawset(self, "id", answer._id)
  return true
end

local function search(detector_id, historical, size)
  local answer, err = documents.search(INDEX, {
    size = size,
    sort = { { execution_start_time = "desc" } },
    seq_no_primary_term = true,
    query = { bool = { filter = {
      { term = { detector_id = detector_id } },
      { terms = { task_type = family(historical) } },
    } } },
  })
  if not answer then return nil, err end
  local list = {}
  for i, hit in ipairs(json.plain(answer.hits).hits) do list[i] = tasks.get(hit._id) end
  return list
end

--- A task by its id.
-- @return the task; or nil and `not_found`
function tasks.get(id)
  local hit, err = documents.get(INDEX, id)
  if not hit then return nil, err end
  return from_hit(hit)
end

--- The latest task of a detector, nil when there is none.
-- @tparam string detector_id
-- @tparam boolean historical
function tasks.latest(detector_id, historical)
  local list, err = search(detector_id, historical, 1)
  if not list then return nil, err end
  return list[1]
end

-- The tasks before a new one are no longer the latest; only a few of them stay.
local function retire(detector_id, historical)
  local old, err = search(detector_id, historical, 100)
  if not old then return nil, err end
  for i, task in ipairs(old) do
    if i > KEPT then
      documents.delete(INDEX, task.id)
    elseif task.is_latest then
      task.is_latest = false
      tasks.save(task)
    end
  end
  return true
end

--- Makes the task of a run that begins.
-- @tparam table d definition
-- @tparam[opt] table range `{ start_time =, end_time = }` ms of a historical analysis
-- @return the task; or nil and an error
function tasks.create(d, range)
  local historical = range ~= nil
  local ok, err = retire(d.id, historical)
  if not ok then return nil, err end
  local task = from_hit { _source = {
    state = "CREATED",
    task_progress = 0.0,
    init_progress = 0.0,
    execution_start_time = time.now_ms(),
    is_latest = true,
    task_type = type_of(d, historical),
    detector_id = d.id,
    detector = d.document,
    detection_date_range = range,
    coordinating_node = historical and NODE or nil,
    worker_node = historical and definition.is_single(d) and NODE or nil,
  } }
  ok, err = tasks.save(task)
  if not ok then return nil, err end
  return task
end

--- Ends a task.
-- @tparam table task
-- @tparam string state "FINISHED", "FAILED" or "STOPPED"
-- @tparam[opt] string problem what went wrong
function tasks.finish(task, state, problem)
  task.state, task.error = state, problem or task.error
  task.execution_end_time = time.now_ms()
  return tasks.save(task)
end

--- The historical analyses that have not ended, of all detectors.
function tasks.unfinished()
  local answer, err = documents.search(INDEX, {
    size = 10000,
    query = { bool = { filter = {
      { terms = { task_type = family(true) } },
      { terms = { state = { "CREATED", "INIT", "RUNNING" } } },
    } } },
  })
  if not answer then return nil, err end
  local list = {}
  for _, hit in ipairs(json.plain(answer.hits).hits) do list[#list + 1] = tasks.get(hit._id) end
  return list
end

--- Searches task documents; as `documents.search`.
function tasks.search(body)
  return documents.search(INDEX, body)
end

return tasks
