--- The indices in which the engine keeps its own documents (opensearch-ad.md 6.3 and 6.5).
-- @module blip.detector.system
local documents = require "blip.index.documents"
local fields = require "blip.result.fields"
local own = require "blip.index.own"
local progress = require "blip.detector.progress"
local store = require "runtime.store"

local system = {
  DETECTORS = ".opendistro-anomaly-detectors",
  JOBS = ".opendistro-anomaly-detector-jobs",
  TASKS = ".opendistro-anomaly-detection-state",
}

local KEYWORD, DATE, TEXT, UNREAD = fields.KEYWORD, fields.DATE, fields.TEXT, fields.UNREAD
local INTEGER, BOOLEAN, nested = fields.INTEGER, fields.BOOLEAN, fields.nested

local PERIOD = { properties = { period = { properties = { interval = INTEGER, unit = KEYWORD } } } }

local DETECTOR = {
  schema_version = INTEGER,
  name = TEXT,
  description = { type = "text" },
  time_field = KEYWORD,
  detector_type = KEYWORD,
  indices = TEXT,
  filter_query = UNREAD,
  feature_attributes = nested {
    feature_id = TEXT,
    feature_name = TEXT,
    feature_enabled = BOOLEAN,
    aggregation_query = UNREAD,
  },
  detection_interval = PERIOD,
  window_delay = PERIOD,
  shingle_size = INTEGER,
  recency_emphasis = INTEGER,
  history = INTEGER,
  suggested_seasonality = INTEGER,
  result_index_min_size = INTEGER,
  result_index_min_age = INTEGER,
  result_index_ttl = INTEGER,
  flatten_custom_result_index = BOOLEAN,
  last_update_time = DATE,
  last_ui_breaking_change_time = DATE,
  category_field = KEYWORD,
  result_index = KEYWORD,
  ui_metadata = UNREAD,
  imputation_option = UNREAD,
  rules = UNREAD,
  user = fields.USER,
}

local JOB = {
  schema_version = INTEGER,
  name = TEXT,
  schedule = { properties = { interval = { properties = {
    start_time = DATE, period = INTEGER, unit = KEYWORD,
  } } } },
  window_delay = PERIOD,
  enabled = BOOLEAN,
  enabled_time = DATE,
  disabled_time = DATE,
  last_update_time = DATE,
  lock_duration_seconds = { type = "long" },
  result_index = KEYWORD,
  type = KEYWORD,
  user = fields.USER,
}

local TASK = {
  schema_version = INTEGER,
  detector_id = KEYWORD,
  parent_task_id = KEYWORD,
  state = KEYWORD,
  task_type = KEYWORD,
  is_latest = BOOLEAN,
  task_progress = { type = "float" },
  init_progress = { type = "float" },
  current_piece = DATE,
  execution_start_time = DATE,
  execution_end_time = DATE,
  last_update_time = DATE,
  error = { type = "text" },
  started_by = KEYWORD,
  stopped_by = KEYWORD,
  coordinating_node = KEYWORD,
  worker_node = KEYWORD,
  checkpoint_id = KEYWORD,
  estimated_minutes_left = INTEGER,
  detection_date_range = { properties = { start_time = DATE, end_time = DATE } },
  entity = fields.ENTITY,
  detector = { properties = DETECTOR },
  user = fields.USER,
}

local PROPERTIES = { [system.DETECTORS] = DETECTOR, [system.JOBS] = JOB, [system.TASKS] = TASK }

--- Makes sure that one of the engine's own indices is there.
function system.ensure(index)
  return own.make(index, PROPERTIES[index])
end

--- Puts a document into one of the engine's own indices; as `documents.put`.
function system.put(index, id, source, options)
  local ok, err = system.ensure(index)
  if not ok then return nil, err end
  return documents.put(index, id, source, options)
end

--- Forgets where the runs of a detector stand, and their models.
function system.forget(id)
  local c = store.connection()
  local ok, err = progress.prepare(c)
  if not ok then return nil, err end
  return progress.delete(c, id)
end

return system
