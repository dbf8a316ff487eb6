--- The settings of a job that sorts its records into categories (elastic-ml.md 3.2 and 3.4).
-- They are checked, kept and shown; such a job cannot be opened.
-- @module blip.job.categorization
local json = require "runtime.json"
local refuse = require "blip.job.refuse"

local categorization = {
  --- The name under which detectors refer to a record's category.
  FIELD = "mlcategory",
}

local USES = { "by_field_name", "over_field_name", "partition_field_name" }
local MONTHS = "January February March April May June July August September October November December"
local DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
local MAX_TOKENS = "100"
local ANALYZER_KEYS = { "char_filter", "tokenizer", "filter" }
local PARTITION_KEYS = { "enabled", "stop_on_warn" }

local function uses_category(d)
  for _, key in ipairs(USES) do
    if d[key] == categorization.FIELD then return true end
  end
  return false
end

-- Names of days and months, full and in three letters, which say nothing about a message.
local function stop_words()
  local words = {}
  for _, text in ipairs { DAYS, MONTHS } do
    for name in text:gmatch "%a+" do words[#words + 1] = name end
    for name in text:gmatch "%a+" do
      if #name > 3 then words[#words + 1] = name:sub(1, 3) end
    end
  end
  words[#words + 1], words[#words + 2] = "GMT", "UTC"
  return json.array(words)
end

--- The analyzer that a job has when it names none.
-- @tparam[opt] {string,...} patterns what to leave out of messages
function categorization.default_analyzer(patterns)
  local char_filter = { "first_line_with_letters" }
  for _, pattern in ipairs(patterns or {}) do
    char_filter[#char_filter + 1] = json.ordered({ type = "pattern_replace", pattern = pattern }, { "type" })
  end
  return json.ordered({
    char_filter = json.array(char_filter),
    tokenizer = "ml_standard",
    filter = json.array {
      json.ordered({ type = "stop", stopwords = stop_words() }, { "type" }),
      json.ordered({ type = "limit", max_token_count = MAX_TOKENS }, { "type" }),
    },
  }, ANALYZER_KEYS)
end

-- Brackets and groups that are left open are the mistakes that can be told without a regex compiler.
local function is_regex(text)
  local bare = text:gsub("\\.", "")
  if bare:find "\\$" or bare:find "^[*+?]" then return false end
  local depth, in_class = 0, false
  for c in bare:gmatch "." do
    if in_class then
      in_class = c ~= "]"
    elseif c == "[" then
      in_class = true
    elseif c == "(" then
      depth = depth + 1
    elseif c == ")" then
      depth = depth - 1
      if depth < 0 then return false end
    end
  end
  return depth == 0 and not in_class
end

--- Checks the patterns that are left out of messages.
function categorization.check_filters(filters)
  local seen = {}
  for _, text in ipairs(filters) do
    if text == "" then refuse.argument "categorization_filters are not allowed to contain empty strings" end
    if seen[text] then refuse.argument "categorization_filters contain duplicates" end
    if not is_regex(text) then
      refuse.argument("categorization_filters contains invalid regular expression '%s'", text)
    end
    seen[text] = true
  end
end

local function check_without_field(sent)
  if sent.categorization_filters then
    refuse.argument "categorization_filters require setting categorization_field_name"
  elseif sent.categorization_analyzer then
    refuse.argument "categorization_analyzer requires setting categorization_field_name"
  elseif sent.per_partition_categorization and sent.per_partition_categorization.enabled then
    refuse.argument "categorization_field_name must be set when per-partition categorization is enabled"
  end
end

local function check_partitions(detectors)
  local common
  for _, d in ipairs(detectors) do
    local partition = d.partition_field_name
    if partition == categorization.FIELD then
      refuse.argument("mlcategory cannot be used as a partition_field_name when per-partition "
        .. "categorization is enabled")
    elseif uses_category(d) and not partition then
      refuse.argument("partition_field_name must be set for detectors that reference mlcategory "
        .. "when per-partition categorization is enabled")
    elseif partition and common and partition ~= common then
      refuse.argument("partition_field_name cannot vary between detectors when per-partition categorization "
        .. "is enabled: [%s] and [%s] are used", common, partition)
    end
    common = common or partition
  end
end

--- The normal form of `per_partition_categorization`.
-- @tparam ?table sent `enabled`, `stop_on_warn`
-- @tparam {table,...} detectors of the job
-- @treturn table ordered; raises the dialect's error
function categorization.per_partition(sent, detectors)
  sent = sent or {}
  if sent.stop_on_warn and not sent.enabled then
    refuse.argument "stop_on_warn cannot be true in per_partition_categorization when enabled is false"
  elseif sent.enabled then
    check_partitions(detectors)
  end
  local partition = { enabled = sent.enabled or false }
  if sent.enabled then partition.stop_on_warn = sent.stop_on_warn or false end
  return json.ordered(partition, PARTITION_KEYS)
end

local function analyzer_of(sent)
  local analyzer, filters = sent.categorization_analyzer, sent.categorization_filters
  if filters then categorization.check_filters(filters) end
  if analyzer and filters then
    refuse.argument("categorization_filters cannot be used with categorization_analyzer - instead specify "
      .. "them as pattern_replace char_filters in the analyzer")
  end
  return analyzer or categorization.default_analyzer(filters)
end

--- Adds what a body said about categories to an analysis.
-- @tparam table config the analysis, with its `detectors`
-- @tparam table sent the `analysis_config` of the body
-- @return nothing; raises the dialect's error
function categorization.add(config, sent)
  local used = false
  for _, d in ipairs(config.detectors) do used = used or uses_category(d) end
  if not sent.categorization_field_name then
    check_without_field(sent)
    if used then refuse.argument "categorization_field_name must be set for mlcategory to be available" end
    return
  end
  if not used then
    refuse.argument("categorization_field_name is set but mlcategory is not used in any detector "
      .. "by/over/partition field")
  end
  config.categorization_field_name = sent.categorization_field_name
  config.categorization_analyzer = analyzer_of(sent)
  config.per_partition_categorization =
    categorization.per_partition(sent.per_partition_categorization, config.detectors)
end

--- Puts the parts of these settings in their order.
function categorization.ordered(config)
  local analyzer, partition = config.categorization_analyzer, config.per_partition_categorization
  if type(analyzer) == "table" then json.ordered(analyzer, ANALYZER_KEYS) end
  if partition then json.ordered(partition, PARTITION_KEYS) end
end

return categorization
