--- One way through for every run, live, historical, preview or over a file:
--
--     plan -> source.scan -> frame -> empty intervals -> features -> models -> rules
--
-- A run is a definition, a source and a model set. It takes stretches of intervals in their
-- order; how they are cut changes no verdict. What comes out is the frame with the columns
--     time  [category ...]  rows  f1 ...  and the verdict columns of runtime/model/model_set.h
-- @module blip.detector.run
local definition = require "blip.detector.definition"
local features = require "blip.detector.features"
local models = require "blip.detector.models"
local rules = require "blip.detector.rules"

local run = {}

local Run = {}
Run.__index = Run

--- Opens a run.
-- @tparam table d definition
-- @tparam[opt] table options
--   `source` something with `scan(plan)`, default the store;
--   `set` the model set to go on with, default an empty one;
--   `offset_ms` of the grid of intervals against the epoch, default 0;
--   `threads` that score, default one per core
-- @return the run; or nil and an error
function run.open(d, options)
  options = options or {}
  local set, err = options.set
  if not set then set, err = models.new_set(d, options.threads) end
  if not set then return nil, err end
  return setmetatable({
    d = d,
    set = set,
    source = options.source or require "blip.source.store",
    offset_ms = options.offset_ms or 0,
    columns = { features = features.columns(d), entity = d.category },
  }, Run)
end

--- The plan of a stretch of intervals.
-- @tparam integer from start of the first interval, ms
-- @tparam integer to end of the last one
-- @tparam[opt] table changes fields of the plan that differ
function Run:plan(from, to, changes)
  local d = self.d
  local plan = {
    indices = d.indices,
    user = d.user,
    filter = d.filter,
    time = { field = d.time_field, from = from, to = to },
    interval_ms = d.interval_ms,
    offset_ms = self.offset_ms % d.interval_ms,
    category = d.category,
    features = features.scanned(d),
  }
  for key, value in pairs(changes or {}) do plan[key] = value end
  return plan
end

-- Rows for intervals without documents: of a single series always; of entities when values are
-- imputed, else an entity that is silent has no result.
local function fill(self, frame, from, to)
  local d = self.d
  local single = definition.is_single(d)
  if not single and not d.impute then return true end
  return frame:fill {
    from = from,
    to = to,
    step = d.interval_ms,
    entity = d.category,
    known = not single and self.set:keys() or nil,
    values = features.empty_values(d),
  }
end

--- Scores a frame that was scanned for a stretch, and adds the verdict columns to it.
-- @return the frame; or nil and an error: the model set is then good for nothing
function Run:score(frame, from, to)
  local ok, err = fill(self, frame, from, to)
  if ok then ok, err = features.compute(self.d, frame) end
  if ok then ok, err = self.set:score(frame, self.columns) end
  if not ok then return nil, err end
  rules.suppress(self.d, frame)
  return frame
end

--- Scans and scores the intervals of [from, to), which lie on the run's grid and follow those
-- of the stretch before.
-- @return frame; or nil and an error
function Run:stretch(from, to)
  local frame, err = self.source.scan(self:plan(from, to))
  if not frame then return nil, err end
  return self:score(frame, from, to)
end

return run
