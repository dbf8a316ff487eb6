--- The forms in which the dialect answers (elastic-ml.md 1.3).
-- @module blip.api.elastic.answers
local json = require "runtime.json"
local problem = require "blip.query.problem"
local reply = require "blip.api.reply"
local search_request = require "blip.query.request"
local tasks = require "blip.api.tasks"
local time = require "runtime.time"

local DEFAULT_SIZE = 100

local answers = {}

--- `{"count": 2, "jobs": [...]}`.
-- @tparam string name of the list
-- @tparam {table,...} items
-- @tparam[opt=#items] integer count all that match, of which the items may be a page
function answers.list(name, items, count)
  return reply.ok(json.ordered({ count = count or #items, [name] = json.array(items) }, { "count", name }))
end

--- A part of a list; raises what a search says of a page that ends too far from the first hit.
-- @tparam table list
-- @tparam[opt=0] integer from how many are passed over
-- @tparam[opt=100] integer size how many there are at most
function answers.page(list, from, size)
  from, size = from or 0, size or DEFAULT_SIZE
  local ok, err = search_request.check_window { from = from, size = size }
  if not ok then assert(problem.shards(err)) end
  local last = math.min(from + size, #list)
  return table.move(list, from + 1, last, 1, {})
end

--- `{"acknowledged": true}`.
function answers.acknowledged()
  return reply.ok { acknowledged = true }
end

--- `{"task": "blip:1234"}`, for what was done at once though nobody wanted to wait for it.
-- @tparam string action
-- @tparam integer started_ms
function answers.task(action, started_ms)
  return reply.ok { task = tasks.keep(action, started_ms, { acknowledged = true }) }
end

local function is_wanted(request)
  local human = request.query.human
  return human ~= nil and human ~= "false"
end

--- Adds what `?human=true` asks for: each time once more, as text, under `<name>_string`.
-- @tparam table request
-- @tparam table object ordered; not changed
-- @tparam {string,...} names of fields that are milliseconds since 1970
-- @treturn table the object, or another one with the texts
function answers.human(request, object, names)
  if not is_wanted(request) then return object end
  local times = {}
  for _, name in ipairs(names) do times[name] = true end
  local shown, keys = {}, {}
  for _, name in ipairs(json.keys(object)) do
    local value = object[name]
    shown[name], keys[#keys + 1] = value, name
    if times[name] and math.type(value) then
      shown[name .. "_string"] = time.format(math.tointeger(value // 1))
      keys[#keys + 1] = name .. "_string"
    end
  end
  return json.ordered(shown, keys)
end

return answers
