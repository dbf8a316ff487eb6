--- What can be seen of a detector's real-time run: its models and how far they are.
-- @module blip.api.opensearch.live
local definition_of = require("blip.detector.registry").resolve
local frame = require "runtime.frame"
local json = require "runtime.json"
local model = require "runtime.model"
local result_index = require "blip.api.opensearch.result_index"
local settings = require "blip.api.opensearch.settings"
local stored = require "blip.api.opensearch.stored"

local MODEL = { "model_id", "entity", "model_size_in_bytes", "node_id" }
local KEY_SEPARATOR = "\31"

-- Node ids have 22 characters; one process is the whole cluster.
local live = { NODE = "blip-0000000000000node" }

-- Calls look(set) with the models of a detector, which no job has at the moment.
-- @return what it returns; nil when there are no models, or a job has them
local function with_models(id, look)
  local set = model.borrow(id)
  if not set then
    return nil
  end
  local seen = look(set)
  model.give_back(id, set)
  return seen
end

-- The values of an entity, in the order of the sorted category fields.
local function values_of(key)
  local values = {}
  for value in (key .. KEY_SEPARATOR):gmatch("(.-)" .. KEY_SEPARATOR) do
    values[#values + 1] = value
  end
  return values
end

-- Entities as rows, with the ids of their models.
local function model_ids(id, category, keys)
  local columns, rows = {}, {}
  for i, field in ipairs(category) do
    columns[i] = { field, "text" }
  end
  for i, key in ipairs(keys) do
    rows[i] = {}
    for j, value in ipairs(values_of(key)) do
      rows[i][category[j]] = value
    end
  end
  local entities = frame.new(columns):append(rows)
  assert(entities:add_model_ids("model_id", id .. "_entity_", category))
  return entities
end

local function entity_of(entities, row, category)
  local list = {}
  for i, field in ipairs(category) do
    list[i] = json.ordered({ name = field, value = entities:get(row, field) }, { "name", "value" })
  end
  return json.array(list)
end

local function show(model_id, entity, size_bytes)
  return json.ordered({
    model_id = model_id,
    entity = entity,
    model_size_in_bytes = size_bytes,
    node_id = live.NODE,
  }, MODEL)
end

-- At most so many models are listed.
local function listed(keys)
  local most = settings.get "max_model_size_per_node"
  table.sort(keys)
  return table.move(keys, 1, math.min(#keys, most), 1, {})
end

--- The models of a detector, as profiles list them; the sizes are what a model has on average.
-- @tparam string id
-- @treturn {table,...} empty when none are in memory
function live.models(id)
  local definition = definition_of(id)
  return definition and with_models(id, function(set)
    local size_bytes = set:size() // math.max(set:count(), 1)
    if #definition.category == 0 then
      return set:count() > 0 and { show(id .. "_model_rcf_0", nil, size_bytes) } or {}
    end
    local keys, list = listed(set:keys()), {}
    local entities = model_ids(id, definition.category, keys)
    for row = 1, #keys do
      local entity = entity_of(entities, row, definition.category)
      list[row] = show(entities:get(row, "model_id"), entity, size_bytes)
    end
    return list
  end) or {}
end

-- Whether a listed model belongs to an entity, `{ field = value }`.
local function is_of(shown, entity)
  for _, attribute in ipairs(shown.entity or {}) do
    if entity[attribute.name] ~= attribute.value then
      return false
    end
  end
  return true
end

--- The model of an entity; nil when it has none.
function live.model(id, entity)
  for _, shown in ipairs(live.models(id)) do
    if is_of(shown, entity) then
      return shown
    end
  end
end

local function of_entity(entity)
  local filters = {}
  for field, value in pairs(entity) do
    local both = { { term = { ["entity.name"] = field } }, { term = { ["entity.value"] = value } } }
    filters[#filters + 1] = { nested = { path = "entity", query = { bool = { filter = both } } } }
  end
  return filters
end

--- How many real-time results there are of a detector, or of one of its entities.
-- @tparam string id
-- @tparam[opt] table entity `{ field = value }`
-- @treturn integer
-- @treturn ?integer the end of the last one's data in ms
function live.results(id, entity)
  local filters = of_entity(entity or {})
  filters[#filters + 1] = { term = { detector_id = id } }
  local answer = assert(stored.search({ result_index.PATTERN }, {
    size = 1,
    sort = { { data_end_time = "desc" } },
    track_total_hits = true,
    query = { bool = { filter = filters, must_not = { { exists = { field = "task_id" } } } } },
  }))
  local last = answer.hits.hits[1]
  return answer.hits.total.value, last and json.plain(last._source).data_end_time
end

return live
