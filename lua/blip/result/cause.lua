--- Why a row was found strange, in words.
-- A verdict carries the head that was strongest and its numbers (runtime/model/model.h, enum
-- model_cause); this makes the sentence.
-- @module blip.result.cause
local text = require "blip.text"

local cause = {}

local NAMES = { [0] = "none", "value", "level", "season", "point", "shape", "range" }

--- The word for a code: "none", "value", "level", "season", "point", "shape" or "range".
function cause.name(code)
  return NAMES[code or 0] or "none"
end

local function above_or_below(amount)
  return amount >= 0 and "above" or "below"
end

local function kind_of_day(v)
  if not v.time then return "day" end
  local weekday = (v.time // 86400000 + 3) % 7 -- 0 = Monday
  return weekday >= 5 and "weekend day" or "weekday"
end

local words = {}

function words.value(v)
  return ("no value so far came within %s of it"):format(text.number(v.cause_distance))
end

function words.level(v)
  return ("the mean of the last %d rows is %s; so far it never came within %s of that"):format(
    v.cause_rows, text.number(v.cause_amount), text.number(v.cause_distance))
end

function words.season(v)
  return ("for %d rows %s %s what is usual at this time of a %s"):format(
    v.cause_rows, text.number(math.abs(v.cause_amount)), above_or_below(v.cause_amount), kind_of_day(v))
end

function words.point(v)
  return ("%s %s what is usual at this time of a %s"):format(
    text.number(math.abs(v.cause_amount)), above_or_below(v.cause_amount), kind_of_day(v))
end

function words.shape(v)
  local nearest = ""
  if v.cause_lag and v.cause_lag > 0 then
    nearest = ("; most similar: %s before"):format(
      v.interval_ms and text.duration(v.cause_lag * v.interval_ms) or text.count(v.cause_lag, "row"))
  end
  return ("the last %d rows look like nothing before, %s times the usual distance%s"):format(
    v.cause_rows, text.number(v.cause_amount), nearest)
end

function words.range(v)
  local name = v.names and v.names[v.cause_feature] or "feature " .. v.cause_feature
  return ("%s leaves its range by %s widths"):format(name, text.number(v.cause_amount))
end

--- What a model without causes lets us say.
function words.none(v)
  if not (v.value and v.expected) or v.value == v.expected then return "unlike the rows before" end
  return ("%s %s the expected %s"):format(text.number(math.abs(v.value - v.expected)),
    above_or_below(v.value - v.expected), text.number(v.expected))
end

--- The sentence for a verdict.
-- @tparam table v the verdict's `cause`, `cause_feature`, `cause_rows`, `cause_lag`,
--   `cause_amount`, `cause_distance`; and any of `time` (ms), `value`, `expected`,
--   `interval_ms`, `names` (of the features)
-- @treturn string
function cause.words(v)
  return words[cause.name(v.cause)](v)
end

return cause
