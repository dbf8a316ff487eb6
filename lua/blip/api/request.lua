--- A request as the routes see it.
--     method   "GET", ...                 path     as it was sent, without the query
--     params   of the route's pattern     query    of the query string: name to string
--     headers  lower-case name to value   body     string, or nil when there is none
--     id       this request's number      legacy   under the /_opendistro or /_xpack prefix
-- @module blip.api.request
local fail = require "blip.fail"
local json = require "runtime.json"
local problem = require "blip.query.problem"

local Request = { __name = "blip.request" }
Request.__index = Request

local request = {}

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- Splits a path at its slashes and decodes the parts; empty ones do not count.
function request.segments(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    parts[#parts + 1] = unescape(part)
  end
  return parts
end

local function parse_query(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    if name ~= "" then
      query[unescape(name:gsub("%+", " "))] = unescape(value:gsub("%+", " "))
    end
  end
  return query
end

--- Makes a request from what the host hands over: method, uri, headers, body, id.
function request.new(raw)
  local path, query = raw.uri:match("^([^?]*)%??(.*)$")
  return setmetatable({
    method = raw.method, uri = raw.uri, path = path, query = parse_query(query),
    headers = raw.headers, body = raw.body, id = raw.id, params = {},
    legacy = path:match("^/_opendistro/") ~= nil or path:match("^/_xpack/") ~= nil,
  }, Request)
end

--- Parameters that every request may have, for the router sees to them.
local generic = {
  pretty = true, human = true, error_trace = true, filter_path = true, format = true,
  source = true, source_content_type = true,
}

--- Refuses query parameters that nobody reads.
-- @tparam table names those that the route reads
-- @return the request; raises the dialect's error otherwise
function Request:allow(names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  local unknown = {}
  for name in pairs(self.query) do
    if not known[name] and not generic[name] then
      local meant = problem.suggestion(name, known)
      unknown[#unknown + 1] = "[" .. name .. "]" .. (meant ~= "" and " ->" .. meant or "")
    end
  end
  if #unknown == 0 then return self end
  table.sort(unknown)
  return assert(fail.invalid("request [%s] contains unrecognized parameter%s: %s", self.path,
    #unknown > 1 and "s" or "", table.concat(unknown, ", ")))
end

local truths = { ["true"] = true, [""] = true, ["false"] = false }

--- A true-or-false parameter of the query; without a value it is true.
-- @tparam string name
-- @tparam[opt=false] boolean default when it is not there
-- @return boolean; raises the dialect's error for any other word
function Request:flag(name, default)
  local value = self.query[name]
  if value == nil then return default or false end
  if truths[value] == nil then
    assert(fail.invalid("Failed to parse value [%s] as only [true] or [false] are allowed.", value))
  end
  return truths[value]
end

--- A whole number of the query.
-- @return integer, or `default` when it is not there; raises the dialect's error otherwise
function Request:integer(name, default)
  local value = self.query[name]
  if value == nil then return default end
  local number = math.tointeger(tonumber(value))
  if number then return number end
  return assert(fail.es {
    status = 400, type = "illegal_argument_exception",
    reason = ("Failed to parse int parameter [%s] with value [%s]"):format(name, value),
    caused_by = { type = "number_format_exception", reason = ('For input string: "%s"'):format(value) },
  })
end

--- The body as text, from the `source` parameter when there is none; nil when neither is.
function Request:text()
  return self.body or self.query.source
end

-- The parser's words for a text that ends too early or says a field twice are part of the dialect.
local function parse_error(err, text)
  local words = err.problem
  if err.type == "json_e_o_f_exception" then
    local container = text:match("^%s*%[") and "Array" or "Object"
    words = ("Unexpected end-of-input within/between %s entries"):format(container)
  end
  return fail.es {
    status = 400, type = err.type,
    reason = ("%s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
      .. "line: %d, column: %d]"):format(words, err.line, err.column),
  }
end

--- Reads a JSON text of a request; what follows its closing bracket is ignored.
-- @return the value, or nil and the dialect's parse error
function request.decode(text)
  local value, err = json.decode(text, { trailing = true, max_depth = request.max_depth })
  if err then return parse_error(err, text) end
  return value
end

--- The levels of brackets that a body may have; the router sets it from the configuration.
request.max_depth = 1000

--- The body read as JSON.
-- @tparam[opt] table options `optional`: nil for no body instead of an error
-- @return the value; raises the dialect's parse error
function Request:json(options)
  local text = self:text()
  if text == nil or text:match("^%s*$") then
    if options and options.optional then return nil end
    return assert(fail.es { status = 400, type = "parse_exception", reason = "request body is required" })
  end
  local value, err = request.decode(text)
  if err then error(err, 0) end
  return value
end

local accepted = {
  ["application/json"] = true, ["application/x-ndjson"] = true, ["application/vnd.elasticsearch+json"] = true,
  ["application/vnd.elasticsearch+x-ndjson"] = true,
}

--- Refuses a body of another type than JSON.
-- @return true, or nil and the dialect's error
function Request:check_content_type()
  local sent = self.headers["content-type"]
  if not self.body or not sent then return true end
  local bare = sent:lower():match("^%s*([^;%s]*)")
  if accepted[bare] then return true end
  if bare == "" then
    local reason = ("invalid Content-Type header [%s]"):format(sent)
    return fail.es {
      status = 400, type = "content_type_header_exception",
      reason = "java.lang.IllegalArgumentException: " .. reason,
      caused_by = { type = "illegal_argument_exception", reason = reason },
    }
  end
  local text = ("Content-Type header [%s] is not supported"):format(sent)
  return fail.es { status = 406, reason = text, body = { error = text, status = 406 } }
end

return request
