--- A job's configuration in its normal form: checked, with every default, as it is stored and shown
-- (elastic-ml.md 3).
--     local job = config.new({ analysis_config = { detectors = { { ["function"] = "count" } } },
--                              data_description = {} }, { id = "requests" })
--     job.analysis_config.bucket_span              --> "5m"
--     config.bucket_span_ms(job)                   --> 300000
--     config.engine(job)                           --> what runtime.job wants
-- A job is one ordered table, which is what is stored; answers show its datafeed inside of it. What a
-- body says comes in as a plain table with the fields of the REST interface, spans of time and sizes
-- as texts. Everything raises the dialect's errors.
-- @module blip.job.config
local analysis = require "blip.job.analysis"
local fail = require "blip.fail"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local settings = require "blip.job.settings"
local time = require "runtime.time"
local units = require "blip.job.units"

local KEYS = {
  "job_id",
  "job_type",
  "job_version",
  "create_time",
  "finished_time",
  "model_snapshot_id",
  "deleting",
  "model_snapshot_min_version",
  "custom_settings",
  "datafeed_config",
  "groups",
  "description",
  "analysis_config",
  "analysis_limits",
  "data_description",
  "model_plot_config",
  "renormalization_window_days",
  "background_persist_interval",
  "model_snapshot_retention_days",
  "daily_model_snapshot_retention_after_days",
  "results_retention_days",
  "system_annotations_retention_days",
  "results_index_name",
  "allow_lazy_open",
  "blocked",
}
--- What a job is made with and its owner cannot say.
local GENERATED = {
  "job_type",
  "job_version",
  "create_time",
  "finished_time",
  "model_snapshot_id",
  "deleting",
  "model_snapshot_min_version",
  "blocked",
}

local VERSION = "8.4.0"
local SHARED, CUSTOM = "shared", "custom-"
local MEBIBYTE = 1 << 20
local EXAMPLES = 4
local SNAPSHOT_DAYS, DAILY_AFTER_DAYS = 10, 1
local MIN_PERSIST_MS, SECOND, HOUR, DAY = 3600000, 1000, 3600000, 86400000
local MOST_DAYS = 10000000
local MIN_RENORMALIZATION_DAYS, RENORMALIZATION_BUCKETS = 30, 100
local LIMIT_KEYS = { "model_memory_limit", "categorization_examples_limit" }
local PLOT_KEYS = { "enabled", "terms", "annotations_enabled" }
local DAYS = {
  "renormalization_window_days",
  "model_snapshot_retention_days",
  "daily_model_snapshot_retention_after_days",
  "results_retention_days",
  "system_annotations_retention_days",
}

local config = { VERSION = VERSION }

local function order(job, name, keys)
  if job[name] then json.ordered(job[name], keys) end
end

--- Puts the fields of a job in their order, and those of its parts.
function config.ordered(job)
  if job.analysis_config then analysis.ordered(job.analysis_config) end
  if job.data_description then analysis.ordered_data(job.data_description) end
  order(job, "analysis_limits", LIMIT_KEYS)
  order(job, "model_plot_config", PLOT_KEYS)
  return json.ordered(job, KEYS)
end

local function at_least(name, value, low)
  if value and value < low then
    refuse.argument("%s cannot be less than %d. Value = %d", name, low, value)
  end
end

-- --- parts ----------------------------------------------------------------------------------

-- A number counts mebibytes, a text has a unit.
local function memory_bytes(limit)
  if math.type(limit) then return limit * MEBIBYTE end
  if limit:find "^%d+$" then return math.tointeger(tonumber(limit)) * MEBIBYTE end
  return units.bytes(limit, "model_memory_limit")
end

local function check_memory(bytes)
  if bytes < MEBIBYTE then
    refuse.argument("model_memory_limit must be at least 1 MiB. Value = %d", bytes // MEBIBYTE)
  end
  local most = settings.max_model_memory_bytes()
  if most and bytes > most then
    refuse.argument("model_memory_limit [%s] must be less than the value of the "
      .. "xpack.ml.max_model_memory_limit setting [%s]", settings.size_text(bytes), settings.size_text(most))
  end
end

--- The normal form of `analysis_limits`.
-- @tparam table sent `model_memory_limit` (mebibytes, or a text with a unit), `categorization_examples_limit`
-- @treturn table ordered; raises the dialect's error
function config.limits(sent)
  at_least("categorization_examples_limit", sent.categorization_examples_limit, 0)
  local bytes = settings.default_memory_bytes()
  if sent.model_memory_limit then
    bytes = memory_bytes(sent.model_memory_limit)
    check_memory(bytes)
  end
  return json.ordered({
    model_memory_limit = ("%dmb"):format(bytes // MEBIBYTE),
    categorization_examples_limit = sent.categorization_examples_limit or EXAMPLES,
  }, LIMIT_KEYS)
end

--- The normal form of a `model_plot_config`.
function config.model_plot(sent)
  local annotations = sent.annotations_enabled
  if annotations == nil then annotations = sent.enabled end
  return json.ordered({
    enabled = sent.enabled, terms = sent.terms, annotations_enabled = annotations,
  }, PLOT_KEYS)
end

--- The groups of a job, sorted, each once; nil for none.
function config.groups(sent)
  if not sent or #sent == 0 then return nil end
  local list, seen = {}, {}
  for _, name in ipairs(sent) do
    ids.check_group(name)
    if not seen[name] then list[#list + 1] = name end
    seen[name] = true
  end
  table.sort(list)
  return json.array(list)
end

-- The name that is stored: only the shared index goes without a prefix.
local function results_index(sent)
  if not sent or sent == SHARED then return SHARED end
  ids.check("results_index_name", sent)
  return sent:sub(1, #CUSTOM) == CUSTOM and sent or CUSTOM .. sent
end

-- --- rules of the whole ---------------------------------------------------------------------

local function check_persist_interval(text)
  local ms = units.time_ms(text, "background_persist_interval")
  if ms % SECOND ~= 0 then
    refuse.argument("background_persist_interval has to be a multiple of 1s; actual was '%s'", text)
  end
  at_least("background_persist_interval", ms // SECOND, MIN_PERSIST_MS // SECOND)
end

local function settle_retention(job)
  for _, name in ipairs(DAYS) do at_least(name, job[name], 0) end
  local keep, daily = job.model_snapshot_retention_days, job.daily_model_snapshot_retention_after_days
  keep = keep or SNAPSHOT_DAYS
  daily = daily or math.min(DAILY_AFTER_DAYS, keep)
  if daily > keep then
    refuse.argument("The value of daily_model_snapshot_retention_after_days [%d] cannot be greater than "
      .. "model_snapshot_retention_days [%d]", daily, keep)
  end
  job.model_snapshot_retention_days, job.daily_model_snapshot_retention_after_days = keep, daily
end

local function check_own_groups(job)
  for _, group in ipairs(job.groups or {}) do
    if group == job.job_id then config.refuse_clash(job.job_id, group) end
  end
end

--- Refuses a group that has the name of a job.
function config.refuse_clash(job_id, group)
  refuse.exists("job and group names must be unique but job [%s] and group [%s] have the same name",
    job_id, group)
end

--- Checks what can only be seen in the whole job, and settles the defaults that hang together.
-- Creation and update both end with it.
-- @tparam table job changed in place
-- @return the job, ordered; raises the dialect's error
function config.settle(job)
  settle_retention(job)
  if job.background_persist_interval then check_persist_interval(job.background_persist_interval) end
  check_own_groups(job)
  analysis.check_time_field(job.analysis_config, job.data_description)
  return config.ordered(job)
end

--- What is kept as it was sent, and may be changed later.
config.COPIED = {
  "description",
  "custom_settings",
  "renormalization_window_days",
  "background_persist_interval",
  "model_snapshot_retention_days",
  "daily_model_snapshot_retention_after_days",
  "results_retention_days",
  "system_annotations_retention_days",
}

local function parts(sent)
  local job = {
    groups = config.groups(sent.groups),
    analysis_config = analysis.normal(sent.analysis_config),
    analysis_limits = config.limits(sent.analysis_limits or {}),
    data_description = analysis.data_description(sent.data_description),
    model_plot_config = sent.model_plot_config and config.model_plot(sent.model_plot_config),
    results_index_name = results_index(sent.results_index_name),
    allow_lazy_open = sent.allow_lazy_open or false,
  }
  for _, name in ipairs(config.COPIED) do job[name] = sent[name] end
  return job
end

--- A new job.
-- @tparam table sent what a body says; `datafeed_config` is not looked at
-- @tparam table options `id` from the URL (nil: of the body, which `_validate` takes), `now_ms`
-- @return the job; raises the dialect's error
function config.new(sent, options)
  ids.check_same("job_id", sent.job_id, options.id or sent.job_id)
  local id = options.id or sent.job_id
  if not sent.analysis_config then refuse.argument "An analysis_config must be set" end
  if not sent.data_description then refuse.argument "A data_description must be set" end
  if id then ids.check("job_id", id) end
  local job = parts(sent)
  job.job_id, job.job_type, job.job_version = id, "anomaly_detector", VERSION
  job.create_time = options.now_ms or time.now_ms()
  return config.settle(job)
end

-- --- reading a job --------------------------------------------------------------------------

--- The length of the job's buckets.
function config.bucket_span_ms(job)
  return units.time_ms(job.analysis_config.bucket_span, "bucket_span")
end

--- How long the job waits for late records.
function config.latency_ms(job)
  local latency = job.analysis_config.latency
  return latency and units.time_ms(latency, "latency") or 0
end

--- The milliseconds of some days; more than there ever were are as many.
function config.days_ms(days)
  return math.min(days, MOST_DAYS) * DAY
end

--- How far back scores are normalised anew when what is normal changes; 0 for never.
function config.renormalization_window_ms(job)
  local days = job.renormalization_window_days
  if days then return config.days_ms(days) end
  local buckets_ms = RENORMALIZATION_BUCKETS * config.bucket_span_ms(job)
  return math.max(config.days_ms(MIN_RENORMALIZATION_DAYS), buckets_ms)
end

--- How long after a snapshot of an open job the next one is due.
-- Jobs without a wish of their own are spread over the fourth hour.
function config.persist_interval_ms(job)
  local interval = job.background_persist_interval
  if interval then return units.time_ms(interval, "background_persist_interval") end
  local spread = 0
  for c in job.job_id:gmatch "." do spread = (spread * 31 + c:byte()) % HOUR end
  return 3 * HOUR + spread
end

--- The memory that the job's models may have.
function config.memory_limit_bytes(job)
  return units.bytes(job.analysis_limits.model_memory_limit, "model_memory_limit")
end

local function engine_detectors(job)
  local list = {}
  for i, d in ipairs(job.analysis_config.detectors) do
    list[i] = {
      ["function"] = d["function"], field = d.field_name, by = d.by_field_name, over = d.over_field_name,
      partition = d.partition_field_name, use_null = d.use_null or false,
      exclude_frequent = d.exclude_frequent, rules = d.custom_rules or {},
      description = d.detector_description,
    }
  end
  return list
end

local function engine_plot(job)
  local plot = job.model_plot_config
  if not plot then return nil end
  return { enabled = plot.enabled, terms = plot.terms, annotations = plot.annotations_enabled }
end

--- The job as the engine takes it, without `filters` and `events`, which are not part of a job.
-- @tparam table job
-- @treturn table for `runtime.job`; or nil and an `invalid` error for what the engine does not do
function config.engine(job)
  local a, data = job.analysis_config, job.data_description
  if a.categorization_field_name then
    return fail.invalid("Cannot open job [%s] because it uses categorization, which is not supported",
      job.job_id)
  end
  return {
    job_id = job.job_id,
    bucket_span_s = config.bucket_span_ms(job) // SECOND,
    latency_s = config.latency_ms(job) // SECOND,
    summary_count_field = a.summary_count_field_name,
    influencers = a.influencers,
    detectors = engine_detectors(job),
    multivariate_by_fields = a.multivariate_by_fields or false,
    time_field = data.time_field,
    time_format = data.time_format,
    format = data.format or "xcontent",
    delimiter = data.field_delimiter,
    quote = data.quote_character,
    model_plot = engine_plot(job),
    memory_limit_bytes = config.memory_limit_bytes(job),
    prune_window_s = units.time_ms(a.model_prune_window, "model_prune_window") // SECOND,
    renormalization_window_s = config.renormalization_window_ms(job) // SECOND,
  }
end

local CREATED_BY = "created_by"

local function without_creator(custom)
  if not custom or custom[CREATED_BY] == nil then return custom end
  local kept = {}
  for name, value in pairs(custom) do
    if name ~= CREATED_BY then kept[name] = value end
  end
  return json.object(kept)
end

--- A job as it can be put again: without what was generated.
-- @tparam table job
-- @treturn table another ordered table
function config.exported(job)
  local shown = {}
  for name, value in pairs(job) do shown[name] = value end
  for _, name in ipairs(GENERATED) do shown[name] = nil end
  shown.custom_settings = without_creator(job.custom_settings)
  return config.ordered(shown)
end

return config
