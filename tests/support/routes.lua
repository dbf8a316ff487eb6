--- Routes that specs of the server load through the configuration's `routes`.
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local time = require "runtime.time"
local work = require "runtime.work"

local routes = {}

routes["GET /_spec/hello/{name}"] = needs("cluster:monitor/spec", function(request)
  request:allow { "loud" }
  local name = request.params.name
  return reply.ok { hello = request:flag("loud") and name:upper() or name }
end)

routes["POST /_spec/echo"] = needs("cluster:monitor/spec", function(request)
  return reply.ok { body = request:json(), bytes = #request.body }
end)

routes["PUT /_spec/echo"] = routes["POST /_spec/echo"]

routes["POST /_spec/size"] = needs("cluster:monitor/spec", function(request)
  return reply.ok { bytes = #(request.body or "") }
end)

routes["GET /_spec/literal"] = needs("cluster:monitor/spec", function()
  return reply.ok { route = "literal" }
end)

routes["GET /_spec/{name}"] = needs("cluster:monitor/spec", function(request)
  return reply.ok { route = "parameter", name = request.params.name }
end)

routes["GET /_spec/large/{count}"] = needs("cluster:monitor/spec", function(request)
  local rows = {}
  for i = 1, tonumber(request.params.count) do rows[i] = { number = i } end
  return reply.ok { rows = rows }
end)

-- Holds a worker for some milliseconds, or until the job is cancelled.
routes["GET /_spec/wait/{ms}"] = needs("cluster:monitor/spec", function(request)
  for _ = 1, tonumber(request.params.ms) // 5 do
    time.sleep_ms(5)
    work.check()
  end
  return reply.ok { waited = true }
end)

routes["GET /_spec/bug"] = needs("cluster:monitor/spec", function() return nil + 1 end)

return routes
