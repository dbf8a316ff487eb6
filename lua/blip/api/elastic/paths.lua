--- The two prefixes of the Elastic dialect; what follows them is the same (elastic-ml.md 1.1).
-- @module blip.api.elastic.paths
local needs = require "blip.api.needs"

local paths = {}

--- Adds a route under both prefixes:
--     paths.both(routes, "GET /info", "cluster:monitor/xpack/ml/info/get", handler)
-- @tparam table routes
-- @tparam string route method and path behind the prefix
-- @tparam string action that it needs, see @{blip.api.needs}
-- @tparam function handler
-- @tparam[opt] table options of @{blip.api.needs}
function paths.both(routes, route, action, handler, options)
  local method, path = route:match "^(%u+) (.*)$"
  routes[("%s /_ml%s"):format(method, path)] = needs(action, handler, options)
  routes[("%s /_xpack/ml%s"):format(method, path)] = needs(action, handler, options)
end

--- Adds a route for GET and POST under both prefixes, as reads that take a body have it; otherwise
-- as @{both}.
function paths.read(routes, path, action, handler, options)
  paths.both(routes, "GET " .. path, action, handler, options)
  paths.both(routes, "POST " .. path, action, handler, options)
end

return paths
