--- Tasks that a request left behind instead of waiting for them: `GET /_tasks/<node>:<number>`.
-- What jobs leave behind is done when the request is answered, and its task says so.
-- @module blip.api.tasks
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"
local needs = require "blip.api.needs"
local own = require "blip.index.own"
local reply = require "blip.api.reply"
local time = require "runtime.time"

local INDEX, NODE = ".tasks", "blip"
local ORDER = { "completed", "task", "response" }
local TASK_ORDER = {
  "node", "id", "type", "action", "start_time_in_millis", "running_time_in_nanos", "cancellable",
}
local FIELDS = { completed = { type = "boolean" } }

local routes = {}

--- Keeps the task of what a request has done.
-- @tparam string action its name
-- @tparam integer started_ms
-- @tparam table response what the request would have answered
-- @treturn string "<node>:<number>"; raises what the store says
local function keep(action, started_ms, response)
  assert(own.make(INDEX, FIELDS))
  local number = time.monotonic_ns() // 1000
  local id = ("%s:%d"):format(NODE, number)
  assert(documents.put(INDEX, id, json.encode(json.ordered({
    completed = true, response = response,
    task = json.ordered({
      node = NODE, id = number, type = "transport", action = action, start_time_in_millis = started_ms,
      running_time_in_nanos = (time.now_ms() - started_ms) * 1000000, cancellable = false,
    }, TASK_ORDER),
  }, ORDER))))
  return id
end

routes["GET /_tasks/{task_id}"] = needs("cluster:monitor/task/get", function(request)
  request:allow { "timeout", "wait_for_completion" }
  local id = request.params.task_id
  local row = documents.row(INDEX, id)
  if not row then return fail.not_found("task [%s] isn't running and hasn't stored its results", id) end
  return reply.ok(json.raw(row._source))
end)

return setmetatable(routes, { __index = { keep = keep } })
