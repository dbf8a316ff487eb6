--- Readers of the bodies that describe jobs (elastic-ml.md 3).
-- What they return is what @{blip.job.config} takes: only the form is checked here.
-- @module blip.api.elastic.job_body
local feed_body = require "blip.api.elastic.feed_body"
local object = require "blip.api.elastic.object"
local refuse = require "blip.job.refuse"

local text, long, boolean = object.text, object.long, object.boolean
local texts = object.list(object.text)

local job_body = {}

-- --- detectors ------------------------------------------------------------------------------

local condition = object.new("rule_condition", {
  applies_to = object.word { "actual", "typical", "diff_from_typical", "time" },
  operator = object.word { "gt", "gte", "lt", "lte" },
  value = object.double,
}, { required = { "applies_to", "operator", "value" } })

local scope = object.new("filter_ref", {
  filter_id = text,
  filter_type = object.word { "include", "exclude" },
}, { required = { "filter_id" } })

local shift = object.new("force_time_shift", { time_shift_amount = long }, {
  required = { "time_shift_amount" },
})
local rule_params = object.new("rule_params", { force_time_shift = object.nested(shift) })

local rule = object.new("detection_rule", {
  actions = object.list(object.word { "skip_result", "skip_model_update", "force_time_shift" }),
  scope = object.map(object.nested(scope)),
  conditions = object.list(object.nested(condition)),
  params = object.nested(rule_params),
})

--- The field `custom_rules`.
job_body.rules = object.list(object.nested(rule))

--- A detector.
job_body.detector = object.new("detector", {
  detector_description = text,
  ["function"] = text,
  field_name = text,
  by_field_name = text,
  over_field_name = text,
  partition_field_name = text,
  use_null = boolean,
  exclude_frequent = object.word { "all", "none", "by", "over" },
  custom_rules = job_body.rules,
  detector_index = object.integer,
})

-- --- analysis -------------------------------------------------------------------------------

local function name_or_object(reader, name, parser)
  return reader.token == "VALUE_STRING" and reader:text() or object.any(reader, name, parser)
end

local analyzer = object.nested(object.new("categorization_analyzer", {
  char_filter = object.list(name_or_object),
  tokenizer = name_or_object,
  filter = object.list(name_or_object),
}))

local function analyzer_or_name(reader, name, parser)
  return reader.token == "VALUE_STRING" and reader:text() or analyzer(reader, name, parser)
end

--- The field `per_partition_categorization`.
job_body.per_partition = object.nested(object.new("per_partition_categorization", {
  enabled = boolean,
  stop_on_warn = boolean,
}))

-- Settings that went away before 6.5: taken, and no longer heeded.
local FORGOTTEN = {
  overlapping_buckets = boolean,
  result_finalization_window = long,
  use_per_partition_normalization = boolean,
  batch_span = object.scalar_text,
  multiple_bucket_spans = object.list(object.scalar_text),
  period = long,
}

local function with(fields, more)
  for name, field in pairs(more) do fields[name] = field end
  return fields
end

local ANALYSIS = {
  bucket_span = text,
  categorization_field_name = text,
  categorization_filters = texts,
  categorization_analyzer = analyzer_or_name,
  per_partition_categorization = job_body.per_partition,
  latency = text,
  summary_count_field_name = text,
  detectors = object.list(object.nested(job_body.detector)),
  influencers = texts,
  multivariate_by_fields = boolean,
  model_prune_window = text,
}

--- An `analysis_config`; @{job_body.legacy_analysis} is that of the old prefix.
job_body.analysis = object.new("analysis_config", ANALYSIS)
job_body.legacy_analysis = object.new("analysis_config", with(with({}, ANALYSIS), FORGOTTEN))

local function memory_limit(reader, name, parser)
  return reader.token == "VALUE_NUMBER" and reader:long() or text(reader, name, parser)
end

--- The field `analysis_limits`.
job_body.limits = object.nested(object.new("analysis_limits", {
  model_memory_limit = memory_limit,
  categorization_examples_limit = long,
}))

--- The field `model_plot_config`.
job_body.model_plot = object.nested(object.new("model_plot_config", {
  enabled = boolean,
  terms = text,
  annotations_enabled = boolean,
}, { required = { "enabled" } }))

local data_description = object.new("data_description", {
  format = object.word { "xcontent", "delimited" },
  time_field = text,
  time_format = text,
  field_delimiter = text,
  quote_character = text,
})

-- --- the whole ------------------------------------------------------------------------------

local function job_fields(analysis)
  return {
    job_id = text,
    job_type = text,
    description = text,
    groups = texts,
    analysis_config = object.nested(analysis),
    analysis_limits = job_body.limits,
    data_description = object.nested(data_description),
    model_plot_config = job_body.model_plot,
    custom_settings = object.any,
    results_index_name = text,
    results_retention_days = long,
    system_annotations_retention_days = long,
    model_snapshot_retention_days = long,
    daily_model_snapshot_retention_after_days = long,
    renormalization_window_days = long,
    background_persist_interval = text,
    allow_lazy_open = boolean,
    datafeed_config = object.nested(feed_body.parser),
  }
end

--- What the server alone says of a job, in the order in which it is complained of.
local FORBIDDEN = {
  "create_time",
  "finished_time",
  "model_snapshot_id",
  "model_snapshot_min_version",
  "deleting",
  "blocked",
  "job_version",
}

local function with_forbidden(fields)
  for _, name in ipairs(FORBIDDEN) do fields[name] = object.tree end
  return fields
end

local DETAILS = "job_details"
local STRICT = object.new(DETAILS, job_fields(job_body.analysis))
local CURRENT = object.new(DETAILS, with_forbidden(job_fields(job_body.analysis)))
local LEGACY = object.new(DETAILS, with_forbidden(job_fields(job_body.legacy_analysis)))

local function check_forbidden(sent)
  local found = {}
  for _, name in ipairs(FORBIDDEN) do
    if sent[name] ~= nil then found[#found + 1] = name end
  end
  if #found > 0 then
    refuse.argument("The job is configured with fields [%s] that are illegal to set at job creation",
      table.concat(found, ", "))
  end
end

--- Reads the body of a request that makes a job.
-- @tparam string body
-- @tparam[opt] boolean legacy under the old prefix
-- @treturn table; raises the dialect's error
function job_body.read(body, legacy)
  local sent = (legacy and LEGACY or CURRENT):parse(body)
  check_forbidden(sent)
  return sent
end

--- Reads a body that only describes a job: what creation forbids is an unknown field.
function job_body.read_strictly(body)
  return STRICT:parse(body)
end

--- A job inside of another body.
job_body.job = object.nested(STRICT)

local detector_update = object.new("detector_update", {
  detector_index = object.integer,
  description = text,
  custom_rules = job_body.rules,
}, { required = { "detector_index" } })

--- The body of an update.
job_body.update = object.new("job_update", {
  job_id = text,
  groups = texts,
  description = text,
  detectors = object.list(object.nested(detector_update)),
  model_plot_config = job_body.model_plot,
  analysis_limits = job_body.limits,
  renormalization_window_days = long,
  background_persist_interval = text,
  model_snapshot_retention_days = long,
  daily_model_snapshot_retention_after_days = long,
  results_retention_days = long,
  system_annotations_retention_days = long,
  categorization_filters = texts,
  custom_settings = object.any,
  per_partition_categorization = job_body.per_partition,
  allow_lazy_open = boolean,
  model_prune_window = text,
})

return job_body
