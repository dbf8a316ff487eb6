--- The bodies of requests as texts.
-- @module blip.api.elastic.bodies
local refuse = require "blip.job.refuse"

local bodies = {}

--- The body; nil when there is none.
function bodies.optional(request)
  local text = request:text()
  return text and text:find "%S" and text or nil
end

--- The body; raises the dialect's error when there is none.
function bodies.text(request)
  return bodies.optional(request) or refuse.unreadable "request body is required"
end

return bodies
