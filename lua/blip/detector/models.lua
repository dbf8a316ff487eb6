--- The model set of a detector, made from its definition.
-- @module blip.detector.models
local model = require "runtime.model"
local rules = require "blip.detector.rules"
local script_set = require "blip.detector.script_set"

local models = {}

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
  if d.model.kind == "script" then return script_set.new(d) end
  local options = models.options(d)
  options.threads = threads
  return model.set_new(options)
end

return models
