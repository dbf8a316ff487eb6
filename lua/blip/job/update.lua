--- Changes to a job's configuration (elastic-ml.md 3.8).
-- @module blip.job.update
local analysis = require "blip.job.analysis"
local categorization = require "blip.job.categorization"
local config = require "blip.job.config"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local rule = require "blip.job.rule"
local settings = require "blip.job.settings"
local units = require "blip.job.units"

local LIMITS = { "model_memory_limit", "categorization_examples_limit" }

local update = {}

local function change_detector(job, sent)
  local detectors = job.analysis_config.detectors
  local index = sent.detector_index
  local d = detectors[index + 1]
  if not d then
    refuse.status(400, "Supplied detector_index [%d] is >= the number of detectors [%d]", index, #detectors)
  end
  d.detector_description = sent.description or d.detector_description
  if sent.custom_rules then d.custom_rules = rule.list(sent.custom_rules, d) end
end

-- A limit may shrink, though not below what the models have now.
local function change_limits(job, sent, state)
  if state.is_open then refuse.status(400, "Cannot update analysis_limits while the job is open") end
  local limits = job.analysis_limits
  for _, name in ipairs(LIMITS) do sent[name] = sent[name] or limits[name] end
  local wanted = config.limits(sent)
  local bytes, used = units.bytes(wanted.model_memory_limit, "model_memory_limit"), state.model_bytes or 0
  if bytes < used then
    refuse.status(400, "Invalid update value for analysis_limits: model_memory_limit cannot be decreased "
      .. "below current usage; current usage [%s], update had [%s]", settings.size_text(used),
      settings.size_text(bytes))
  end
  job.analysis_limits = wanted
end

local function needs_categories(job, name)
  if not job.analysis_config.categorization_field_name then
    refuse.argument("%s require setting categorization_field_name", name)
  end
end

local function change_analysis(job, sent)
  local a = job.analysis_config
  if sent.categorization_filters then
    needs_categories(job, "categorization_filters")
    categorization.check_filters(sent.categorization_filters)
    a.categorization_analyzer = categorization.default_analyzer(sent.categorization_filters)
  end
  if sent.per_partition_categorization then
    needs_categories(job, "per_partition_categorization")
    a.per_partition_categorization =
      categorization.per_partition(sent.per_partition_categorization, a.detectors)
  end
  if sent.model_prune_window then
    analysis.check_prune_window(sent.model_prune_window, a.bucket_span)
    a.model_prune_window = sent.model_prune_window
  end
end

--- The names of what an update changes, in order, as the notification about it lists them.
-- @tparam table sent
function update.fields(sent)
  local names = {}
  for name in pairs(sent) do
    if name ~= "job_id" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Applies an update to a job.
-- @tparam table job changed in place
-- @tparam table sent what a body says: the fields of the REST interface
-- @tparam table state `is_open`, and `model_bytes` of its models (nil before they exist)
-- @return the job; raises the dialect's error
function update.apply(job, sent, state)
  for _, name in ipairs(config.COPIED) do
    if sent[name] ~= nil then job[name] = sent[name] end
  end
  if sent.allow_lazy_open ~= nil then job.allow_lazy_open = sent.allow_lazy_open end
  if sent.groups then job.groups = config.groups(sent.groups) end
  for _, each in ipairs(sent.detectors or {}) do change_detector(job, each) end
  if sent.model_plot_config then job.model_plot_config = config.model_plot(sent.model_plot_config) end
  if sent.analysis_limits then change_limits(job, sent.analysis_limits, state) end
  change_analysis(job, sent)
  if job.custom_settings then json.object(job.custom_settings) end
  return config.settle(job)
end

return update
