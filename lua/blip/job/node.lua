--- The one node of the cluster that this process is, as stats name it (elastic-ml.md 7.6).
-- @module blip.job.node
local capacity = require "blip.job.capacity"
local config = require "blip.config"
local json = require "runtime.json"

local node = { ID = "blip" }

local ORDER = { "id", "name", "ephemeral_id", "transport_address", "attributes" }
local MOST_OPEN_JOBS = "512"

--- The node as a running job or datafeed shows it.
function node.shown()
  return json.ordered({
    id = node.ID, name = node.ID, ephemeral_id = node.ID, transport_address = config.get().listen,
    attributes = {
      ["ml.machine_memory"] = tostring(capacity.machine_bytes()), ["ml.max_open_jobs"] = MOST_OPEN_JOBS,
    },
  }, ORDER)
end

return node
