--- Goes on with the datafeeds that ran when the server stopped: a module of @{blip.start}.
-- @module blip.job.resume
local datafeed = require "blip.job.datafeed"

local resume = {}

--- Hands in the datafeeds that were running.
function resume.start()
  assert(datafeed.resume())
end

return resume
