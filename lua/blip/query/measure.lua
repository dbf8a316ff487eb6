--- Aggregates as SQL over @{blip.query.rows}.
-- @module blip.query.measure
local fail = require "blip.fail"
local rows = require "blip.query.rows"

local measure = {}

--- Appends an aggregate's filter to one SQL aggregate call.
local function filtered(sql, condition)
  return condition and ("%s FILTER (WHERE %s)"):format(sql, condition) or sql
end

--- SQL of the values that take part: one per row, or with the field's lists, a list per row.
-- @return SQL of a number (or of a list of numbers), and whether it is a list
local function numbers(field, node, from)
  if field.list then
    return ("list_transform(%s, lambda v: %s)"):format(field.list, rows.number(field, "v")), true
  end
  local x = rows.number(field, field.sql)
  if node.missing ~= nil then x = ("coalesce(%s, %s)"):format(x, from:bind(node.missing)) end
  return x, false
end

--- All values of all lists of a bucket, as one list.
local function gathered(list, condition)
  return ("flatten(%s)"):format(filtered(("list(%s)"):format(list), condition))
end

--- An aggregate of numbers: `plain` is its SQL over one value per row, `listed` over lists.
local function numeric(plain, listed)
  return function(field, node, from, condition)
    local ok, err = rows.check_numeric(field, node.op)
    if not ok then return nil, err end
    local x, is_list = numbers(field, node, from)
    return is_list and listed(x, condition, node, from) or plain(x, condition, node, from)
  end
end

local function call(name)
  return function(x, condition) return filtered(("%s(%s)"):format(name, x), condition) .. "::DOUBLE" end
end

local function over_gathered(name)
  return function(x, condition)
    return ("list_aggregate(%s, '%s')::DOUBLE"):format(gathered(x, condition), name)
  end
end

local function sum(x, condition)
  return ("coalesce(%s, 0)::DOUBLE"):format(filtered(("sum(%s)"):format(x), condition))
end

local function count(x, condition)
  return filtered(("count(%s)"):format(x), condition) .. "::DOUBLE"
end

--- A percentile's share, 0 to 1. A number of our own, written out: DuckDB wants a constant.
-- Of n sorted values the answer is number floor(share * n), counted from zero, as a t-digest
-- gives it while it holds every value. DuckDB takes ceil(share * n) - 1: hence the little more.
local function fraction(node)
  return ("%.17g"):format(math.min(1, node.percent / 100 + 1e-9))
end

local function quantile(x, condition, node)
  return filtered(("quantile_disc(%s::DOUBLE, %s)"):format(x, fraction(node)), condition)
end

--- What a high dynamic range histogram says of a percentile: the upper end of the cell that value
-- number ceil(share * n) falls in. The cells of a power of two are as many as the digits want; an
-- end is one unit below the next cell, and a unit is a cell of the smallest value there is.
local function in_cells(value, least, digits)
  local half = math.ceil(math.log(2 * 10 ^ digits, 2)) - 1 -- as a power of two
  local function cell_of(x) return ("power(2, floor(log2(%s)) - %d)"):format(x, half) end
  local cell = cell_of(value)
  return ("(CASE WHEN %s > 0 THEN floor(%s / %s) * %s + %s - %s ELSE %s END)"):format(
    value, value, cell, cell, cell, cell_of(least), value)
end

local function share_of(node) return ("%.17g"):format(node.percent / 100) end

local function cell_quantile(x, condition, node)
  local positive = ("%s > 0%s"):format(x, condition and " AND " .. condition or "")
  return in_cells(filtered(("quantile_disc(%s::DOUBLE, %s)"):format(x, share_of(node)), condition),
    filtered(("min(%s::DOUBLE)"):format(x), positive), node.digits)
end

local function cell_quantile_of_lists(x, condition, node)
  local all = gathered(x, condition)
  return in_cells(("list_aggregate(%s::DOUBLE[], 'quantile_disc', %s)"):format(all, share_of(node)),
    ("list_min(list_filter(%s::DOUBLE[], lambda v: v > 0))"):format(all), node.digits)
end

--- The mean of a field's values, each counted as often as another field says.
local function weighted(field, node, from, condition)
  local weight = from:field(node.weight)
  for _, one in ipairs { field, weight } do
    local ok, err = rows.check_numeric(one, node.op)
    if not ok then return nil, err end
  end
  local x, w = rows.number(field, field.sql), rows.number(weight, weight.sql)
  local both = ("%s IS NOT NULL%s"):format(x, condition and " AND " .. condition or "")
  return ("(%s / nullif(%s, 0))"):format(filtered(("sum(%s * %s::DOUBLE)"):format(x, w), both),
    filtered(("sum(%s)"):format(w), both) .. "::DOUBLE")
end

--- How each operation over a field compiles:
-- `(field, node, from, condition) -> SQL | nil, err`.
local OPS = {
  avg = numeric(call "avg", over_gathered "avg"),
  min = numeric(call "min", function(x, c) return call "min"(("list_min(%s)"):format(x), c) end),
  max = numeric(call "max", function(x, c) return call "max"(("list_max(%s)"):format(x), c) end),
  sum = numeric(sum, function(x, c) return sum(("list_sum(%s)"):format(x), c) end),
  median = numeric(call "median", over_gathered "median"),
  weighted_avg = weighted,
  variance = numeric(call "var_pop", over_gathered "var_pop"),
  median_absolute_deviation = numeric(call "mad", over_gathered "mad"),
  sum_of_squares = numeric(
    function(x, c) return sum(("%s::DOUBLE * %s"):format(x, x), c) end,
    function(x, c) return sum(("list_sum(list_transform(%s, lambda v: v::DOUBLE * v))"):format(x), c) end),
  percentile = numeric(quantile, function(x, condition, node)
    return ("list_aggregate(%s::DOUBLE[], 'quantile_disc', %s)"):format(gathered(x, condition),
      fraction(node))
  end),

  cell_percentile = numeric(cell_quantile, cell_quantile_of_lists),

  value_count = function(field, node, _, condition)
    if node.missing ~= nil and not field.list then return filtered("count(*)", condition) .. "::DOUBLE" end
    -- A document's equal words count once, its equal numbers each.
    local size = rows.is_text(field.type) and "len(list_distinct(%s))" or "len(%s)"
    if field.list then return sum(size:format(field.list), condition) end
    return count(field.sql, condition)
  end,

  cardinality = function(field, _, _, condition)
    if field.list then
      return ("coalesce(len(list_distinct(%s)), 0)::DOUBLE"):format(gathered(field.list, condition))
    end
    return count("DISTINCT " .. field.sql, condition)
  end,
}

local ARITHMETIC = { ["+"] = true, ["-"] = true, ["*"] = true, ["/"] = true }

--- SQL of an aggregate.
-- @param node an aggregate
-- @param from the @{blip.query.rows} it is taken over
-- @return SQL of a DOUBLE, NULL where a bucket has no value (also for a division by zero); or
-- nil and an error
function measure.sql(node, from)
  if node.op == "constant" then return from:bind(node.value) .. "::DOUBLE" end
  if ARITHMETIC[node.op] then
    local a, a_err = measure.sql(node[1], from)
    if not a then return nil, a_err end
    local b, b_err = measure.sql(node[2], from)
    if not b then return nil, b_err end
    if node.op == "/" then b = ("nullif(%s, 0)"):format(b) end
    return ("(%s %s %s)"):format(a, node.op, b)
  end
  local condition = node.filter and from:condition(node.filter)
  if node.op == "count" then return filtered("count(*)", condition) .. "::DOUBLE" end
  local op = OPS[node.op]
  if not op then return fail.invalid("unknown aggregate '%s'", tostring(node.op)) end
  return op(from:field(node.field), node, from, condition)
end

return measure
