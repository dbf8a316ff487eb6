--- The two prefixes of the Elastic dialect; what follows them is the same (elastic-ml.md 1.1).
-- @module blip.api.elastic.paths
local needs = require "blip.api.needs"

local AGENT = "299 Elasticsearch-8.4.0-unknown"

local paths = {}

--- Adds a deprecation warning to the answer of a request, whatever the answer is.
-- @tparam table request
-- @tparam string text
function paths.warn(request, text)
  request.warnings = request.warnings or {}
  table.insert(request.warnings, text)
end

local function header_of(warnings)
  local values = {}
  for i, text in ipairs(warnings) do
    values[i] = ('%s "%s"'):format(AGENT, (text:gsub('[\\"]', "\\%0"):gsub("%c", " ")))
  end
  return table.concat(values, ", ")
end

-- A text that is raised is a bug's: it keeps the way that led to it.
local function with_traceback(problem)
  return type(problem) == "string" and debug.traceback(problem, 2) or problem
end

--- A handler whose answers, refusals too, carry the warnings of their request.
function paths.warned(handler)
  return function(request)
    local ok, answer, err = xpcall(handler, with_traceback, request)
    if not ok then answer, err = nil, answer end
    local target = answer or err
    if request.warnings and type(target) == "table" then
      target.headers = target.headers or {}
      target.headers.Warning = header_of(request.warnings)
    end
    if not ok then error(err, 0) end
    return answer, err
  end
end

--- Adds a route under both prefixes:
--     paths.both(routes, "GET /info", "cluster:monitor/xpack/ml/info/get", handler)
-- @tparam table routes
-- @tparam string route method and path behind the prefix
-- @tparam string action that it needs, see @{blip.api.needs}
-- @tparam function handler
-- @tparam[opt] table options of @{blip.api.needs}
function paths.both(routes, route, action, handler, options)
  local method, path = route:match "^(%u+) (.*)$"
  local entry = needs(action, paths.warned(handler), options)
  routes[("%s /_ml%s"):format(method, path)] = entry
  routes[("%s /_xpack/ml%s"):format(method, path)] = entry
end

--- Adds a route for GET and POST under both prefixes, as reads that take a body have it; otherwise
-- as @{both}.
function paths.read(routes, path, action, handler, options)
  paths.both(routes, "GET " .. path, action, handler, options)
  paths.both(routes, "POST " .. path, action, handler, options)
end

return paths
