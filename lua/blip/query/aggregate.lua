--- One number per bucket: what a feature measures, combined with `+ - * /`.
-- An aggregate is plain data, `{ op =, field =, filter = }` or `{ op = "/", a, b }`:
-- @{blip.query.measure} turns it into SQL.
--
--     aggregate.count(filter.range("status", { gte = 500 })) / aggregate.count()
--
-- @module blip.query.aggregate
local fail = require "blip.fail"

local Aggregate = { __name = "blip.aggregate" }

local function new(node)
  return setmetatable(node, Aggregate)
end

local aggregate = {}

--- Whether a value is an aggregate.
function aggregate.is(value)
  return getmetatable(value) == Aggregate
end

--- A number that is the same in every bucket.
function aggregate.constant(value)
  return new { op = "constant", value = value }
end

local function operand(value)
  return type(value) == "number" and aggregate.constant(value) or value
end

for metamethod, op in pairs { __add = "+", __sub = "-", __mul = "*", __div = "/" } do
  Aggregate[metamethod] = function(a, b) return new { op = op, operand(a), operand(b) } end
end

function Aggregate.__unm(a)
  return new { op = "-", aggregate.constant(0), a }
end

--- How many rows, or rows for which a filter holds.
function aggregate.count(filter)
  return new { op = "count", filter = filter }
end

--- What a field's values come to: `aggregate.avg("took_ms", filter)`.
-- Rows without a value do not take part; where none has one, the answer has no value
-- (`sum`, `value_count` and `cardinality` answer 0).
-- `value_count` is the number of values, `cardinality` the exact number of different ones,
-- `sum_of_squares` and `variance` (population) are what extended statistics are made of;
-- `median_absolute_deviation` is the median of the distances from the median.
for _, op in ipairs { "avg", "min", "max", "sum", "value_count", "cardinality", "median",
                      "sum_of_squares", "variance", "median_absolute_deviation" } do
  aggregate[op] = function(field, filter)
    return new { op = op, field = field, filter = filter }
  end
end

--- The mean of a field's values, each with a weight from another field.
function aggregate.weighted_avg(field, weight, filter)
  return new { op = "weighted_avg", field = field, weight = weight, filter = filter }
end

--- The value below which a share of a field's values lie: one of the values.
-- @tparam string field
-- @tparam number percent 0 to 100
-- @param[opt] filter
-- @return an aggregate, or nil and an `invalid` error when percent is out of range
function aggregate.percentile(field, percent, filter)
  if type(percent) ~= "number" or percent < 0 or percent > 100 then
    return fail.invalid("percentile of '%s' must be between 0 and 100, not %s", field, tostring(percent))
  end
  return new { op = "percentile", field = field, percent = percent, filter = filter }
end

--- A percentile as a histogram of cells gives it, which keeps so many digits of each value.
-- @tparam string field
-- @tparam number percent 0 to 100
-- @tparam integer digits 0 to 5
-- @return an aggregate, or nil and an `invalid` error when percent is out of range
function aggregate.cell_percentile(field, percent, digits)
  local node, err = aggregate.percentile(field, percent)
  if not node then return nil, err end
  node.op, node.digits = "cell_percentile", digits
  return node
end

--- The same aggregate over those rows alone for which a filter holds too.
function aggregate.where(node, filter)
  if node.op == "constant" then return node end
  if node[1] then
    return new { op = node.op, aggregate.where(node[1], filter), aggregate.where(node[2], filter) }
  end
  local copy = {}
  for key, value in pairs(node) do copy[key] = value end
  copy.filter = node.filter and node.filter & filter or filter
  return new(copy)
end

return aggregate
