--- A datafeed's configuration in its normal form (elastic-ml.md 8.1 and 8.2).
--     local feed = feed_config.new({ job_id = "requests", indices = { "logs-*" } }, "feed-requests")
--     feed_config.check_job(feed, job)     -- the two must fit
-- As with jobs, a datafeed is one ordered table, which is what is stored and shown; everything raises
-- the dialect's errors.
-- @module blip.job.feed_config
local config = require "blip.job.config"
local feed_aggregation = require "blip.job.feed_aggregation"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local refuse = require "blip.job.refuse"
local units = require "blip.job.units"

local KEYS = {
  "datafeed_id",
  "job_id",
  "authorization",
  "query_delay",
  "chunking_config",
  "indices_options",
  "query",
  "frequency",
  "indices",
  "aggregations",
  "script_fields",
  "scroll_size",
  "delayed_data_check_config",
  "max_empty_searches",
  "runtime_mappings",
}
local CHUNKING_KEYS, CHECK_KEYS = { "mode", "time_span" }, { "enabled", "check_window" }
local OPTION_KEYS = { "expand_wildcards", "ignore_unavailable", "allow_no_indices", "ignore_throttled" }

local SCROLL_SIZE, MAX_SCROLL_SIZE = 1000, 10000
local SECOND, MINUTE, HOUR, DAY = 1000, 60000, 3600000, 86400000
local CHUNK_BUCKETS = 1000
local MAX_CHECK_BUCKETS, CHECK_BUCKETS, MIN_CHECK_MS = 10000, 8, 2 * HOUR

local feed_config = {}

--- Puts the fields of a datafeed in their order, and those of its parts.
function feed_config.ordered(feed)
  if feed.chunking_config then json.ordered(feed.chunking_config, CHUNKING_KEYS) end
  if feed.delayed_data_check_config then json.ordered(feed.delayed_data_check_config, CHECK_KEYS) end
  if feed.indices_options then json.ordered(feed.indices_options, OPTION_KEYS) end
  return json.ordered(feed, KEYS)
end

-- --- defaults -------------------------------------------------------------------------------

-- Between one and two minutes, spread over the jobs, and the same for a job whenever it is asked.
local function default_delay(job_id)
  local spread = 7
  for c in job_id:gmatch "." do spread = (spread * 31 + c:byte()) % 1000003 end
  return units.time_text(MINUTE + spread % MINUTE)
end

local function default_chunking(feed)
  if not feed.aggregations then return { mode = "auto" } end
  local histogram = feed_aggregation.describe(feed.aggregations)
  if histogram.is_composite then return { mode = "off" } end
  return { mode = "manual", time_span = units.time_text(CHUNK_BUCKETS * histogram.interval_ms) }
end

local function default_options()
  return {
    expand_wildcards = json.array { "open" }, ignore_unavailable = false, allow_no_indices = true,
    ignore_throttled = true,
  }
end

local function match_all()
  return { match_all = { boost = 1.0 } }
end

local WILDCARDS = { "open", "closed", "hidden" }

-- Kinds of indices in one order, whatever the order was in which they were named.
local function settle_wildcards(feed)
  local named, list = {}, {}
  for _, word in ipairs(feed.indices_options.expand_wildcards) do named[word] = true end
  for _, word in ipairs(WILDCARDS) do
    if named[word] or named.all then list[#list + 1] = word end
  end
  feed.indices_options.expand_wildcards = json.array(list)
end

-- --- rules ----------------------------------------------------------------------------------

local function invalid(name, value)
  refuse.argument("Invalid %s value '%s' in datafeed configuration", name, value)
end

local function check_numbers(feed)
  local size = feed.scroll_size
  if size < 0 or size > MAX_SCROLL_SIZE then invalid("scroll_size", size) end
  local empty = feed.max_empty_searches
  if empty == -1 then feed.max_empty_searches = nil end
  if feed.max_empty_searches and empty <= 0 then invalid("max_empty_searches", empty) end
end

local function check_times(feed)
  local delay = units.time_ms(feed.query_delay, "query_delay")
  if delay < 0 then
    refuse.argument("query_delay cannot be less than 0. Value = %s", feed.query_delay)
  end
  if not feed.frequency then return end
  local frequency = units.time_ms(feed.frequency, "frequency")
  if frequency <= 0 then
    refuse.argument("frequency cannot be less or equal than 0. Value = %s", feed.frequency)
  elseif frequency % SECOND ~= 0 then
    refuse.argument("frequency has to be a multiple of 1s; actual was '%s'", feed.frequency)
  end
end

local function check_chunking(chunking)
  local span = chunking.time_span
  if chunking.mode == "manual" then
    if not span then refuse.argument "when chunk mode is manual time_span is required" end
    if units.time_ms(span, "time_span") <= 0 then refuse.argument "chunk time_span has to be positive" end
  elseif span then
    refuse.argument "chunk time_span may only be set when mode is manual"
  end
end

local function check_aggregations(feed)
  if not feed.aggregations then return end
  if feed.script_fields then
    refuse.argument "script_fields cannot be used in combination with aggregations"
  end
  feed_aggregation.describe(feed.aggregations)
end

-- Checks the whole and puts it in order; creation and update both end with it.
local function settle(feed)
  if not feed.indices or #feed.indices == 0 then invalid("indices", "[]") end
  for _, name in ipairs(feed.indices) do
    if name == "" then invalid("indices", json.encode(feed.indices)) end
  end
  settle_wildcards(feed)
  check_numbers(feed)
  check_times(feed)
  check_aggregations(feed)
  check_chunking(feed.chunking_config)
  return feed_config.ordered(feed)
end

--- A new datafeed.
-- @tparam table sent what a body says
-- @tparam string id
-- @treturn table the datafeed; raises the dialect's error
function feed_config.new(sent, id)
  ids.check_same("datafeed_id", sent.datafeed_id, id)
  ids.check("datafeed_id", id)
  if not sent.job_id or sent.job_id == "" then invalid("job_id", sent.job_id or "null") end
  local feed = {
    datafeed_id = id, job_id = sent.job_id, indices = sent.indices, frequency = sent.frequency,
    query_delay = sent.query_delay or default_delay(sent.job_id),
    query = sent.query or match_all(), aggregations = sent.aggregations, script_fields = sent.script_fields,
    scroll_size = sent.scroll_size or SCROLL_SIZE,
    delayed_data_check_config = sent.delayed_data_check_config or { enabled = true },
    max_empty_searches = sent.max_empty_searches,
    runtime_mappings = json.object(sent.runtime_mappings or {}),
    indices_options = default_options(),
  }
  for name, value in pairs(sent.indices_options or {}) do feed.indices_options[name] = value end
  feed.chunking_config = sent.chunking_config or default_chunking(feed)
  return settle(feed)
end

local CHANGEABLE = {
  "indices",
  "frequency",
  "query_delay",
  "query",
  "aggregations",
  "script_fields",
  "scroll_size",
  "delayed_data_check_config",
  "max_empty_searches",
  "runtime_mappings",
  "chunking_config",
}

--- Applies an update to a datafeed.
-- @tparam table feed changed in place
-- @tparam table sent what a body says
-- @treturn table the datafeed; raises the dialect's error
function feed_config.update(feed, sent)
  ids.check_same("datafeed_id", sent.datafeed_id, feed.datafeed_id)
  if sent.job_id and sent.job_id ~= feed.job_id then
    refuse.status(400, "Datafeed's job_id cannot be changed")
  end
  for _, name in ipairs(CHANGEABLE) do
    if sent[name] ~= nil then feed[name] = sent[name] end
  end
  for name, value in pairs(sent.indices_options or {}) do feed.indices_options[name] = value end
  return settle(feed)
end

-- --- with its job ---------------------------------------------------------------------------

local function check_delayed_data(check, span_ms, span)
  if not check.enabled or not check.check_window then return end
  local window = units.time_ms(check.check_window, "check_window")
  if window <= span_ms then
    refuse.argument("delayed_data_check_config: check_window [%s] must be greater than the bucket_span [%s]",
      check.check_window, span)
  elseif window > DAY then
    refuse.argument("delayed_data_check_config: check_window [%s] must be less than or equal to [24h]",
      check.check_window)
  elseif window > MAX_CHECK_BUCKETS * span_ms then
    refuse.argument("delayed_data_check_config: check_window [%s] must be less than 10,000x the bucket_span "
      .. "[%s]", check.check_window, span)
  end
end

local function check_histogram(feed, job, span_ms)
  local histogram = feed_aggregation.describe(feed.aggregations)
  local interval = histogram.interval_ms
  if not job.analysis_config.summary_count_field_name then
    refuse.argument("A job configured with a datafeed with aggregations must set summary_count_field_name; "
      .. "use doc_count or suitable alternative")
  elseif span_ms % interval ~= 0 then
    refuse.argument("Aggregation interval [%s] must be a divisor of the bucket_span [%s]",
      units.time_text(interval), units.time_text(span_ms))
  elseif histogram.field ~= job.data_description.time_field then
    refuse.argument("Missing max aggregation for time_field [%s]", job.data_description.time_field)
  elseif feed.frequency and units.time_ms(feed.frequency, "frequency") % interval ~= 0 then
    refuse.argument("Datafeed frequency [%s] must be a multiple of the aggregation interval [%s]",
      feed.frequency, units.time_text(interval))
  end
end

--- Refuses a datafeed that does not fit its job.
-- @tparam table feed
-- @tparam table job as @{blip.job.config} makes it
function feed_config.check_job(feed, job)
  local span_ms = config.bucket_span_ms(job)
  if config.latency_ms(job) > 0 then
    refuse.argument "A job configured with datafeed cannot support latency"
  end
  if feed.aggregations then check_histogram(feed, job, span_ms) end
  check_delayed_data(feed.delayed_data_check_config, span_ms, job.analysis_config.bucket_span)
end

--- How often the datafeed searches in real time.
-- @tparam table feed
-- @tparam table job
-- @treturn integer milliseconds
function feed_config.frequency_ms(feed, job)
  if feed.frequency then return units.time_ms(feed.frequency, "frequency") end
  local span = config.bucket_span_ms(job)
  local frequency = span <= 2 * MINUTE and MINUTE or span <= 20 * MINUTE and span // 2
    or span <= 12 * HOUR and 10 * MINUTE or HOUR
  if not feed.aggregations then return frequency end
  local interval = feed_aggregation.describe(feed.aggregations).interval_ms
  return math.max(1, frequency // interval) * interval
end

--- How long the datafeed waits for late documents, in milliseconds.
function feed_config.query_delay_ms(feed)
  return units.time_ms(feed.query_delay, "query_delay")
end

--- How far back the datafeed looks for documents that came too late; nil when it does not look.
-- @treturn ?integer milliseconds
function feed_config.check_window_ms(feed, job)
  local check = feed.delayed_data_check_config
  if not check.enabled then return nil end
  if check.check_window then return units.time_ms(check.check_window, "check_window") end
  return math.max(MIN_CHECK_MS, CHECK_BUCKETS * config.bucket_span_ms(job))
end

--- The histogram of a datafeed's aggregations, as @{blip.job.feed_aggregation.describe}; nil without any.
function feed_config.histogram(feed)
  return feed.aggregations and feed_aggregation.describe(feed.aggregations)
end

-- With whose rights a datafeed reads: a key's, or those of some roles.
local function authorization(user)
  if not user then return nil end
  if user.api_key then return { api_key = json.ordered(user.api_key, { "id", "name" }) } end
  return { roles = json.array(user.roles) }
end

--- A datafeed as it is answered: with whose rights it reads instead of who made it.
function feed_config.shown(feed)
  local shown = {}
  for name, value in pairs(feed) do shown[name] = value end
  shown.user, shown.authorization = nil, authorization(feed.user)
  return feed_config.ordered(shown)
end

local function same_chunking(a, b)
  return a.mode == b.mode and a.time_span == b.time_span
end

--- A datafeed as it can be put again: without what was generated.
function feed_config.exported(feed)
  local shown = {}
  for name, value in pairs(feed) do shown[name] = value end
  shown.user, shown.indices_options = nil, nil
  if feed.query_delay == default_delay(feed.job_id) then shown.query_delay = nil end
  if same_chunking(feed.chunking_config, default_chunking(feed)) then shown.chunking_config = nil end
  return feed_config.ordered(shown)
end

return feed_config
