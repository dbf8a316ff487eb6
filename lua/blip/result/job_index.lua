--- The indices that a job's results go into (elastic-ml.md 5.15).
--
--     .ml-anomalies-shared          results of jobs that name no index of their own
--     .ml-anomalies-custom-<name>   results of jobs that name one
--     alias .ml-anomalies-<job>         -> the index, showing that job's documents alone
--     alias .ml-anomalies-.write-<job>  -> the index, for writing
--
-- A result is a document like any other: one that a client puts there is read as one of ours.
-- @module blip.result.job_index
local catalog = require "blip.index.catalog"
local fail = require "blip.fail"
local fields = require "blip.result.job_fields"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local mapping_check = require "blip.index.mapping_check"
local names = require "blip.index.names"
local own = require "blip.index.own"

local job_index = {
  ANNOTATIONS = ".ml-annotations-000001",
  ANNOTATIONS_READ = ".ml-annotations-read",
  ANNOTATIONS_WRITE = ".ml-annotations-write",
  NOTIFICATIONS = ".ml-notifications-000002",
  STATE = ".ml-state-000001",
}

local PREFIX, WRITE_PREFIX = ".ml-anomalies-", ".ml-anomalies-.write-"
local KEYWORD = { type = "keyword" }
local TOTAL_FIELDS, MOST_FIELDS = "index.mapping.total_fields.limit", 1000

--- The index of a job's results.
-- @tparam table job its configuration: `results_index_name` is "shared" or "custom-..."
function job_index.name(job)
  return PREFIX .. (job.results_index_name or "shared")
end

--- The alias under which a job's results are read.
function job_index.alias(job_id)
  return PREFIX .. job_id
end

--- The fields of a job's data that its results carry a copy of.
-- @tparam table job its configuration
-- @treturn table names in order; those that a result has anyway are left out
function job_index.term_fields(job)
  local seen = {}
  local function add(name)
    if name and not fields.RESULT[name] then seen[name] = true end
  end
  for _, detector in ipairs(job.analysis_config.detectors) do
    add(detector.by_field_name)
    add(detector.over_field_name)
    add(detector.partition_field_name)
  end
  for _, name in ipairs(job.analysis_config.influencers or {}) do add(name) end
  local list = {}
  for name in pairs(seen) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- A field cannot be a text and an object at once.
local function clash(m, name)
  local path = ""
  for part in name:gmatch "[^.]+" do
    path = path == "" and part or path .. "." .. part
    local is_object = m.objects[path] ~= nil
    local is_leaf = m.definitions[path] ~= nil and not is_object
    if path == name and is_object or path ~= name and is_leaf then return path end
  end
  return nil
end

local function count(definitions)
  local n = 0
  for _ in pairs(definitions) do n = n + 1 end
  return n
end

-- How many fields the index may have, which its settings may say.
local function most_fields(index)
  local said = (catalog.find(index).settings or {})[TOTAL_FIELDS]
  return math.max(math.tointeger(tonumber(said)) or MOST_FIELDS, MOST_FIELDS)
end

-- Every field of a job's data is a column: there cannot be any number of them.
local function check_total(index, properties, m)
  if count(m.definitions) + count(properties) <= most_fields(index) then return properties end
  return fail.invalid("Cannot create job in index '%s' as the %s setting will be violated", index,
    TOTAL_FIELDS)
end

local function missing_fields(job, index)
  local m, properties = mapping.get(index), {}
  for _, name in ipairs(job_index.term_fields(job)) do
    local existing = clash(m, name)
    if existing then
      return fail.invalid("This job would cause a mapping clash with existing field [%s] - avoid the clash "
        .. "by assigning a dedicated results index", existing)
    end
    if not m.definitions[name] then properties[name] = KEYWORD end
  end
  return check_total(index, properties, m)
end

local function add_fields(index, properties)
  if not next(properties) then return true end
  local checked, err = mapping_check.read { properties = properties }
  if not checked then return nil, err end
  local merged
  merged, err = mapping_check.merge(mapping.get(index).source, checked)
  if not merged then return nil, err end
  return catalog.change(index, { mapping = merged })
end

-- The other names of an index, and whether these of a job were missing.
local function with_aliases(index, job_id)
  local aliases = {}
  for alias, options in pairs(catalog.find(index).aliases) do aliases[alias] = json.object(options) end
  local read, write = PREFIX .. job_id, WRITE_PREFIX .. job_id
  if aliases[read] and aliases[write] then return aliases, false end
  aliases[read] = { is_hidden = true, filter = { term = { job_id = { value = job_id } } } }
  aliases[write] = { is_hidden = true }
  return aliases, true
end

--- Makes sure that a job's results have somewhere to go. Outside of a transaction.
-- @tparam table job its configuration
-- @return true; or nil and an error: `invalid` when one of its fields clashes with another job's
function job_index.prepare(job)
  local index = job_index.name(job)
  local ok, err = own.make(index, fields.RESULT)
  if not ok then return nil, err end
  local properties
  properties, err = missing_fields(job, index)
  if not properties then return nil, err end
  ok, err = add_fields(index, properties)
  if not ok then return nil, err end
  local aliases, changed = with_aliases(index, job.job_id)
  if not changed then return true end
  return catalog.change(index, { aliases = aliases })
end

--- The aliases of annotations, for those that read and those that write them.
local ANNOTATION_ALIASES = {
  [job_index.ANNOTATIONS_READ] = { is_hidden = true },
  [job_index.ANNOTATIONS_WRITE] = { is_hidden = true },
}

--- Makes sure that the index of annotations, of notifications or of states is there.
-- @tparam string index one of ANNOTATIONS, NOTIFICATIONS, STATE
function job_index.ensure(index)
  if index == job_index.ANNOTATIONS then return own.make(index, fields.ANNOTATION, ANNOTATION_ALIASES) end
  return own.make(index, index == job_index.NOTIFICATIONS and fields.NOTIFICATION or fields.STATE)
end

--- Takes away a job's aliases, and its index when that was its own and no other job's.
-- @tparam table job its configuration
function job_index.release(job)
  local index = job_index.name(job)
  local entry = catalog.find(index)
  if not entry then return true end
  local aliases, others = {}, false
  for alias, options in pairs(entry.aliases) do
    if alias ~= PREFIX .. job.job_id and alias ~= WRITE_PREFIX .. job.job_id then
      aliases[alias], others = json.object(options), true
    end
  end
  if index ~= PREFIX .. "shared" and not others then return catalog.delete(index) end
  return catalog.change(index, { aliases = aliases })
end

--- The concrete indices that hold results of a job: the alias's, or the index that its
-- configuration names when the alias was taken away.
-- @tparam table job its configuration
-- @treturn table as @{blip.index.names.resolve}; empty when there is none
function job_index.resolve(job)
  local alias = PREFIX .. job.job_id
  local name = catalog.alias(alias) and alias or job_index.name(job)
  return names.resolve(name, { ignore_unavailable = true })
end

return job_index
