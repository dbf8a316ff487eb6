--- Routes: post data to a job, and flush it (elastic-ml.md 7.3 and 7.4).
-- @module blip.api.elastic.data
local counts = require "blip.job.counts"
local json = require "runtime.json"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local reply = require "blip.api.reply"
local run = require "blip.job.run"
local time = require "runtime.time"
local times = require "blip.api.elastic.times"

local routes = {}

local ADMIN = "cluster:admin/xpack/ml/job/"
local DEPRECATED = "Posting data directly to anomaly detection jobs is deprecated, in a future major version "
  .. "it will be compulsory to use a datafeed"
local SECOND = 1000

-- --- data -----------------------------------------------------------------------------------

local data_options = options.query { reset_start = options.text, reset_end = options.text }

-- The buckets that are to forget what they hold, as the engine takes them.
local function reset_range(given)
  local from = given.reset_start and times.clock(given.reset_start, "reset_start")
  local to = given.reset_end and times.clock(given.reset_end, "reset_end")
  if not from then
    if to then refuse.argument "Invalid reset range parameters: 'reset_start' has not been specified." end
    return {}
  end
  to = to or from + SECOND
  if to < from then
    refuse.argument("Invalid reset range parameters: end time '%d' is earlier than start time '%d'.",
      to // SECOND, from // SECOND)
  end
  return { reset_start_ms = from, reset_end_ms = to }
end

paths.both(routes, "POST /anomaly_detectors/{job_id}/_data", ADMIN .. "data/post", function(request)
  local given = data_options:read(request)
  local job = registry.get(request.params.job_id)
  local operation = { kind = "data", body = request:text() or "", options = reset_range(given) }
  local added = assert(run.apply(job.job_id, operation))
  paths.warn(request, DEPRECATED)
  local now_ms = time.now_ms()
  return reply.status(202, counts.show(job.job_id, added, { last_data_time = now_ms, log_time = now_ms }))
end)

-- --- flush ----------------------------------------------------------------------------------

local flush_options = options.new(ADMIN .. "flush", {
  job_id = options.text, calc_interim = options.boolean, start = options.text, ["end"] = options.text,
  advance_time = options.text, skip_time = options.text,
})

-- The stretch of an interim calculation.
local function interim_range(given, wanted)
  if not given.calc_interim then
    if given.start then refuse.argument "Invalid flush parameters: unexpected 'start'." end
    if given["end"] then refuse.argument "Invalid flush parameters: unexpected 'end'." end
    return
  end
  if wanted.end_ms and not wanted.start_ms then
    refuse.argument "Invalid flush parameters: 'start' has not been specified."
  end
  if wanted.start_ms and not wanted.end_ms then wanted.end_ms = wanted.start_ms + SECOND end
  if wanted.start_ms and wanted.end_ms < wanted.start_ms then
    refuse.argument("Invalid time range: end time '%s' is earlier than start time '%s'.", given["end"],
      given.start)
  end
end

local FLUSH_TIMES = { start_ms = "start", end_ms = "end", advance_ms = "advance_time", skip_ms = "skip_time" }

local function read_flush(given)
  local wanted = { calc_interim = given.calc_interim or false }
  for name, option in pairs(FLUSH_TIMES) do
    if given[option] then wanted[name] = times.clock(given[option], option) end
  end
  interim_range(given, wanted)
  if wanted.advance_ms and wanted.skip_ms and wanted.advance_ms <= wanted.skip_ms then
    refuse.argument("advance_time [%s] must be later than skip_time [%s]", given.advance_time,
      given.skip_time)
  end
  return wanted
end

paths.both(routes, "POST /anomaly_detectors/{job_id}/_flush", ADMIN .. "flush", function(request)
  local job = registry.get(request.params.job_id)
  local wanted = read_flush(flush_options:read(request))
  local flushed = assert(run.apply(job.job_id, { kind = "flush", options = wanted }))
  return reply.ok(json.ordered({
    flushed = true, last_finalized_bucket_end = flushed.last_finalized_bucket_end,
  }, { "flushed", "last_finalized_bucket_end" }))
end)

return routes
