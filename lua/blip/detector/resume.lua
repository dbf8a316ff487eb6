--- Goes on with what ran when the server stopped: a module of @{blip.start}.
-- @module blip.detector.resume
local scheduler = require "blip.detector.scheduler"

local resume = {}

--- Hands in the detectors and analyses that were running.
function resume.start()
  assert(scheduler.resume())
end

return resume
