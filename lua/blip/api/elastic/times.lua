--- Points in time as the dialect's requests write them (elastic-ml.md 1.7).
--     times.range("2016-06-01", "start")     class A: results, snapshots, calendar events
--     times.clock("1403481600", "reset_end") class B: flush and data; up to ten digits are seconds
--     times.math("now-1d", "start")          class C: overall buckets, datafeeds
-- All give milliseconds since 1970 and raise the dialect's error; `range` and `math` give nil for -1,
-- which stands for "not given".
-- @module blip.api.elastic.times
local date_math = require "blip.query.date_math"
local object = require "blip.api.elastic.object"
local refuse = require "blip.job.refuse"
local time = require "runtime.time"

local FORMAT = "strict_date_optional_time||epoch_millis"
local UNSET = "-1"
local MAX_SECONDS_DIGITS = 10

local times = {}

--- The field of a body that holds a time: a text or a number, as a text.
times.field = object.scalar_text

--- Class A: ISO 8601, milliseconds, or an expression such as `now-1d`.
-- @tparam string text
-- @treturn ?integer milliseconds
function times.range(text)
  if text == UNSET then return nil end
  local ms, err = date_math.resolve(text, { format = FORMAT })
  if ms then return ms end
  refuse.unreadable("failed to parse date field [%s] with format [%s]: %s", text, FORMAT, err.reason)
end

local function not_a_date(text, name)
  refuse.unreadable("Query param [%s] with value [%s] cannot be parsed as a date or converted to a number "
    .. "(epoch).", name, text)
end

--- Class B: `now`, seconds (up to ten digits), milliseconds, or ISO 8601.
-- @tparam string text
-- @tparam string name of the parameter
-- @treturn integer milliseconds
function times.clock(text, name)
  if text == "now" then return time.now_ms() end
  if text:find "^%d+$" then
    local number = math.tointeger(tonumber(text)) or not_a_date(text, name)
    return #text <= MAX_SECONDS_DIGITS and number * 1000 or number
  end
  local ms = date_math.resolve(text, { format = "strict_date_optional_time" })
  return ms or not_a_date(text, name)
end

--- Class C: ISO 8601, milliseconds, or an expression with `now`.
-- @tparam string text
-- @tparam string name of the parameter
-- @treturn ?integer milliseconds
function times.math(text, name)
  if text == UNSET then return nil end
  local ms = text ~= "" and date_math.resolve(text, { format = FORMAT })
  return ms or not_a_date(text, name)
end

return times
