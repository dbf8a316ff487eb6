--- What must hold before a detector is stored, changed or deleted, in the plugin's order
-- (opensearch-ad.md 3.1, 3.2).
-- @module blip.api.opensearch.checks
local document = require "blip.api.opensearch.document"
local features = require "blip.api.opensearch.features"
local owners = require "blip.api.opensearch.owners"
local parse = require "blip.api.opensearch.parse"
local refuse = require "blip.api.opensearch.refuse"
local result_index = require "blip.api.opensearch.result_index"
local settings = require "blip.api.opensearch.settings"
local source_checks = require "blip.api.opensearch.source_checks"
local stored = require "blip.api.opensearch.stored"

local MAX_NAME = 64
local MAX_INTEGER = 0x7FFFFFFF

local checks = {}

local function check_name(detector)
  if detector.name:find "[^%w._-]" then
    refuse.finding(
      500,
      "name",
      "Valid characters for name are a-z, A-Z, 0-9, -(hyphen), _(underscore) and .(period)"
    )
  elseif #detector.name > MAX_NAME then
    refuse.finding(500, "name", "Name should be shortened. The maximum limit is 64 characters.")
  end
end

local function check_quota(detector)
  local kind, setting, counted = "single-stream", "max_anomaly_detectors", nil
  if document.has_categories(detector) then
    kind, setting = "HC", "max_multi_entity_anomaly_detectors"
    counted = { exists = { field = "category_field" } }
  end
  local limit = settings.get(setting)
  if stored.count(counted) >= limit then
    refuse.finding(400, "general_settings", "Can't create more than %d %s anomaly detectors.", limit, kind)
  end
end

-- The name must be free; a detector may keep its own.
local function check_unique(detector, id)
  local named = { term = { ["name.keyword"] = detector.name } }
  local own = id and { { ids = { values = { id } } } } or nil
  if stored.count { bool = { filter = { named }, must_not = own } } > 0 then
    refuse.finding(
      409,
      "name",
      "Cannot create anomaly detector with name [%s] as it's already used by another detector",
      detector.name
    )
  end
end

-- What create, update and validation end with: the source has documents, the features run, the name is free.
local function check_content(detector, id)
  source_checks.documents(detector)
  features.check_list(detector.feature_attributes, settings.get "max_anomaly_features")
  source_checks.features(detector)
  check_unique(detector, id)
end

-- What no mapping can hold: the plugin finds out when it writes.
local function check_storable(detector, failure)
  local wrong = parse.shingle_error(detector.shingle_size)
  if wrong then
    refuse.status(500, wrong)
  end
  for _, name in ipairs { "detection_interval", "window_delay", "frequency" } do
    if detector[name] and detector[name].period.interval > MAX_INTEGER then
      refuse.status(500, failure)
    end
  end
end

--- Checks a new detector. The very first one is not checked for its name and its time field.
function checks.for_create(detector)
  owners.check_maker()
  source_checks.indices(detector)
  result_index.prepare(detector)
  if stored.any() then
    check_name(detector)
    source_checks.time_field(detector)
  end
  check_quota(detector)
  if document.has_categories(detector) then
    source_checks.categories(detector)
  end
  check_content(detector)
  check_storable(detector, "Fail to create detector")
end

local function same_set(a, b)
  local names = {}
  for _, name in ipairs(a or {}) do
    names[name] = (names[name] or 0) + 1
  end
  for _, name in ipairs(b or {}) do
    names[name] = (names[name] or 0) - 1
  end
  for _, count in pairs(names) do
    if count ~= 0 then
      return false
    end
  end
  return true
end

--- Refuses to touch a detector whose real-time job is on.
function checks.not_running(id)
  local job = stored.job(id)
  if job and job.enabled then
    refuse.status(400, "Job is running: %s", id)
  end
end

-- Refuses to touch a detector that a historical analysis reads.
local function check_no_history(id)
  local task = stored.task(id, "historical")
  if task and stored.is_open(task) then
    refuse.status(400, "Historical is running")
  end
end

--- Checks a detector that is to replace another.
function checks.for_update(id, detector)
  if not stored.any() then
    refuse.no_index(stored.INDEX)
  end
  source_checks.indices(detector)
  result_index.prepare(detector)
  check_name(detector)
  source_checks.time_field(detector)
  checks.not_running(id)
  local old = stored.detector(id)._source
  if not same_set(old.category_field, detector.category_field) then
    refuse.status(400, "Can't change category field")
  elseif old.result_index ~= detector.result_index then
    refuse.status(400, "Can't change custom result index")
  end
  check_no_history(id)
  check_content(detector, id)
  check_storable(detector, "Fail to update detector")
end

--- Checks that a detector may be deleted.
function checks.for_delete(id)
  if not stored.any() then
    refuse.no_index(stored.INDEX, "index_expression")
  end
  checks.not_running(id)
  check_no_history(id)
end

--- Checks a detector that is only asked about: everything that create checks, and nothing is made.
function checks.for_validation(detector)
  owners.check_maker()
  source_checks.indices(detector)
  result_index.check(detector)
  check_name(detector)
  source_checks.time_field(detector)
  check_quota(detector)
  if document.has_categories(detector) then
    source_checks.categories(detector)
  end
  check_content(detector)
end

return checks
