--- A model set whose models are written in Lua: the same methods as one of `runtime.model`.
-- Every row passes through Lua here, at the price that this has.
-- @module blip.detector.script_set
local script_set = {}

local ScriptSet = {}
ScriptSet.__index = ScriptSet

local SEPARATOR = "\31" -- between the category values of a key, as in runtime/model/model_set.h

--- An empty set for a definition whose model is of kind "script".
function script_set.new(d)
  return setmetatable({ model = d.model, states = {}, skip = {}, count_ = 0 }, ScriptSet)
end

-- The key of each row's entity.
local function keys_of(frame, category)
  local values, keys = {}, {}
  for i, name in ipairs(category or {}) do values[i] = frame:column(name) end
  for row = 1, #frame do
    local parts = {}
    for i = 1, #values do parts[i] = values[i][row] or "" end
    keys[row] = table.concat(parts, SEPARATOR)
  end
  return keys
end

local function new_columns(features)
  local columns = { scored = {}, score = {}, grade = {}, confidence = {}, start_index = {} }
  for i = 1, features do
    columns["expected_" .. i] = {}
    columns["contribution_" .. i] = {}
  end
  return columns
end

-- Values that a script's model never says still have their columns.
local function add_columns(frame, columns, inputs)
  local features = #inputs
  frame:set_column("scored", columns.scored, "bool")
  frame:set_column("start_index", columns.start_index, "int")
  frame:set_column("cause", {}, "int")
  for _, name in ipairs { "score", "grade", "confidence" } do frame:set_column(name, columns[name]) end
  for _, name in ipairs { "threshold", "probability" } do frame:set_column(name, {}) end
  for i = 1, features do
    for _, name in ipairs { "expected_", "contribution_" } do
      frame:set_column(name .. i, columns[name .. i])
    end
    for _, name in ipairs { "lower_", "upper_", "past_" } do frame:set_column(name .. i, {}) end
    frame:set_column("imputed_" .. i, {}, "bool")
    frame:set_column("used_" .. i, inputs[i])
  end
end

-- Without a word from the model, the feature that is furthest from what was expected is blamed.
local function blame(columns, row, values, expected)
  local most, furthest = 1, -1
  for i = 1, #values do
    local usual = expected and expected[i]
    local away = usual and math.abs(values[i] - usual) / (math.abs(usual) + 1e-9)
    if away and away > furthest then most, furthest = i, away end
  end
  for i = 1, #values do columns["contribution_" .. i][row] = i == most and 1.0 or 0.0 end
end

local function note(columns, row, verdict, values)
  columns.scored[row] = true
  columns.score[row], columns.grade[row] = verdict.score, verdict.grade
  columns.confidence[row], columns.start_index[row] = verdict.confidence, 0
  for i = 1, #values do
    columns["expected_" .. i][row] = verdict.expected and verdict.expected[i]
  end
  if verdict.grade > 0 then blame(columns, row, values, verdict.expected) end
end

function ScriptSet:state(key)
  local state = self.states[key]
  if state == nil then
    state = self.model.new()
    self.states[key] = state
    self.count_ = self.count_ + 1
  end
  return state
end

--- Scores each row in turn and adds the verdict columns.
function ScriptSet:score(frame, names)
  local keys, time = keys_of(frame, names.entity), frame:column "time"
  local columns, inputs = new_columns(#names.features), {}
  for i, name in ipairs(names.features) do inputs[i] = frame:column(name) end
  for row = 1, #frame do
    local key, values = keys[row], {}
    for i = 1, #inputs do values[i] = inputs[i][row] end
    columns.scored[row] = false
    if time[row] > (self.skip[key] or math.mininteger) then
      local verdict = self.model.push(self:state(key), time[row], values)
      if verdict then note(columns, row, verdict, values) end
    end
  end
  add_columns(frame, columns, inputs)
  return self
end

--- Calls `keep(key, bytes)` for every model.
function ScriptSet:save(keep)
  for key, state in pairs(self.states) do keep(key, self.model.save(state)) end
  return self.count_
end

--- Puts a saved model in place; rows up to `position_ms` are known to it.
function ScriptSet:load(key, bytes, position_ms)
  if self.states[key] == nil then self.count_ = self.count_ + 1 end
  self.states[key] = self.model.load(bytes)
  self.skip[key] = position_ms
  return self
end

--- Keys of the entities that have a model.
function ScriptSet:keys()
  local list = {}
  for key in pairs(self.states) do list[#list + 1] = key end
  table.sort(list)
  return list
end

--- Forgets all models.
function ScriptSet:close()
  self.states, self.count_ = {}, 0
end

function ScriptSet:count() return self.count_ end

--- 0: the memory is the sandbox's, the host cannot tell.
function ScriptSet.size() return 0 end

return script_set
