--- The cluster settings: those that steer the detectors (opensearch-ad.md 8), and those of jobs
-- (elastic-ml.md 3.6 and 7.2, read by `blip.job.settings`).
-- A setting has one value for the whole server, kept as a document, and takes effect with the next request.
-- @module blip.api.opensearch.settings
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"
local names = require "blip.index.names"
local units = require "blip.job.units"

local INDEX, ID = ".blip-settings", "cluster"
-- The keys have dots in them and are values here, not fields.
local CREATION = { mapping = { dynamic = "false", properties = {} } }
local PREFIX, OLD_PREFIX = "plugins.anomaly_detection.", "opendistro.anomaly_detection."

local settings = {}

local function boolean(default)
  return { kind = "boolean", default = default }
end

local function integer(default, low, high)
  return { kind = "integer", default = default, low = low, high = high }
end

local function double(default, low, high)
  return { kind = "double", default = default, low = low, high = high }
end

-- A span of time, in milliseconds.
local function span(default)
  return { kind = "span", default = default }
end

local MINUTE, HOUR, DAY = 60000, 3600000, 86400000

-- The settings that Blip heeds come first; the others are known, checked and kept.
local KNOWN = {
  enabled = boolean(true),
  max_anomaly_detectors = integer(1000, 0, 10000),
  max_multi_entity_anomaly_detectors = integer(10, 0, 10000),
  max_anomaly_features = integer(5, 0, 10),
  category_field_limit = integer(2, 0, 5),
  detection_interval = span(10 * MINUTE),
  detection_window_delay = span(0),
  delete_anomaly_result_when_delete_detector = boolean(false),
  max_model_size_per_node = integer(100, 1, 10000),
  batch_task_piece_size = integer(1000, 1, 10000),
  batch_task_piece_interval_seconds = integer(5, 1, 600),

  max_entities_for_preview = integer(5, 1, 30),
  max_old_ad_task_docs_per_detector = integer(1, 1, 1000),
  ["breaker.enabled"] = boolean(true),
  insights_enabled = boolean(false),
  ["door_keeper_in_cache.enabled"] = boolean(false),
  ["hcad_cold_start_interpolation.enabled"] = boolean(false),
  request_timeout = span(MINUTE),
  ad_result_history_rollover_period = span(12 * HOUR),
  ad_result_history_max_docs_per_shard = integer(1350000000, 0),
  ad_result_history_retention_period = span(30 * DAY),
  max_retry_for_unresponsive_node = integer(5, 0),
  cooldown_minutes = span(5 * MINUTE),
  backoff_minutes = span(15 * MINUTE),
  backoff_initial_delay = span(1000),
  max_retry_for_backoff = integer(3, 0),
  max_retry_for_end_run_exception = integer(6, 0),
  filter_by_backend_roles = boolean(false),
  checkpoint_saving_freq = span(12 * HOUR),
  checkpoint_ttl = span(7 * DAY),
  model_max_size_percent = double(0.1, 0, 0.9),
  dedicated_cache_size = integer(10, 0, 80000),
  jvm_heap_usage_threshold = integer(95, 0, 98),
  index_pressure_soft_limit = double(0.6, 0),
  index_pressure_hard_limit = double(0.9, 0),
  max_primary_shards = integer(10, 0, 200),
  max_batch_task_per_node = integer(10, 1, 100),
  max_cached_deleted_tasks = integer(1000, 1, 10000),
  max_top_entities_for_historical_analysis = integer(1000, 1, 10000),
  max_running_entities_per_detector_for_historical_analysis = integer(10, 1, 1000),
  page_size = integer(1000, 0, 10000),
  max_entities_per_query = integer(1000000, 0, 2000000),
  max_concurrent_preview = integer(2, 1, 20),
  cold_entity_queue_max_heap_percent = double(0.001, 0),
  checkpoint_read_queue_max_heap_percent = double(0.001, 0),
  entity_cold_start_queue_max_heap_percent = double(0.001, 0),
  checkpoint_maintain_queue_max_heap_percent = double(0.001, 0),
  checkpoint_write_queue_max_heap_percent = double(0.01, 0),
  result_write_queue_max_heap_percent = double(0.01, 0),
  expected_cold_entity_execution_time_in_millisecs = integer(3000, 0, 3600000),
  expected_checkpoint_maintain_time_in_millisecs = integer(1000, 0, 3600000),
  entity_cold_start_queue_concurrency = integer(1, 1, 10),
  checkpoint_read_queue_concurrency = integer(1, 1, 10),
  checkpoint_write_queue_concurrency = integer(2, 1, 10),
  result_write_queue_concurrency = integer(2, 1, 10),
  checkpoint_read_queue_batch_size = integer(25, 1, 60),
  checkpoint_write_queue_batch_size = integer(25, 1, 60),
  result_write_queue_batch_size = integer(5000, 1, 15000),
}

-- Settings of the other dialect, by their whole keys.
local OF_JOBS = {
  ["xpack.ml.max_model_memory_limit"] = { kind = "size" },
  ["cluster.persistent_tasks.allocation.enable"] = { kind = "allocation", default = "all" },
}
for key, setting in pairs(OF_JOBS) do
  KNOWN[key] = setting
end
local PREFIXES = { PREFIX, OLD_PREFIX, "" }
local ALLOCATIONS = { all = "all", none = "none" }

local UNITS = { ms = 1, s = 1000, m = MINUTE, h = HOUR, d = DAY }

local READERS = {
  boolean = function(text)
    return ({ ["true"] = true, ["false"] = false })[text]
  end,
  integer = function(text)
    return math.tointeger(tonumber(text))
  end,
  double = tonumber,
  size = units.size,
  allocation = function(text)
    return ALLOCATIONS[text]
  end,
  span = function(text)
    local count, unit = text:match "^(%d+)(%a+)$"
    return UNITS[unit] and tonumber(count) * UNITS[unit]
  end,
}

-- How a text is refused that means no value of its kind.
local UNREADABLE = {
  boolean = "Failed to parse value [{text}] as only [true] or [false] are allowed.",
  span = "failed to parse setting [{key}] with value [{text}] as a time value: "
    .. "unit is missing or unrecognized",
  size = "failed to parse setting [{key}] with value [{text}] as a size in bytes: "
    .. "unit is missing or unrecognized",
}

-- The short name of a setting's key, whichever prefix it has.
local function short(key)
  if OF_JOBS[key] then
    return key
  end
  for _, prefix in ipairs { PREFIX, OLD_PREFIX } do
    if key:sub(1, #prefix) == prefix and KNOWN[key:sub(#prefix + 1)] then
      return key:sub(#prefix + 1)
    end
  end
end

local function refuse_value(text, key, bound, limit)
  local reason = UNREADABLE[KNOWN[short(key)].kind]
  reason = (reason or "Failed to parse value [{text}] for setting [{key}]"):gsub("{(%a+)}", {
    text = text,
    key = key,
  })
  if bound then
    reason = ("%s must be %s %s"):format(reason, bound, tostring(limit))
  end
  return fail.invalid("%s", reason)
end

-- The value that a text means for a setting; nil and an error when it means none.
local function read(key, text)
  local setting = KNOWN[short(key)]
  local value = READERS[setting.kind](text)
  if value == nil then
    return refuse_value(text, key)
  elseif setting.low and value < setting.low then
    return refuse_value(text, key, ">=", setting.low)
  elseif setting.high and value > setting.high then
    return refuse_value(text, key, "<=", setting.high)
  end
  return value
end

-- The stored texts, `{ persistent = {key -> text}, transient = {...} }`.
local function stored()
  local found = catalog.find(INDEX) and documents.get(INDEX, ID)
  return found and found._source or { persistent = {}, transient = {} }
end

--- What a setting was set to: the transient value, else the persistent one; nil when it was not.
-- @tparam string name without prefix
-- @return a boolean, a number, or milliseconds
function settings.explicit(name)
  local kept = stored()
  for _, level in ipairs { "transient", "persistent" } do
    for _, prefix in ipairs(PREFIXES) do
      local text = kept[level][prefix .. name]
      if text then
        return (read(prefix .. name, text))
      end
    end
  end
end

--- What a setting is now: what it was set to, else its default.
-- @tparam string name without prefix
function settings.get(name)
  local value = settings.explicit(name)
  if value == nil then
    value = KNOWN[name].default
  end
  return value
end

-- Nested objects as one level of dotted keys.
local function flatten(object, prefix, into)
  for name, value in pairs(object) do
    local key = prefix .. name
    if type(value) == "table" and not json.is_array(value) then
      flatten(value, key .. ".", into)
    else
      into[key] = value
    end
  end
  return into
end

local function nested(flat)
  local root = json.object {}
  for key, text in pairs(flat) do
    local at = root
    for part in key:gmatch "([^.]+)%." do
      at[part] = at[part] or json.object {}
      at = at[part]
    end
    at[key:match "[^.]+$"] = text
  end
  return root
end

-- Takes the changes of one level over; null and a pattern that ends in `*` reset.
local function change(level, kept, sent)
  local changed = {}
  for key, value in pairs(flatten(sent, "", {})) do
    if value == json.null then
      local pattern = names.pattern(key)
      for name in pairs(kept) do
        kept[name] = not name:find(pattern) and kept[name] or nil
      end
    elseif not short(key) then
      return fail.es {
        status = 400,
        type = "illegal_argument_exception",
        reason = ("%s setting [%s], not recognized"):format(level, key),
      }
    else
      local ok, err = read(key, tostring(value))
      if ok == nil then
        return nil, err
      end
      kept[key], changed[key] = tostring(value), tostring(value)
    end
  end
  return changed
end

-- Whether a body names no setting at all.
local function is_empty(body)
  for _, level in ipairs { "persistent", "transient" } do
    local sent = json.is_object(body) and body[level]
    if sent and (not json.is_object(sent) or next(sent) ~= nil) then
      return false
    end
  end
  return json.is_object(body)
end

--- Takes over the body of `PUT /_cluster/settings`.
-- @tparam table body `{ persistent = {...}, transient = {...} }`, keys dotted or nested
-- @return what changed, in nested form by level; or nil and an error, and then nothing changed
function settings.update(body)
  if is_empty(body) then
    return fail.es {
      status = 400,
      type = "action_request_validation_exception",
      reason = "Validation Failed: 1: no settings to update;",
    }
  end
  local kept, changed = stored(), {}
  for _, level in ipairs { "persistent", "transient" } do
    kept[level] = kept[level] or {}
    local sent = json.is_object(body) and body[level] or {}
    if not json.is_object(body) or not json.is_object(sent) then
      return fail.invalid("the settings of level [%s] must be an object", level)
    end
    local changes, err = change(level, kept[level], sent)
    if not changes then
      return nil, err
    end
    changed[level] = nested(changes)
  end
  local ok, err = catalog.find(INDEX), nil
  if not ok then
    ok, err = catalog.create(INDEX, CREATION)
  end
  if ok then
    ok, err = documents.put(INDEX, ID, {
      persistent = json.object(kept.persistent),
      transient = json.object(kept.transient),
    })
  end
  return ok and changed, err
end

--- The settings that were made, in nested form by level.
function settings.all()
  local kept = stored()
  return { persistent = nested(kept.persistent), transient = nested(kept.transient) }
end

return settings
