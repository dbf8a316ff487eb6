--- Routes: how a detector is doing (opensearch-ad.md 3.15).
-- @module blip.api.opensearch.profile
local document = require "blip.api.opensearch.document"
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local live = require "blip.api.opensearch.live"
local paths = require "blip.api.opensearch.paths"
local periods = require "blip.api.opensearch.periods"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"
local scheduler = require "blip.detector.scheduler"
local stored = require "blip.api.opensearch.stored"

local ORDER = {
  "state",
  "error",
  "models",
  "coordinating_node",
  "total_size_in_bytes",
  "init_progress",
  "total_entities",
  "active_entities",
  "ad_task",
  "model_count",
}
local DETECTOR_TYPES = {}
for _, name in ipairs(ORDER) do
  DETECTOR_TYPES[name] = name ~= "model_count" or nil
end
local ENTITY_TYPES = { init_progress = true, entity_info = true, state = true, models = true }
local MIN_UPDATES = 32
local MINUTE_MS = 60000

local routes = {}

-- The set of wanted names in a comma list; unknown ones do not count, but one must be known.
local function wanted(request, known, default)
  if request:flag "_all" then
    return known, true
  elseif not request.params.types then
    return default, false
  end
  local set = {}
  for name in request.params.types:gmatch "[^,]+" do
    set[name] = known[name]
  end
  if not next(set) then
    refuse.status(400, "profiles to collect are missing or invalid")
  end
  return set, false
end

-- How far the models are: they speak after 32 updates.
local function init_progress(updates, interval_ms)
  if updates >= MIN_UPDATES then
    return { percentage = "100%" }
  end
  local needed = MIN_UPDATES - updates
  return {
    percentage = ("%d%%"):format(updates * 100 // MIN_UPDATES),
    estimated_minutes_left = math.max(1, needed * interval_ms // MINUTE_MS),
    needed_shingles = needed,
  }
end

local function task_profile(id)
  local task = stored.task(id, "historical")
  return task and { ad_task = task }
end

-- What is said of a job that is on, by name; each is worked out only when it is wanted.
local function running_profile(id, detector)
  local run = scheduler.profile(id)
  local has_categories = document.has_categories(detector)
  return {
    state = function()
      return run.state
    end,
    error = function()
      return run.error ~= "" and run.error or nil
    end,
    models = function()
      return json.array(live.models(id))
    end,
    coordinating_node = function()
      return live.NODE
    end,
    total_size_in_bytes = function()
      return run.models_bytes
    end,
    init_progress = function()
      local updates = math.floor((run.init_progress or 0) * MIN_UPDATES)
      return init_progress(updates, periods.ms(detector.detection_interval))
    end,
    total_entities = function()
      return has_categories and run.models or nil
    end,
    active_entities = function()
      return has_categories and run.models or nil
    end,
    ad_task = function()
      return task_profile(id)
    end,
  }
end

local function detector_profile(id, detector, set, all)
  local job = stored.job(id)
  local answer = { ad_task = set.ad_task and task_profile(id) or nil }
  if not job or not job.enabled then
    if set.state and (job or answer.ad_task or not all) then
      answer.state = "DISABLED"
    end
    answer.total_size_in_bytes = all and job and 0 or nil
    return json.ordered(answer, ORDER)
  end
  for name, value in pairs(running_profile(id, detector)) do
    if set[name] then
      answer[name] = value()
    end
  end
  answer.model_count = answer.models and #answer.models
  return json.ordered(answer, ORDER)
end

-- Adds `{"name":...,"value":...}` to an entity.
local function read_attribute(reader, entity)
  local field, value
  reader:expect "START_OBJECT"
  reader:each(function(name)
    if name == "name" then
      field = reader:text()
    elseif name == "value" then
      value = reader:text()
    else
      reader:skip()
    end
  end)
  if field then
    entity[field] = value
  end
end

-- The entity that a request asks about, as `{ field = value }`; nil when it asks about the detector.
local function asked_entity(request, detector)
  local reader = incoming.optional_reader(request)
  local entity = nil
  if reader then
    reader:expect "START_OBJECT"
    reader:each(function(name)
      if name == "entity" and reader.token == "START_ARRAY" then
        entity = {}
        while reader:next() ~= "END_ARRAY" do
          read_attribute(reader, entity)
        end
      else
        reader:skip()
      end
    end)
  elseif request.query.entity then
    local field = request.query.category_field or (detector.category_field or {})[1]
    entity = field and { [field] = request.query.entity } or {}
  end
  return entity
end

local function check_entity(entity, detector)
  if not document.has_categories(detector) then
    refuse.status(400, "This is not a high cardinality detector")
  end
  for _, field in ipairs(detector.category_field) do
    if type(entity[field]) ~= "string" then
      refuse.status(400, "Cannot find entity")
    end
  end
end

local function entity_profile(id, detector, entity, set)
  local model = live.model(id, entity)
  if not model then
    return json.object {}
  end
  local updates, last_ms = live.results(id, entity)
  local answer = {}
  if set.entity_info then
    answer.is_active, answer.last_active_timestamp, answer.last_sample_timestamp = true, last_ms, last_ms
  end
  answer.init_progress = set.init_progress
    and init_progress(updates, periods.ms(detector.detection_interval)) or nil
  answer.model = set.models and model or nil
  answer.state = set.state and (updates >= MIN_UPDATES and "RUNNING" or "INIT") or nil
  return json.object(answer)
end

local function profile(request)
  local id = request.params.id
  local detector = stored.detector(id)._source
  local entity = asked_entity(request, detector)
  local set, all = wanted(
    request,
    entity and ENTITY_TYPES or DETECTOR_TYPES,
    entity and { state = true } or { error = true, state = true }
  )
  request:allow { "_all", "entity", "category_field" }
  if entity then
    check_entity(entity, detector)
    return reply.ok(entity_profile(id, detector, entity, set))
  end
  return reply.ok(detector_profile(id, detector, set, all))
end

for _, path in ipairs { "/detectors/{id}/_profile", "/detectors/{id}/_profile/{types}" } do
  paths.both(routes, "GET " .. path, "detectors/get", profile)
  paths.current(routes, "POST " .. path, "detectors/get", profile)
end

return routes
