--- The two prefixes of the dialect, and what every one of its routes checks first.
-- @module blip.api.opensearch.paths
local needs = require "blip.api.needs"
local owners = require "blip.api.opensearch.owners"
local refuse = require "blip.api.opensearch.refuse"
local settings = require "blip.api.opensearch.settings"

local CURRENT, LEGACY = "/_plugins/_anomaly_detection", "/_opendistro/_anomaly_detection"

local ACTIONS = "cluster:admin/opendistro/ad/"

local paths = {}

local function guarded(handler)
  return function(request)
    if not settings.get "enabled" then
      refuse.illegal_state(
        "AD functionality is disabled. To enable update plugins.anomaly_detection.enabled to true"
      )
    end
    if request.params.id then
      owners.check(request.params.id)
    end
    return handler(request)
  end
end

local function add(prefix, routes, route, action, handler)
  local method, path = route:match "^(%u+) (.*)$"
  routes[("%s %s%s"):format(method, prefix, path)] = needs(ACTIONS .. action, guarded(handler))
end

--- Adds a route under both prefixes:
--     paths.both(routes, "GET /detectors/count", "detector/info", handler)
-- @tparam table routes
-- @tparam string route method and path behind the prefix
-- @tparam string action that it needs, without what all of the plugin's actions begin with
-- @tparam function handler
function paths.both(routes, route, action, handler)
  add(CURRENT, routes, route, action, handler)
  add(LEGACY, routes, route, action, handler)
end

--- Adds a route that came after the renaming, which the old prefix does not have.
function paths.current(routes, route, action, handler)
  add(CURRENT, routes, route, action, handler)
end

--- Adds a route that only the old prefix has.
function paths.legacy(routes, route, action, handler)
  add(LEGACY, routes, route, action, handler)
end

return paths
