--- How much memory the models of all jobs may have together.
-- @module blip.job.capacity
local config = require "blip.job.config"

local capacity = {}

local SHARE = 0.5 -- of the machine's memory; the rest is the store's and the requests'

local total -- bytes, read once

local function machine_bytes()
  if total then return total end
  local file = io.open "/proc/meminfo"
  local kb = file and tonumber(file:read("a"):match "MemTotal:%s*(%d+)")
  if file then file:close() end
  total = (kb or 4 << 20) << 10
  return total
end

--- The machine's memory, in bytes.
capacity.machine_bytes = machine_bytes

--- The most that one job's models may ask for, in bytes.
function capacity.most_bytes()
  return math.floor(machine_bytes() * SHARE)
end

--- Is there room for a job's models? What counts is the limit that the job has set: what models of other
-- jobs take is theirs to keep within their own.
-- @tparam table job its configuration
function capacity.has_room(job)
  return config.memory_limit_bytes(job) <= math.max(capacity.most_bytes(), 4 << 30)
end

return capacity
