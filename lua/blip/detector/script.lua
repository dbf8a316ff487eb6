--- A detector script, read: from its text to definitions, with its functions behind handles.
-- The script runs in a sandbox of its own (@{blip.detector.dsl} are its words). What comes out is
-- plain data; this module turns it into the normal form of @{blip.detector.definition}, whose
-- functions call back into the sandbox.
-- @module blip.detector.script
local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local log = require "runtime.log"
local runtime = require "runtime.script"
local script_model = require "blip.detector.script_model"

-- About half a second of Lua, and what a model of a few thousand numbers needs.
local LIMITS = { memory_bytes = 64 << 20, steps = 20000000, cpu_ms = 3000 }

local SENSITIVITY = { low = 2, medium = 1, high = 0.5 } -- factors of the ensemble's threshold

local script = { MAX_TEXT = 256 * 1024 }

local function read_file(path)
  local file, reason = io.open(path, "rb")
  if not file then return fail.not_found("%s", reason) end
  local text, wrong = file:read(script.MAX_TEXT + 1)
  file:close()
  if wrong then return fail.failed("%s: %s", path, wrong) end
  return text or ""
end

local prelude -- the texts that run in a sandbox before the script

local function new_sandbox()
  if not prelude then
    prelude = {}
    for i, name in ipairs { "dsl_check", "dsl" } do
      local path = assert(package.searchpath("blip.detector." .. name, package.path))
      prelude[i] = { name .. ".lua", assert(read_file(path)) }
    end
  end
  return runtime.sandbox(prelude, LIMITS)
end

-- Problems --------------------------------------------------------------------------------------

-- The line, from `line` on, that sets a key of a detector; `line` itself when none does.
local function line_of_key(text, line, key)
  local number = 0
  for content in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if number >= line and content:match("%f[%w_]" .. key .. "%s*=[^=]") then return number end
  end
  return line
end

-- The problems that the script's words noted, with the file and in the order of lines.
local function located(problems, source)
  for i, problem in ipairs(problems) do
    local line = math.max(problem.line, 1)
    if problem.key and problem.key:match("^[%a_][%w_]*$") then
      line = line_of_key(source.text, line, problem.key)
    end
    problems[i] = { file = source.path, line = line, message = problem.message }
  end
  table.sort(problems, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.message < b.message
  end)
  return problems
end

-- What the sandbox raised, "name.lua:3: message", as a problem.
local function raised(err, source)
  local line, message = err.reason:match("^" .. source.name:gsub("%p", "%%%0") .. ":(%d+): (.*)$")
  return { file = source.path, line = math.tointeger(line) or 1, message = message or err.reason }
end

--- A problem as one line: `file:line: message`.
function script.describe(problem)
  return ("%s:%d: %s"):format(problem.file, problem.line, problem.message)
end

-- nil and an error whose reason is the first problem, and that carries them all.
local function refuse(problems)
  local more = #problems > 1 and (" (and %d more)"):format(#problems - 1) or ""
  local _, err = fail.invalid("%s%s", script.describe(problems[1]), more)
  err.problems = problems
  return nil, err
end

-- From plain data to nodes ------------------------------------------------------------------------

local to_filter

local function to_filters(nodes)
  local list = {}
  for i, node in ipairs(nodes) do list[i] = to_filter(node) end
  return list
end

function to_filter(node)
  if node == nil then return nil end
  if node.op == "and" then return filter.all_of(to_filters(node.args)) end
  if node.op == "or" then return filter.any_of(to_filters(node.args)) end
  if node.op == "not" then return ~to_filter(node.args[1]) end
  return assert(filter[node.op](table.unpack(node.args)))
end

local arithmetic = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) return a / b end,
}

local function to_aggregate(node)
  local combine = arithmetic[node.op]
  if combine then return combine(to_aggregate(node[1]), to_aggregate(node[2])) end
  if node.op == "constant" then return aggregate.constant(node.value) end
  local where = to_filter(node.filter)
  if node.op == "count" then return aggregate.count(where) end
  if node.op == "percentile" then
    return assert(aggregate.percentile(node.field, node.percent, where))
  end
  return assert(aggregate[node.op](node.field, where))
end

-- From plain data to a definition -----------------------------------------------------------------

local Loaded = {}
Loaded.__index = Loaded

--- Writes what the script logged into the server's log.
function Loaded:flush_log(detector)
  for _, line in ipairs(self.sandbox:call("log.take") or {}) do
    log[line.level]("script", { script = self.name, detector = detector, message = line.message })
  end
end

-- A host function that calls the sandbox's function of this name; what it raises is an error
-- with a kind, whose reason tells script and line.
local function handle(self, detector, name)
  return function(...)
    local result, err = self.sandbox:call(name, ...)
    self:flush_log(detector)
    if err then error(err, 0) end
    return result
  end
end

-- The same over a whole frame, in C: columns = { input = column }. The function also gets the
-- bucket's `time`.
local function map_handle(self, detector, name)
  return function(frame, columns, out)
    local inputs = { time = "time" }
    for key, column in pairs(columns) do inputs[key] = column end
    local mapped, err = self.sandbox:map(name, frame, inputs, out)
    self:flush_log(detector)
    return mapped, err
  end
end

local function to_feature(self, detector, given)
  if given.expr then return { name = given.name, expr = to_aggregate(given.expr) } end
  local inputs = {}
  for key, node in pairs(given.inputs) do inputs[key] = to_aggregate(node) end
  return {
    name = given.name, inputs = inputs,
    compute = handle(self, detector, given.compute),
    compute_frame = map_handle(self, detector, given.compute),
  }
end

local function to_features(self, given)
  local features = {}
  for i, feature in ipairs(given.features) do
    features[i] = to_feature(self, given.name, feature)
  end
  return features
end

local function to_model(self, given, features)
  local model = given.model
  if model.name == "script" then
    return script_model.new(self.sandbox, model.prefix, model.options, features)
  end
  local options = { kind = model.name }
  for key, value in pairs(model.options) do options[key] = value end
  options.sensitivity = SENSITIVITY[options.sensitivity] or options.sensitivity
  return options
end

-- on_anomaly never stops a run: what it raises is logged.
local function to_on_anomaly(self, given)
  if not given.on_anomaly then return nil end
  local call = handle(self, given.name, given.on_anomaly)
  return function(anomaly)
    local ok, err = pcall(call, anomaly)
    if ok then return true end
    local reason = fail.is(err) and err.reason or tostring(err)
    log.error("script_failed", { script = self.name, detector = given.name, reason = reason })
    return nil, err
  end
end

local IDENTITY = { -- what a model has learned is worth nothing once one of these changes
  "source", "time", "filter", "category", "interval", "features", "model",
}

--- A text's fingerprint: FNV-1a, 64 bits, as text.
function script.hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do h = (h ~ text:byte(i)) * 0x100000001b3 end
  return ("%016x"):format(h)
end

local function has_code(given)
  for _, feature in ipairs(given.features) do
    if feature.compute then return true end
  end
  return given.model.name == "script"
end

-- The same table without the lines at which things were said.
local function without_lines(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do
    if key ~= "line" then copy[key] = without_lines(item) end
  end
  return copy
end

-- The script's code without what changes no feature and no model: lines that are comments, and
-- the inside of every on_anomaly.
local function code_of(self, detectors)
  local lines, number = {}, 0
  for line in (self.text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local matters = not line:match("^%s*%-%-")
    for _, given in ipairs(detectors) do
      local span = given.on_anomaly_lines
      if span and number > span[1] and number < span[2] then matters = false end
    end
    if matters then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

--- Text that changes when a model has to start anew. Lua functions are known by the code of their
-- script.
local function version(given, code)
  local parts = { code = has_code(given) and code or nil }
  for _, key in ipairs(IDENTITY) do parts[key] = without_lines(given[key]) end
  return script.hash(json.encode(parts))
end

local function to_definition(self, given, code)
  local features = to_features(self, given)
  return definition.new {
    id = given.name, name = given.name, origin = "script", version = version(given, code),
    description = given.description,
    indices = given.source, time_field = given.time, filter = to_filter(given.filter),
    interval_ms = given.interval, delay_ms = given.delay, category = given.category,
    features = features, model = to_model(self, given, features),
    history = given.history, result_index = given.result_index,
    on_anomaly = to_on_anomaly(self, given),
  }
end

-- Loading -----------------------------------------------------------------------------------------

local function run(self)
  local data, err = self.sandbox:run(self.text, self.name)
  self:flush_log()
  if data then
    if #data.problems == 0 then return data.detectors end
    return refuse(located(data.problems, self))
  end
  local problems = located(self.sandbox:call("problems") or {}, self)
  problems[#problems + 1] = raised(err, self)
  return refuse(problems)
end

local function define_all(self, detectors)
  local problems, code = {}, code_of(self, detectors)
  for i, given in ipairs(detectors) do
    local d, err = to_definition(self, given, code)
    if d then
      self.detectors[i] = d
    else
      problems[#problems + 1] = { file = self.path, line = given.line, message = err.reason }
    end
  end
  if #problems > 0 then return refuse(problems) end
  return self
end

--- Reads a script's text.
-- @tparam string text
-- @tparam string path how errors name it
-- @treturn table `{ path =, name =, text =, detectors = { definition, ... } }`; or nil and an
-- `invalid` error with all `problems`, each `{ file =, line =, message = }`
function script.read(text, path)
  local name = path:match("[^/]*$")
  if #text > script.MAX_TEXT then
    return refuse { { file = path, line = 1, message = "is larger than 256 KB" } }
  elseif #name > 50 then
    return refuse { { file = path, line = 1, message = "has a name of more than 50 characters" } }
  end
  local sandbox, err = new_sandbox()
  if not sandbox then return nil, err end
  local self = setmetatable({
    path = path, name = name, text = text, sandbox = sandbox, detectors = {},
  }, Loaded)
  local detectors
  detectors, err = run(self)
  if not detectors then return nil, err end
  return define_all(self, detectors)
end

--- Reads a script's file.
-- @tparam string path
-- @return as read(); also `not_found` and `failed`
function script.load(path)
  local text, err = read_file(path)
  if not text then return nil, err end
  return script.read(text, path)
end

return script
