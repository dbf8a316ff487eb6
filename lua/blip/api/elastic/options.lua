--- The options of a request: fields of its body or, without one, of its query string
-- (elastic-ml.md 1.2).
--     local wanted = options.new("cluster:monitor/xpack/ml/job/results/buckets/get", {
--       start = options.text, desc = options.boolean, page = options.page,
--     })
--     local given = wanted:read(request)         -- raises the dialect's error
-- A reader is `(value, name, in_body) -> value | nil, err`. An option that is null counts as not
-- given.
-- @module blip.api.elastic.options
local attempt = require "blip.attempt"
local fail = require "blip.fail"
local json = require "runtime.json"
local paths = require "blip.api.elastic.paths"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local units = require "blip.job.units"

-- Up to where pages reach under the old prefix, and how long they are if nothing is said.
local MAX_WINDOW, DEFAULT_SIZE = 10000, 100

local options = {}

local Options = {}
Options.__index = Options

-- --- readers --------------------------------------------------------------------------------

local function wrong_kind(value, wanted)
  return fail.invalid("Can't get %s on a %s", wanted, read.token(value))
end

--- A text; in a body also a number, which becomes one.
function options.text(value)
  if type(value) == "string" then return value end
  if math.type(value) == "float" then return ("%.0f"):format(value) end
  if type(value) == "number" then return tostring(value) end
  return wrong_kind(value, "text")
end

--- True or false, also as words; an empty parameter is true.
function options.boolean(value, _, in_body)
  if value == "" and not in_body then return true end
  local truth = read.boolean(value)
  if truth == nil then
    return fail.invalid("Failed to parse value [%s] as only [true] or [false] are allowed.", read.show(value))
  end
  return truth
end

--- A whole number, also written as text.
function options.integer(value, name, in_body)
  local number = type(value) ~= "boolean" and math.tointeger(tonumber(value))
  if number then return number end
  local reason = ('For input string: "%s"'):format(read.show(value))
  local cause = { type = "number_format_exception", reason = reason }
  if in_body then return fail.es { status = 400, type = cause.type, reason = reason } end
  return fail.es {
    status = 400, type = "illegal_argument_exception", caused_by = cause,
    reason = ("Failed to parse int parameter [%s] with value [%s]"):format(name, value),
  }
end

--- A number, also written as text.
options.number = function(value) return read.number(value) end

-- A number of hits to skip or to show.
local function not_negative(value, name, in_body)
  local number, err = options.integer(value, name, in_body)
  if not number then return nil, err end
  if number < 0 then return fail.invalid("Parameter [%s] cannot be < 0", name) end
  return number
end

options.count = not_negative

--- `{ "from": n, "size": m }` of a body; either may be left out.
function options.page(value)
  if not read.is_object(value) then return wrong_kind(value, "page") end
  for key in pairs(value) do
    if key ~= "from" and key ~= "size" then return problem.content("[1:1] [page] unknown field [%s]", key) end
  end
  local page = {}
  for _, name in ipairs { "from", "size" } do
    if value[name] ~= nil then
      local number, err = not_negative(value[name], name, true)
      if not number then return nil, err end
      page[name] = number
    end
  end
  return page
end

--- A span of time such as "30s"; comes out in milliseconds, beside the text itself as `text`.
function options.time_value(value, name)
  local text = tostring(value)
  local ms, err = attempt(units.time_ms, text, name)
  if not ms then return nil, err end
  return { ms = math.floor(ms), text = text }
end

-- --- reading --------------------------------------------------------------------------------

--- Old names of options, which still work: old name to new one.
local RENAMED = { allow_no_jobs = "allow_no_match", allow_no_datafeeds = "allow_no_match" }

local function with_renamed(readers)
  local all = {}
  for name, reader in pairs(readers) do all[name] = reader end
  for old, name in pairs(RENAMED) do all[old] = readers[name] end
  return all
end

-- Moves what came under an old name to the new one, and says so in the answer.
local function rename(given, request)
  for old, name in pairs(RENAMED) do
    if given[old] ~= nil then
      given[name], given[old] = given[old], nil
      paths.warn(request, ("Deprecated field [%s] used, expected [%s] instead"):format(old, name))
    end
  end
  return given
end

-- Options of the query string alone, or of the body alone.
local function known_names(self, in_body)
  local list = {}
  for name in pairs(self.readers) do
    if in_body or name ~= "page" then list[#list + 1] = name end
  end
  return list
end

-- Where a key stands in a body: "3:12".
local function place(text, name)
  local at = text:match(('()"%s"%%s*:'):format(name:gsub("%p", "%%%0"))) or 1
  local before = text:sub(1, at - 1)
  return ("%d:%d"):format(select(2, before:gsub("\n", "")) + 1, #before:match "[^\n]*$" + 1)
end

local function unknown_field(self, text, name)
  return assert(problem.content("[%s] [%s] unknown field [%s]%s", place(text, name), self.parser, name,
    problem.suggestion(name, self.readers)))
end

local function failed_field(self, text, name, err)
  return assert(fail.es {
    status = 400, type = "x_content_parse_exception",
    reason = ("[%s] [%s] failed to parse field [%s]"):format(place(text, name), self.parser, name),
    caused_by = problem.cause(err),
  })
end

local function read_body(self, request, body)
  if not read.is_object(body) then
    assert(problem.content("[1:1] Expected START_OBJECT but was: %s", read.token(body)))
  end
  local given, text = {}, request:text()
  for name, value in pairs(body) do
    local reader = self.readers[name]
    if not reader then unknown_field(self, text, name) end
    if value ~= json.null then
      local result, err = reader(value, name, true)
      if err then failed_field(self, text, name, err) end
      given[name] = result
    end
  end
  return given
end

local function read_query(self, request)
  request:allow(known_names(self, false))
  local given = {}
  for name, reader in pairs(self.readers) do
    local value = name ~= "page" and request.query[name] or nil
    if value ~= nil then
      local result, err = reader(value, name, false)
      if err then error(err, 0) end
      given[name] = result
    end
  end
  return given
end

-- Under the old prefix a page is refused before anything is looked for.
local function check_page(given, request)
  local page = given.page or given
  if request.legacy and (page.from or 0) + (page.size or DEFAULT_SIZE) > MAX_WINDOW then
    assert(fail.invalid("The sum of parameters [from] and [size] cannot be higher than %d. Please use "
      .. "filters to reduce the number of results.", MAX_WINDOW))
  end
  return given
end

local function settle(given, request)
  return check_page(rename(given, request), request)
end

--- Reads a request's options.
-- @tparam table request
-- @tparam[opt] table consumed parameters of the query string that may stand beside a body, and are
-- then ignored
-- @treturn table name to value
-- @treturn boolean whether they came from a body
function Options:read(request, consumed)
  local body = self.parser and request:json { optional = true }
  if body == nil or not self.parser then return settle(read_query(self, request), request), false end
  request:allow(consumed or {})
  return settle(read_body(self, request, body), request), true
end

--- The options that an endpoint has. One called `allow_no_match` may also be given as `allow_no_jobs` or
-- `allow_no_datafeeds`, as it was once called.
-- @tparam ?string parser what the dialect calls the reader of the body
-- @tparam table readers by name
function options.new(parser, readers)
  return setmetatable({ parser = parser, readers = with_renamed(readers) }, Options)
end

--- The options of an endpoint whose body is no place for them: they stand in the query string.
-- @tparam table readers by name
function options.query(readers)
  return options.new(nil, readers)
end

return options
