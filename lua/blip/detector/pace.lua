--- How many intervals to take at a time: few enough that memory and the time until others have
-- their turn stay bounded, many enough that a scan is worth it.
-- @module blip.detector.pace
local definition = require "blip.detector.definition"

local pace = {}

local Pace = {}
Pace.__index = Pace

local ROWS = 20000 -- of one stretch
local MOST = 64000 -- intervals
-- Before it is known how many rows an interval has.
local FIRST_OF_ONE, FIRST_OF_MANY = 64, 4

--- The pace of a run that begins.
function pace.new(d)
  return setmetatable({
    interval_ms = d.interval_ms,
    next_ = definition.is_single(d) and FIRST_OF_ONE or FIRST_OF_MANY,
  }, Pace)
end

--- The end of the next stretch, which begins at `from`; at most `to`.
function Pace:stop(from, to)
  return math.min(to, from + self.next_ * self.interval_ms)
end

--- Learns from a stretch how many rows an interval has.
function Pace:learn(frame, span_ms)
  local density = #frame / (span_ms / self.interval_ms)
  self.next_ = math.max(1, math.min(MOST, math.floor(ROWS / math.max(density, 0.1))))
end

return pace
