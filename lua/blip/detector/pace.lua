--- How many intervals of a detector to take at a time.
-- @module blip.detector.pace
local definition = require "blip.detector.definition"
local pace = require "blip.pace"

-- Before it is known how many rows an interval has.
local FIRST_OF_ONE, FIRST_OF_MANY = 64, 4

return {
  --- The pace of a detector's run that begins; see @{blip.pace}.
  new = function(d)
    return pace.new(d.interval_ms, { first = definition.is_single(d) and FIRST_OF_ONE or FIRST_OF_MANY })
  end,
}
