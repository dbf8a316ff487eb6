--- Routes: read and change the cluster settings.
-- @module blip.api.opensearch.cluster_settings
local json = require "runtime.json"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local settings = require "blip.api.opensearch.settings"

local UPDATED, ALL = { "acknowledged", "persistent", "transient" }, { "persistent", "transient" }
local PARAMETERS = {
  "flat_settings",
  "timeout",
  "cluster_manager_timeout",
  "master_timeout",
  "include_defaults",
}

local routes = {}

routes["PUT /_cluster/settings"] = needs("cluster:admin/settings/update", function(request)
  request:allow(PARAMETERS)
  local changed = assert(settings.update(request:json()))
  changed.acknowledged = true
  return reply.ok(json.ordered(changed, UPDATED))
end)

routes["GET /_cluster/settings"] = needs("cluster:monitor/settings", function(request)
  request:allow(PARAMETERS)
  return reply.ok(json.ordered(settings.all(), ALL))
end)

return routes
