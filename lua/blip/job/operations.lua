--- What can be done to a job's models. An operation is plain data, so that it can stand in a journal and
-- be done again:
--     { kind = "data", body = "...", options = { reset_start_ms = , reset_end_ms = } }
--     { kind = "feed", feed = { ... } }               see blip.job.extract
--     { kind = "flush", options = { calc_interim = true, advance_ms = ... } }
--     { kind = "update", changes = { rules = , filters = , events = , model_plot = } }
-- @module blip.job.operations
local config = require "blip.job.config"
local context = require "blip.job.context"
local extract = require "blip.job.extract"
local settings = require "blip.config"

local operations = {}

local IDLE_WORKERS = 2 -- by default there are so many more workers than cores

local PERFORM = {}

function PERFORM.data(live, operation)
  return live:post(operation.body or "", operation.options or {})
end

function PERFORM.flush(live, operation)
  return live:flush(operation.options)
end

function PERFORM.update(live, operation)
  local ok, err = live:update(operation.changes)
  return ok and {}, err
end

function PERFORM.feed(live, operation)
  local frame, err = extract.frame(operation.feed)
  if not frame then return nil, err end
  local rows = #frame
  local added
  added, err = live:feed(frame)
  frame:close()
  if not added then return nil, err end
  added.rows, added.weight = rows, extract.weight(operation.feed, rows)
  return added
end

--- Carries out an operation on models.
-- @return what the engine answers; or nil and an error
function operations.perform(live, operation)
  return PERFORM[operation.kind](live, operation)
end

--- Whether an error is the answer to an operation that took place, such as a body that is malformed
-- from somewhere on; any other leaves the models in nobody knows what state.
function operations.is_answer(err)
  return err.kind == "invalid" or err.kind == "too_large"
end

--- A job's configuration as the engine takes it, with its filters and events.
-- @tparam table job
-- @return a table; or nil and an error for what the engine does not do
function operations.engine_config(job)
  local options, err = config.engine(job)
  if not options then return nil, err end
  local more = context.of(job)
  options.filters, options.events = more.filters, more.events
  options.spill = settings.get().spill
  options.threads = math.max(1, settings.get().threads - IDLE_WORKERS)
  return options
end

--- The operation that brings a job's models up to its configuration.
function operations.update(job)
  local options = assert(operations.engine_config(job))
  local rules = {}
  for i, detector in ipairs(options.detectors) do rules[i] = detector.rules end
  return { kind = "update", changes = {
    rules = rules, filters = options.filters, events = options.events, model_plot = options.model_plot,
  } }
end

return operations
