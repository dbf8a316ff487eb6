--- Which jobs there are: one document each in `.ml-config` (elastic-ml.md 3).
--     registry.get("requests")                 --> the job, or the dialect's 404 is raised
--     registry.list("web,api-*")               --> the jobs of group or id web and those that match
--     registry.update("requests", function(job) job.finished_time = nil return job end)
-- Jobs are as @{blip.job.config} makes them. Whether one is open is not its configuration.
-- @module blip.job.registry
local config = require "blip.job.config"
local refuse = require "blip.job.refuse"
local shelf = require "blip.job.shelf"

local jobs = shelf.new {
  index = ".ml-config", prefix = "anomaly_detector-", kind = "job", missing = "No known job with id '%s'",
  ordered = config.ordered,
}

local registry = {}

--- The names that an expression may use for a job: its id and its groups.
function registry.names_of(job)
  local names = { job.job_id }
  for _, group in ipairs(job.groups or {}) do names[#names + 1] = group end
  return names
end

-- Ids and groups share one space of names.
local function check_names(job)
  local own = {}
  for _, group in ipairs(job.groups or {}) do own[group] = true end
  for _, other in ipairs(jobs:all()) do
    if own[other.job_id] then config.refuse_clash(other.job_id, other.job_id) end
    for _, group in ipairs(other.groups or {}) do
      if group == job.job_id then config.refuse_clash(job.job_id, group) end
    end
  end
end

local function refuse_taken(id)
  refuse.exists("The job cannot be created with the Id '%s'. The Id is already used.", id)
end

--- Refuses a new job whose id or groups are taken: `resource_already_exists_exception`.
-- @tparam table job
function registry.check_free(job)
  if jobs:find(job.job_id) then refuse_taken(job.job_id) end
  check_names(job)
end

--- Stores a new job, whose names were checked by @{registry.check_free}.
-- @tparam table job
-- @treturn table the job; raises `resource_already_exists_exception` when somebody was faster
function registry.create(job)
  if not jobs:create(job.job_id, job) then refuse_taken(job.job_id) end
  return job
end

--- A job; nil when there is none.
function registry.find(id)
  return jobs:find(id)
end

--- A job; raises the dialect's 404.
function registry.get(id)
  return jobs:get(id)
end

--- The jobs that an expression names, in the order of their ids.
-- @tparam ?string expression see @{blip.job.ids.expand}
-- @tparam[opt=true] boolean allow_no_match whether a pattern may match nothing
-- @treturn {table,...} jobs; raises the dialect's 404
function registry.list(expression, allow_no_match)
  return jobs:list(expression, registry.names_of, allow_no_match)
end

--- Changes a job; `change` as @{blip.job.shelf} takes it.
function registry.update(id, change)
  return jobs:update(id, change)
end

--- Changes the groups of a job, and whatever else: the new groups are checked against all jobs.
function registry.update_groups(id, change)
  return jobs:update(id, function(job)
    local changed = change(job)
    if changed then check_names(changed) end
    return changed
  end)
end

--- Removes a job's document.
-- @treturn boolean whether there was one
function registry.delete(id)
  return jobs:delete(id)
end

return registry
