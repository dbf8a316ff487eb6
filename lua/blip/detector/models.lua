--- The model set of a detector, made from its definition.
-- @module blip.detector.models
local model = require "runtime.model"
local rules = require "blip.detector.rules"
local script_set = require "blip.detector.script_set"
local seasonal_set = require "blip.detector.seasonal_set"

local models = {}

-- Kinds whose sets are no sets of `runtime.model`.
local OWN_SETS = { script = script_set, seasonal = seasonal_set }

local MIN_OUTPUT = 32 -- rows before a forest's first score (rcf.md 3.1)

-- Values that stand in for missing ones, by feature position.
local function fixed_values(d)
  local values = {}
  for i, feature in ipairs(d.features) do values[i] = d.impute.fixed[feature.name] end
  return values
end

local options_of = {}

function options_of.forest(d)
  local given = d.model
  return {
    shingle = given.shingle,
    trees = given.trees,
    samples = given.samples,
    time_decay = given.time_decay or 1 / given.recency,
    output_after = given.output_after or math.max(given.shingle, MIN_OUTPUT),
    ignore = rules.ignored(d),
    impute = d.impute and d.impute.method,
    fixed = d.impute and d.impute.method == "fixed" and fixed_values(d) or nil,
  }
end

function options_of.ensemble(d)
  return { sensitivity = d.model.sensitivity, history = d.model.history }
end

--- Options for `model.set_new`.
function models.options(d)
  local options = options_of[d.model.kind](d)
  options.kind = d.model.kind
  options.features = #d.features
  options.interval_ms = d.interval_ms
  options.seed = d.model.seed
  return options
end

--- An empty set of models.
-- @tparam table d definition
-- @tparam[opt] integer threads that score; default one per core
-- @return a model set; or nil and an `invalid` error that names the option
function models.new_set(d, threads)
  local own = OWN_SETS[d.model.kind]
  if own then return own.new(d) end
  local options = models.options(d)
  options.threads = threads
  return model.set_new(options)
end

--- Whether the models of a set are saved and loaded together: entities do not come back one by one.
function models.is_whole(d)
  return OWN_SETS[d.model.kind] ~= nil
end

--- The set of a run that another job left in memory.
-- @tparam table d definition
-- @tparam table state of the run
-- @return the set; nil when there is none; or nil and a `busy` error when somebody looks at it
function models.borrow(d, state)
  local set, err
  if d.model.kind == "seasonal" then
    set, err = seasonal_set.borrow(d, state)
  elseif d.model.kind ~= "script" then
    set, err = model.borrow(state.run)
  end
  if not set and err and err.kind == "busy" then return nil, err end
  return set
end

--- Leaves a set in memory for the next job; one in Lua stays with its worker and ends.
-- @return true; or nil and an error
function models.give_back(d, run, set)
  if d.model.kind == "script" then return true end
  if d.model.kind == "seasonal" then return seasonal_set.give_back(run, set) end
  return model.give_back(run, set)
end

--- Forgets what is left of a run in memory.
function models.drop(run)
  model.drop(run)
  seasonal_set.drop(run)
end

return models
