--- What the server as a whole sets for jobs: the most memory that a job may ask for, and upgrade mode.
-- The first are cluster settings of the dialect, kept in the document that holds all of them.
-- @module blip.job.settings
local documents = require "blip.index.documents"
local own = require "blip.index.own"
local units = require "blip.job.units"

local INDEX, CLUSTER, MODE = ".blip-settings", "cluster", "jobs"
local MAX_MEMORY = "xpack.ml.max_model_memory_limit"
local ASSIGNMENT = "cluster.persistent_tasks.allocation.enable"
local DEFAULT_MEMORY = 1 << 30
local SIZES = { { "gb", 1 << 30 }, { "mb", 1 << 20 }, { "kb", 1 << 10 } }

local settings = {}

local function source_of(id)
  local found = documents.get(INDEX, id)
  return found and found._source or {}
end

local function value_of(name)
  local source = source_of(CLUSTER)
  return source.transient and source.transient[name] or source.persistent and source.persistent[name]
end

--- The most memory that a job may ask for; nil without a limit.
function settings.max_model_memory_bytes()
  local text = value_of(MAX_MEMORY)
  local bytes = text and units.bytes(text, MAX_MEMORY)
  return bytes and bytes > 0 and bytes or nil
end

--- The memory of a job that asks for none.
function settings.default_memory_bytes()
  return math.min(DEFAULT_MEMORY, settings.max_model_memory_bytes() or DEFAULT_MEMORY)
end

--- Whether no job may be opened and no datafeed started.
function settings.assignment_disabled()
  return value_of(ASSIGNMENT) == "none"
end

--- Whether all jobs and datafeeds pause.
function settings.upgrade_mode()
  return source_of(MODE).upgrade_mode == true
end

--- Makes all jobs and datafeeds pause, or go on.
-- @tparam boolean enabled
function settings.set_upgrade_mode(enabled)
  assert(own.make(INDEX, {}))
  assert(documents.put(INDEX, MODE, { upgrade_mode = enabled }))
end

--- A size in the largest unit in which it is whole: `9gb`.
function settings.size_text(bytes)
  for _, unit in ipairs(SIZES) do
    if bytes % unit[2] == 0 then return ("%d%s"):format(bytes // unit[2], unit[1]) end
  end
  return ("%db"):format(bytes)
end

return settings
