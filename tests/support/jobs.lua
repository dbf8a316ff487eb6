--- Routes and jobs for specs of the pool and the schedule; a job writes down what it does in a
-- file, because workers share no Lua values.
local json = require "runtime.json"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local schedule = require "runtime.schedule"
local time = require "runtime.time"
local work = require "runtime.work"

local jobs = {}

local function note(path, text)
  local file = assert(io.open(path, "a"))
  file:write(text, "\n")
  file:close()
end

--- Notes its name at its begin and at its end, and takes some time between.
function jobs.run(args)
  local job = json.decode(args)
  note(job.file, "begin " .. job.name)
  local until_ns = time.monotonic_ns() + job.ms * 1000000
  while time.monotonic_ns() < until_ns and not work.cancelled() do time.sleep_ms(2) end
  note(job.file, (work.cancelled() and "cancelled " or "end ") .. job.name)
end

--- Fails in the way that its argument names.
function jobs.fail(how)
  if how == "raise" then error("raised for a spec") end
  return nil, { kind = "failed", reason = "returned for a spec" }
end

package.preload["support.jobs"] = function() return jobs end

local routes = {}

routes["POST /_jobs"] = needs("cluster:admin/spec", function(request)
  for _, job in ipairs(request:json()) do
    assert(work.submit {
      module = "support.jobs", func = job.func or "run", args = job.args or json.encode(job),
      key = job.key, lane = job.lane, deadline_ms = job.deadline_ms,
    })
  end
  return reply.ok(work.counts())
end)

routes["GET /_jobs"] = needs("cluster:monitor/spec", function() return reply.ok(work.counts()) end)

routes["DELETE /_jobs/{key}"] = needs("cluster:admin/spec", function(request)
  return reply.ok { cancelled = work.cancel(request.params.key) }
end)

routes["PUT /_schedule/{key}"] = needs("cluster:admin/spec", function(request)
  local job = request:json()
  assert(schedule.set(request.params.key, time.now_ms() + job.in_ms, "support.jobs", "run", json.encode(job)))
  return reply.ok { size = schedule.size() }
end)

routes["DELETE /_schedule/{key}"] = needs("cluster:admin/spec", function(request)
  return reply.ok { cleared = schedule.clear(request.params.key) }
end)

return routes
