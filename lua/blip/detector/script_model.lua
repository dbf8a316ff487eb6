--- A model that a user wrote in Lua, with the life cycle of those in C: new, push, save, load.
--     model = script {
--       new  = function(options) return { mean = 0, rows = 0 } end,
--       push = function(self, row) ... return { score =, grade =, expected = { calls = 7 } } end,
--     }
-- Its states stay in the sandbox, each in a slot; the host holds the slot. A row is
-- `{ time = <ms>, <feature> = <number>, ... }`, without the features that have no value.
-- @module blip.detector.script_model
local fail = require "blip.fail"
local json = require "runtime.json"

local script_model = {}

local State = {}
State.__index = State

--- Frees the state's slot once nobody holds it.
function State:__gc()
  pcall(self.sandbox.call, self.sandbox, self.prefix .. ".model.close", self.slot)
end

local slots = 0

local function open(model, saved)
  slots = slots + 1
  local state = setmetatable({ sandbox = model.sandbox, prefix = model.prefix, slot = slots }, State)
  local _, err = state.sandbox:call(state.prefix .. ".model.open", state.slot, saved)
  if err then error(err, 0) end
  return state
end

local function refuse(...)
  error(select(2, fail.invalid(...)), 0)
end

-- A number from 0 to 1 of a verdict, or its default.
local function share(verdict, key, default)
  local number = verdict[key]
  if number == nil then return default end
  if type(number) ~= "number" or not (number >= 0 and number <= 1) then
    refuse("the model's %s must be a number from 0 to 1, not %s", key, tostring(number))
  end
  return number
end

-- The values that a verdict gives by feature name, in the order of the vector.
local function by_feature(model, values)
  if type(values) ~= "table" then return nil end
  local list = {}
  for i, feature in ipairs(model.features) do list[i] = values[feature.name] end
  return list
end

-- What push returned, in the form of the engine: a number alone is a score.
local function to_verdict(model, returned)
  if returned == nil then return nil end
  local verdict = type(returned) == "number" and { score = returned } or returned
  if type(verdict) ~= "table" or type(verdict.score or 0) ~= "number" then
    refuse("the model's push must return a score or a table with one")
  end
  return {
    score = verdict.score or 0,
    grade = share(verdict, "grade", 0),
    confidence = share(verdict, "confidence", 1),
    expected = by_feature(model, verdict.expected),
  }
end

--- The `model` of a definition for a script's own model.
-- @param sandbox where its functions are
-- @tparam string prefix of the names that they are registered under
-- @tparam table options for new()
-- @tparam table features of the definition
function script_model.new(sandbox, prefix, options, features)
  local model = {
    kind = "script", options = options,
    sandbox = sandbox, prefix = prefix, features = features,
  }

  --- A new state.
  function model.new() return open(model) end

  --- One row in, one verdict out; nil while the model warms up.
  function model.push(state, time_ms, values)
    local row = { time = time_ms }
    for i, feature in ipairs(features) do
      if values[i] == values[i] then row[feature.name] = values[i] end
    end
    local returned, err = sandbox:call(prefix .. ".model.push", state.slot, row)
    if err then error(err, 0) end
    return to_verdict(model, returned)
  end

  --- The state as JSON text.
  function model.save(state)
    local data, err = sandbox:call(prefix .. ".model.save", state.slot)
    if err then error(err, 0) end
    return json.encode(data)
  end

  --- The state that was saved.
  function model.load(text) return open(model, assert(json.decode(text))) end

  return model
end

return script_model
