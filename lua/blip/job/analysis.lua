--- What a job analyses: its `analysis_config` and `data_description` (elastic-ml.md 3.2 and 3.5).
-- @module blip.job.analysis
local categorization = require "blip.job.categorization"
local detector = require "blip.job.detector"
local functions = require "blip.job.functions"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local time = require "runtime.time"
local units = require "blip.job.units"

local KEYS = {
  "bucket_span",
  "categorization_field_name",
  "categorization_filters",
  "categorization_analyzer",
  "per_partition_categorization",
  "latency",
  "summary_count_field_name",
  "detectors",
  "influencers",
  "multivariate_by_fields",
  "model_prune_window",
}
local DATA_KEYS = { "format", "time_field", "time_format", "field_delimiter", "quote_character" }

local DEFAULT_SPAN = "5m"
local SECOND, DAY = 1000, 86400000
local MOST = 10000 -- detectors, or influencers
local MIN_PRUNE_BUCKETS, DEFAULT_PRUNE_BUCKETS, DEFAULT_PRUNE_MS = 2, 20, 30 * DAY

local analysis = {}

local function whole_seconds(name, text)
  local ms = units.time_ms(text, name)
  if ms % SECOND ~= 0 then
    refuse.argument("%s has to be a multiple of 1s; actual was '%s'", name, text)
  end
  return ms
end

local function check_span(text)
  local ms = whole_seconds("bucket_span", text)
  if ms <= 0 then
    refuse.argument("bucket_span cannot be less or equal than 0. Value = %s",
      text == "0" and "0s" or text)
  end
  return ms
end

--- What is deprecated about a span that does not divide a day; nil when it does.
-- @tparam string text the span as it was written
function analysis.span_warning(text)
  local ms = units.time_ms(text, "bucket_span")
  if DAY % ms == 0 then return nil end
  return ("bucket_span %s [%ds] is not an integral divisor of the number of seconds in 1d [86400s]. "
    .. "This is now deprecated."):format(text, ms // SECOND)
end

local function check_latency(text)
  if units.time_ms(text, "latency") < 0 then
    refuse.argument("latency cannot be less than 0. Value = %s", text)
  end
  whole_seconds("latency", text)
end

--- Checks how long a series may be silent before its model goes.
-- @tparam string text
-- @tparam string span the job's
function analysis.check_prune_window(text, span)
  local ms, span_ms = units.time_ms(text, "model_prune_window"), units.time_ms(span, "bucket_span")
  if ms % span_ms ~= 0 then
    refuse.argument("model_prune_window [%s] must be a multiple of bucket_span [%s]", text, span)
  elseif ms // span_ms < MIN_PRUNE_BUCKETS then
    refuse.argument("model_prune_window [%s] must be at least %d times greater than bucket_span [%s]", text,
      MIN_PRUNE_BUCKETS, span)
  end
end

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

-- Thirty days or twenty spans, whichever is longer: in whole days that are whole spans, or in whole
-- spans where that would make it much longer.
local function default_prune_window(span_ms)
  local least = math.max(DEFAULT_PRUNE_MS, DEFAULT_PRUNE_BUCKETS * span_ms)
  local both = span_ms // gcd(span_ms, DAY) * (DAY + 0.0) -- as a whole number it may wrap around
  local in_days = math.ceil(least / both) * both
  if in_days <= 2 * least then return units.time_text(math.tointeger(in_days)) end
  return units.time_text(-(-least // span_ms) * span_ms)
end

local function check_duplicates(detectors)
  local seen = {}
  for _, d in ipairs(detectors) do
    local identity = detector.identity(d)
    if seen[identity] then
      refuse.argument("Duplicate detectors are not allowed: [%s]", detector.describe(d))
    end
    seen[identity] = true
  end
end

local function read_detectors(sent, summary_field)
  if not sent or #sent == 0 then refuse.argument "No detectors configured" end
  local list = {}
  for i, each in ipairs(sent) do
    list[i] = detector.normal(each, i - 1)
    local name = list[i]["function"]
    if summary_field and not functions.find(name).summarised then
      refuse.argument("The '%s' function cannot be used in jobs that will take pre-summarized input", name)
    end
  end
  check_duplicates(list)
  return json.array(list)
end

local function check_summary_field(name)
  if name == "" then refuse.argument "summary_count_field_name may not be empty" end
  if name then detector.check_field_name(name) end
end

--- The names of all fields that an analysis reads, sorted, each once; the time field is none of them.
function analysis.fields(config)
  local names = {}
  local function add(name)
    if name and name ~= categorization.FIELD then names[name] = true end
  end
  add(config.summary_count_field_name)
  add(config.categorization_field_name)
  for _, d in ipairs(config.detectors) do
    for _, key in ipairs(detector.FIELDS) do add(d[key]) end
  end
  for _, name in ipairs(config.influencers) do add(name) end
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function check_dotted(config)
  local names = analysis.fields(config)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  for _, name in ipairs(names) do
    local parent = name
    repeat
      parent = parent:match "^(.+)%.[^.]*$"
      if parent and known[parent] then
        refuse.argument("Fields [%s] and [%s] cannot both be used in the same analysis_config", parent, name)
      end
    until not parent
  end
end

-- Lists that are longer than any index has fields are not looked at.
local function check_number(name, list)
  if list and #list > MOST then
    refuse.argument("analysis_config has %d %s, more than %d", #list, name, MOST)
  end
end

--- The normal form of an `analysis_config`.
-- @tparam table sent what a body said
-- @return an ordered table, as it is stored and shown; raises the dialect's error
function analysis.normal(sent)
  check_number("detectors", sent.detectors)
  check_number("influencers", sent.influencers)
  local span = sent.bucket_span or DEFAULT_SPAN
  local span_ms = check_span(span)
  if sent.latency then check_latency(sent.latency) end
  check_summary_field(sent.summary_count_field_name)
  local config = {
    bucket_span = span,
    latency = sent.latency,
    summary_count_field_name = sent.summary_count_field_name,
    detectors = read_detectors(sent.detectors, sent.summary_count_field_name),
    influencers = json.array(sent.influencers or {}),
    multivariate_by_fields = sent.multivariate_by_fields,
    model_prune_window = sent.model_prune_window or default_prune_window(span_ms),
  }
  categorization.add(config, sent)
  analysis.check_prune_window(config.model_prune_window, span)
  check_dotted(config)
  return analysis.ordered(config)
end

--- Puts the settings of an analysis in their order.
function analysis.ordered(config)
  for _, d in ipairs(config.detectors) do detector.ordered(d) end
  categorization.ordered(config)
  return json.ordered(config, KEYS)
end

--- Puts the settings of a `data_description` in their order.
function analysis.ordered_data(data)
  return json.ordered(data, DATA_KEYS)
end

local EPOCH = { epoch = true, epoch_ms = true }

local function check_time_format(format)
  if EPOCH[format] then return end
  if format == "" or not time.check_format(format) then
    refuse.argument("Invalid Time format string '%s'", format)
  end
end

--- The normal form of a `data_description`.
-- @tparam table sent `format`, `time_field`, `time_format`, `field_delimiter`, `quote_character`
-- @return an ordered table; raises the dialect's error
function analysis.data_description(sent)
  if sent.time_field == "" then refuse.argument "time_field may not be empty" end
  local data = { time_field = sent.time_field or "time", time_format = sent.time_format or "epoch_ms" }
  check_time_format(data.time_format)
  if sent.format == "delimited" then
    data.format = "delimited"
    data.field_delimiter, data.quote_character = sent.field_delimiter or "\t", sent.quote_character or '"'
  end
  return analysis.ordered_data(data)
end

--- Refuses a job that analyses its own clock.
function analysis.check_time_field(config, data)
  for _, name in ipairs(analysis.fields(config)) do
    if name == data.time_field then
      refuse.argument "data_description.time_field may not be used in the analysis_config"
    end
  end
end

return analysis
