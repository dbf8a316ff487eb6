--- The words of a detector script.
-- This file runs inside the sandbox (runtime/bind/sandbox.h), before the script: it makes the
-- script's globals and turns what the script says into plain data. It checks as it goes, and
-- notes every problem with its line instead of stopping at the first. It can require nothing.
-- (It stays readable for Lua 5.1, in which luacheck loads it to learn the words.) What it gets are
-- the host's functions and what @{blip.detector.dsl_check} returned.
--
--     return detector "name" { ... }
--       --> finish() --> { detectors = { { name =, line =, interval_ms =, features = ... } },
--                          problems = { { line =, key =, message = } } }
--
-- Functions stay in here, registered under a name, "http_errors.on_anomaly"; the data that
-- leaves carries the name.
-- @module blip.detector.dsl
local host, base = ...
local here = base.here

local problem, problems, check = base.problem, base.problems, base.check
local shown, sorted_keys, suggestion = base.shown, base.sorted_keys, base.suggestion
local is, check_keys = base.is, base.check_keys
local whole, sensitivity = check.whole, check.sensitivity

local floor, huge, format = math.floor, math.huge, string.format

local MAX_LINES = 100 -- log lines kept between two calls

local functions = {} -- name -> function that the host may call
local detectors = {}
local lines = {}     -- { level =, message = } of log.info and its kin

-- Nodes: filters and aggregations ---------------------------------------------------------------

local Filter, Aggregate = {}, {}
local words = {}

local function new_filter(op, args)
  return setmetatable({ kind = "filter", op = op, line = here(), args = args }, Filter)
end

local function filter(op, ...) return new_filter(op, { ... }) end

local function aggregate(op, node)
  node.kind, node.op, node.line = "aggregation", op, here()
  return setmetatable(node, Aggregate)
end

--- Notes a problem unless the value is text that is not empty.
local function check_field(word, field)
  if type(field) ~= "string" or field == "" then
    problem(nil, "%s needs the name of a field, got %s", word, shown(field))
  end
end

local function check_scalar(word, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    problem(nil, "%s needs a text, a number or a boolean, got %s", word, shown(value))
  end
end

local function check_list(word, values)
  if type(values) ~= "table" or values.kind or #values == 0 then
    problem(nil, "%s needs a list of values, got %s", word, shown(values))
    return
  end
  for _, value in ipairs(values) do check_scalar(word, value) end
end

--- The filters that `op` combines already in a filter of that kind, else the filter itself: a
-- long chain of & stays flat.
local function parts_of(op, value, list)
  local parts = value.op == op and value.args or { value }
  for _, part in ipairs(parts) do list[#list + 1] = part end
end

local function combine(op, sign)
  return function(a, b)
    local stray = a
    if is(a, "filter") then stray = b end
    if is(stray, "filter") then
      local list = {}
      parts_of(op, a, list)
      parts_of(op, b, list)
      return new_filter(op, list)
    end
    problem(nil, "'%s' combines filters, got %s", sign, shown(stray))
    return is(a, "filter") and a or b
  end
end

Filter.__band = combine("and", "&")
Filter.__bor = combine("or", "|")
function Filter.__bnot(a) return filter("not", a) end

--- Rows whose field has this value.
function words.term(field, value)
  check_field("term", field)
  check_scalar("term", value)
  return filter("term", field, value)
end

--- Rows whose field has one of these values.
function words.terms(field, values)
  check_field("terms", field)
  check_list("terms", values)
  return filter("terms", field, values)
end

local bounds = { gt = true, gte = true, lt = true, lte = true }

--- Rows whose field lies between bounds: any of gt, gte, lt, lte.
function words.range(field, wanted)
  check_field("range", field)
  if type(wanted) ~= "table" or next(wanted) == nil then
    problem(nil, "range over %s needs bounds, as { gte = 500 }", shown(field))
    return filter("range", field, { gte = 0 })
  end
  for _, key in ipairs(sorted_keys(wanted)) do
    if not bounds[key] then
      problem(nil, "range has no bound '%s'%s", tostring(key), suggestion(key, bounds))
    else
      check_scalar("range's " .. key, wanted[key])
    end
  end
  return filter("range", field, wanted)
end

--- Rows that have a value in the field.
function words.exists(field)
  check_field("exists", field)
  return filter("exists", field)
end

--- Rows whose text begins so.
function words.prefix(field, text)
  check_field("prefix", field)
  check_scalar("prefix", text)
  return filter("prefix", field, text)
end

--- Rows whose text holds these words.
function words.match(field, text)
  check_field("match", field)
  check_scalar("match", text)
  return filter("match", field, text)
end

--- Documents with these ids.
function words.ids(values)
  check_list("ids", values)
  return filter("ids", values)
end

--- A constant or an aggregation, as an operand; notes a problem for anything else.
local function operand(value, sign)
  if is(value, "aggregation") then return value end
  if type(value) == "number" then return aggregate("constant", { value = value }) end
  problem(nil, "'%s' needs aggregations or numbers, got %s", sign, shown(value))
  return aggregate("constant", { value = 0 })
end

local function arithmetic(sign)
  return function(a, b)
    return aggregate(sign, { operand(a, sign), operand(b, sign) })
  end
end

Aggregate.__add, Aggregate.__sub = arithmetic("+"), arithmetic("-")
Aggregate.__mul, Aggregate.__div = arithmetic("*"), arithmetic("/")
function Aggregate.__unm(a) return arithmetic("-")(0, a) end
-- A filter in arithmetic is a mistake worth naming: count(failed) was meant.
Filter.__add, Filter.__sub = Aggregate.__add, Aggregate.__sub
Filter.__mul, Filter.__div = Aggregate.__mul, Aggregate.__div

local function check_filter(word, value)
  if value ~= nil and not is(value, "filter") then
    problem(nil, "%s takes a filter, got %s", word, shown(value))
    return nil
  end
  return value
end

--- Number of rows in the bucket, of those that pass the filter when there is one.
function words.count(where)
  return aggregate("count", { filter = check_filter("count", where) })
end

for _, op in ipairs { "sum", "avg", "min", "max", "value_count", "cardinality", "median" } do
  words[op] = function(field, where)
    check_field(op, field)
    return aggregate(op, { field = field, filter = check_filter(op, where) })
  end
end

--- The value below which `percent` of the field's values lie.
function words.percentile(field, percent, where)
  check_field("percentile", field)
  if type(percent) ~= "number" or not (percent >= 0 and percent <= 100) then
    problem(nil, "percentile needs a number from 0 to 100, got %s", shown(percent))
  end
  return aggregate("percentile", {
    field = field, percent = percent, filter = check_filter("percentile", where),
  })
end

-- Features ------------------------------------------------------------------------------------

--- Replaces the numbers among a function's inputs; notes what is no aggregation.
local function check_inputs(name, inputs)
  for _, key in ipairs(sorted_keys(inputs)) do
    if type(key) ~= "string" then
      problem("features", "feature '%s': its inputs need names, as { calls = count() }", name)
      inputs[key] = nil
    else
      inputs[key] = operand(inputs[key], key)
    end
  end
end

--- One number per bucket: an expression, or a Lua function over named inputs.
--     feature("error_rate", count(failed) / count())
--     feature("pressure", { calls = count() }, function(bucket) return bucket.calls end)
function words.feature(name, what, compute)
  local feature = { kind = "feature", name = name, line = here() }
  if type(name) ~= "string" or not name:match("^[%a_][%w_]*$") or #name > 64 then
    problem("features", "a feature's name is letters, digits and _, up to 64; got %s", shown(name))
    feature.name = "unnamed"
  end
  if compute == nil then
    feature.expr = operand(what, "feature " .. feature.name)
  elseif type(compute) ~= "function" or type(what) ~= "table" or what.kind then
    problem("features", "feature '%s' is either (name, expression) or (name, inputs, function)",
      feature.name)
    feature.expr = operand(0)
  else
    check_inputs(feature.name, what)
    feature.inputs, feature.compute = what, compute
  end
  return feature
end

-- Models ----------------------------------------------------------------------------------------

local model_options = {
  forest = {
    shingle = whole(1, 128), trees = whole(10, 1000), samples = whole(16, 4096),
    recency = whole(1, 10000000), output_after = whole(1, 100000), seed = whole(0, 2 ^ 53),
  },
  ensemble = { sensitivity = sensitivity, history = whole(64, 1000000), seed = whole(0, 2 ^ 53) },
}

for kind, checkers in pairs(model_options) do
  words[kind] = function(given)
    if given ~= nil and type(given) ~= "table" then
      problem("model", "%s takes a table of options, got %s", kind, shown(given))
      given = nil
    end
    local options = check_keys(kind, given or {}, checkers)
    return { kind = "model", name = kind, options = options }
  end
end

for name, word in pairs(base.seasonal) do words[name] = word end

local life = { new = true, push = true, save = true, load = true }

--- A model in Lua: new(options) -> self, push(self, row) -> verdict, and, when its state is not
-- the plain table `self` itself, save(self) -> data and load(data) -> self.
function words.script(given)
  local model = { kind = "model", name = "script", options = {}, life = {} }
  if type(given) ~= "table" then
    problem("model", "script takes { new =, push = }, got %s", shown(given))
    return model
  end
  for _, key in ipairs(sorted_keys(given)) do
    if life[key] and type(given[key]) == "function" then
      model.life[key] = given[key]
    elseif life[key] then
      problem("model", "%s = %s is no function", key, shown(given[key]))
    else
      model.options[key] = given[key]
    end
  end
  for _, key in ipairs { "new", "push" } do
    if not given[key] then problem("model", "script needs a function '%s'", key) end
  end
  return model
end

--- Raises unless the value can be kept as JSON: plain, finite, with keys of one sort.
local function check_plain(value, path, depth)
  local kind = type(value)
  if kind == "number" and (value ~= value or value == huge or value == -huge) then
    error(format("%s is %s, which JSON cannot keep", path, tostring(value)), 0)
  elseif kind == "function" or kind == "userdata" or kind == "thread" then
    error(format("%s is a %s; a model's state is plain data", path, kind), 0)
  elseif kind ~= "table" then
    return
  elseif depth > 20 then
    error(path .. " nests too deeply", 0)
  end
  local length = #value
  for key, item in pairs(value) do
    local in_list = type(key) == "number" and key >= 1 and key <= length and key == floor(key)
    if not in_list and (type(key) ~= "string" or length > 0) then
      error(format("%s mixes a list with keys, or has a key that is no text: %s", path,
        tostring(key)), 0)
    end
    check_plain(item, format("%s.%s", path, tostring(key)), depth + 1)
  end
end

--- Registers the life cycle of a script's model. The states stay here, each in a slot.
local function register_model(prefix, model)
  local states, stages = {}, model.life
  functions[prefix .. ".model.open"] = function(slot, saved)
    if saved == nil then
      states[slot] = stages.new(model.options)
    else
      states[slot] = stages.load and stages.load(saved) or saved
    end
    if states[slot] == nil then error("the model's new returned nothing", 0) end
  end
  functions[prefix .. ".model.push"] = function(slot, row)
    return stages.push(states[slot], row)
  end
  functions[prefix .. ".model.save"] = function(slot)
    local data = states[slot]
    if stages.save then data = stages.save(data) end
    check_plain(data, "self", 0)
    return data
  end
  functions[prefix .. ".model.close"] = function(slot) states[slot] = nil end
end

-- The detector ----------------------------------------------------------------------------------

local detector_keys = {
  category = check.texts, delay = check.delay, description = check.text,
  features = check.features, filter = check.filter, history = whole(0, 100000),
  interval = check.interval, model = check.model, on_anomaly = check.on_anomaly,
  result_index = check.text, sensitivity = sensitivity, shingle = whole(1, 128),
  source = check.texts, time = check.text,
}

local required = { "features", "interval", "source", "time" }

--- Moves the functions of a detector out of its data and registers them.
local function register(detector)
  for _, feature in ipairs(detector.features or {}) do
    if feature.compute then
      functions[detector.name .. ".feature." .. feature.name] = feature.compute
      feature.compute = detector.name .. ".feature." .. feature.name
    end
  end
  if detector.on_anomaly then
    detector.on_anomaly_lines = { host.span(detector.on_anomaly) }
    functions[detector.name .. ".on_anomaly"] = detector.on_anomaly
    detector.on_anomaly = detector.name .. ".on_anomaly"
  end
  if detector.model.name == "script" then
    register_model(detector.name, detector.model)
    detector.model = { name = "script", prefix = detector.name, options = detector.model.options }
  end
end

--- `shingle` and `sensitivity` beside the model are the model's own options, said shortly.
local function complete_model(passed)
  local model = passed.model or words[passed.shingle and "forest" or "ensemble"]()
  for _, key in ipairs { "shingle", "sensitivity" } do
    if passed[key] ~= nil then
      if not (model_options[model.name] or {})[key] then
        problem(key, "%s does not go with the model %s", key, model.name)
      elseif model.options[key] == nil then
        model.options[key] = passed[key]
      end
      passed[key] = nil
    end
  end
  return model
end

local MAX_DETECTORS = 100 -- of one script

local function define(name, line, given)
  local known = #problems
  local passed = check_keys("a detector", given, detector_keys, true)
  for _, key in ipairs(required) do
    if given[key] == nil then problem(nil, "detector '%s' has no %s", name, key) end
  end
  passed.model = complete_model(passed)
  for i = known + 1, #problems do
    problems[i].line, problems[i].detector = line, name
  end
  passed.name, passed.line, passed.kind = name, line, "detector"
  if #detectors == MAX_DETECTORS then
    problem(nil, "a script defines at most %d detectors", MAX_DETECTORS)
  end
  register(passed)
  detectors[#detectors + 1] = passed
  return passed
end

--- detector "name" { source =, time =, interval =, features = { ... }, ... }
function words.detector(name)
  local line = here()
  if type(name) ~= "string" or not name:match("^[%w_][%w_-]*$") or #name > 64 then
    problem(nil, "a detector's name is letters, digits, _ and -, up to 64; got %s", shown(name))
    name = "unnamed"
  end
  for _, other in ipairs(detectors) do
    if other.name == name then problem(nil, "detector '%s' is defined twice", name) end
  end
  return function(given)
    if type(given) ~= "table" then
      problem(nil, "detector '%s' takes a table, got %s", name, shown(given))
      given = {}
    end
    return define(name, line, given)
  end
end

-- The log ---------------------------------------------------------------------------------------

local log = {}
for _, level in ipairs { "info", "warn", "error" } do
  log[level] = function(message, ...)
    local text = tostring(message)
    if select("#", ...) > 0 then
      local formatted, result = pcall(format, message, ...)
      if not formatted then error(result, 2) end
      text = result
    end
    if #lines < MAX_LINES then
      lines[#lines + 1] = { level = level, message = text:sub(1, 1000) }
    end
  end
end

functions["log.take"] = function()
  local taken = lines
  lines = {}
  return taken
end

-- The environment -------------------------------------------------------------------------------

--- A table that shows another's fields and takes none.
local function sealed(fields, name)
  return setmetatable({}, {
    __index = fields, __metatable = false,
    __newindex = function(_, key)
      error(format("%s.%s cannot be changed", name, tostring(key)), 2)
    end,
  })
end

for name, value in pairs {
  assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
  select = select, tonumber = tonumber, tostring = tostring, type = type,
} do
  words[name] = value
end
for name, library in pairs { math = math, os = os, string = string, table = table, utf8 = utf8 } do
  words[name] = sealed(library, name)
end
words.log = sealed(log, "log")

local environment = setmetatable({}, {
  __metatable = false,
  __index = function(_, key)
    if words[key] ~= nil then return words[key] end
    error(format("unknown word '%s'%s", tostring(key), suggestion(key, words)), 2)
  end,
  __newindex = function(_, key)
    error(format("'%s' would be global: write local %s", tostring(key), tostring(key)), 2)
  end,
})

--- Gets what the script returned: one detector, or a list of them.
local function finish(returned)
  local list = is(returned, "detector") and { returned } or returned
  local count = type(list) == "table" and #list or 0
  local stray = count == 0
  for i = 1, count do stray = stray or not is(list[i], "detector") end
  if stray then
    problem(nil, "the script returns %s, not a detector or a list of detectors", shown(returned))
    list = {}
  end
  return { detectors = list, problems = problems }
end

functions["problems"] = function() return problems end

return {
  environment = environment, functions = functions, finish = finish, words = sorted_keys(words),
}
