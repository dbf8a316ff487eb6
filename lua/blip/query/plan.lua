--- What a detector asks of a source: its features per interval and entity.
-- @module blip.query.plan
local aggregate = require "blip.query.aggregate"
local fail = require "blip.fail"

local plan = {}

local function check_features(features)
  local seen = { time = true, rows = true }
  for i, feature in ipairs(features) do
    if type(feature.name) ~= "string" then return fail.invalid("feature %d has no name", i) end
    if seen[feature.name] then return fail.invalid("two columns would be named '%s'", feature.name) end
    if not aggregate.is(feature.expr) then
      return fail.invalid("feature '%s' is no aggregate", feature.name)
    end
    seen[feature.name] = true
  end
  return true
end

--- A plan, checked and complete.
-- @tparam table p
--   `indices` names and patterns;
--   `user` with whose rights they are read, see `blip.source.rights`; the server's own when nil;
--   `filter` rows to look at, all when nil;
--   `time` `{ field =, from =, to = }`, milliseconds, from <= t < to, either may be nil;
--   `interval_ms`, `offset_ms` the grid of buckets, counted from 1970;
--   `category` fields whose values make an entity, none when nil;
--   `features` a list of `{ name =, expr = aggregate }`;
--   `entities` the only entities wanted, a list of lists of values in category order;
--   `limit` of rows
-- @return the plan, or nil and an `invalid` error
function plan.new(p)
  if type(p.indices) ~= "table" or #p.indices == 0 then return fail.invalid "a plan needs an index" end
  if not (p.time and p.time.field) then return fail.invalid "a plan needs a time field" end
  if math.type(p.interval_ms) ~= "integer" or p.interval_ms <= 0 then
    return fail.invalid("an interval of %s ms is not above zero", tostring(p.interval_ms))
  end
  p.category, p.features, p.offset_ms = p.category or {}, p.features or {}, p.offset_ms or 0
  local ok, err = check_features(p.features)
  return ok and p, err
end

return plan
