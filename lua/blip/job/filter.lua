--- Filters: lists of values that rules of detectors look into (elastic-ml.md 9.2).
--     filter.put { filter_id = "known-bots", items = { "crawler-a", "crawler-b*" } }
-- An item with an asterisk at its beginning or its end stands for all values that end or begin so.
-- @module blip.job.filter
local context = require "blip.job.context"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local meta = require "blip.job.meta"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local rule = require "blip.job.rule"

local MAX_ITEMS = 10000

local filter = {}

-- Items in order, each once.
local function settled(id, set)
  local items = {}
  for item in pairs(set) do items[#items + 1] = item end
  if #items > MAX_ITEMS then
    refuse.argument("Filter [%s] contains too many items; up to [%d] items are allowed", id, MAX_ITEMS)
  end
  table.sort(items)
  return json.array(items)
end

local function set_of(items)
  local set = {}
  for _, item in ipairs(items or {}) do set[item] = true end
  return set
end

-- The ids of the jobs with a rule that looks into a filter.
local function users(id)
  local found = {}
  for _, job in ipairs(registry.list()) do
    for _, d in ipairs(job.analysis_config.detectors) do
      if rule.filters(d)[id] and found[#found] ~= job.job_id then found[#found + 1] = job.job_id end
    end
  end
  return found
end

--- Stores a filter, whatever was there.
-- @tparam table sent `filter_id`, `description`, `items`
-- @treturn table the filter; raises the dialect's error
function filter.put(sent)
  local id = ids.check("filter_id", sent.filter_id)
  local made = meta.filters:put(id, meta.filters.ordered {
    filter_id = id, description = sent.description, items = settled(id, set_of(sent.items)),
  })
  context.changed(users(id))
  return made
end

--- The filters that an expression names; raises the dialect's 404.
function filter.list(expression)
  return meta.filters:list(expression, function(document) return { document.filter_id } end)
end

local function change_items(found, sent)
  local set = set_of(found.items)
  for _, item in ipairs(sent.remove_items or {}) do
    if not set[item] then
      refuse.status(400, "Cannot remove item [%s] as it is not present in filter [%s]", item, found.filter_id)
    end
    set[item] = nil
  end
  for _, item in ipairs(sent.add_items or {}) do set[item] = true end
  return settled(found.filter_id, set)
end

--- Changes a filter.
-- @tparam string id
-- @tparam table sent `description`, `add_items`, `remove_items`
-- @treturn table the filter as it is now; raises the dialect's error
function filter.update(id, sent)
  local changed = meta.filters:update(id, function(found)
    found.items = change_items(found, sent)
    found.description = sent.description or found.description
    return meta.filters.ordered(found)
  end)
  context.changed(users(id))
  return changed
end

--- Removes a filter that no job uses; raises the dialect's error.
function filter.delete(id)
  meta.filters:get(id)
  local used_by = users(id)
  if #used_by > 0 then
    local names = table.concat(used_by, ",")
    refuse.status(409, "Cannot delete filter [%s] currently used by jobs [%s]", id, names)
  end
  meta.filters:delete(id)
end

return filter
