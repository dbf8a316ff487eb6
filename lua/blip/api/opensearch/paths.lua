--- The two prefixes of the dialect, and what every one of its routes checks first.
-- @module blip.api.opensearch.paths
local refuse = require "blip.api.opensearch.refuse"
local settings = require "blip.api.opensearch.settings"

local CURRENT, LEGACY = "/_plugins/_anomaly_detection", "/_opendistro/_anomaly_detection"

local paths = {}

local function guarded(handler)
  return function(request)
    if not settings.get "enabled" then
      refuse.illegal_state(
        "AD functionality is disabled. To enable update plugins.anomaly_detection.enabled to true"
      )
    end
    return handler(request)
  end
end

local function add(prefix, routes, route, handler)
  local method, path = route:match "^(%u+) (.*)$"
  routes[("%s %s%s"):format(method, prefix, path)] = guarded(handler)
end

--- Adds a route under both prefixes: `paths.both(routes, "GET /detectors/count", handler)`.
function paths.both(routes, route, handler)
  add(CURRENT, routes, route, handler)
  add(LEGACY, routes, route, handler)
end

--- Adds a route that came after the renaming, which the old prefix does not have.
function paths.current(routes, route, handler)
  add(CURRENT, routes, route, handler)
end

--- Adds a route that only the old prefix has.
function paths.legacy(routes, route, handler)
  add(LEGACY, routes, route, handler)
end

return paths
