--- How many intervals to take at a time: few enough that memory and the time until others have
-- their turn stay bounded, many enough that a scan is worth it.
-- @module blip.pace
local pace = {}

local Pace = {}
Pace.__index = Pace

local ROWS = 20000 -- of one stretch
local MOST = 64000 -- intervals

--- The pace of a run that begins.
-- @tparam integer interval_ms
-- @tparam table options `first`: intervals to take before it is known how many rows one has; by
-- choice `rows` of one stretch
function pace.new(interval_ms, options)
  return setmetatable({
    interval_ms = interval_ms, next_ = options.first, rows = options.rows or ROWS,
  }, Pace)
end

--- The end of the next stretch, which begins at `from`; at most `to`.
function Pace:stop(from, to)
  return math.min(to, from + self.next_ * self.interval_ms)
end

--- Learns from a stretch how many rows an interval has.
-- @tparam integer rows
-- @tparam integer span_ms of the stretch
-- @treturn integer how many intervals the next one will have
function Pace:learn(rows, span_ms)
  local density = rows / (span_ms / self.interval_ms)
  self.next_ = math.max(1, math.min(MOST, math.floor(self.rows / math.max(density, 0.1))))
  return self.next_
end

return pace
