--- A plan as one SQL statement.
--
--     SELECT k * interval - shift AS "time", k1 AS "host", rows, m1 AS "cpu"
--     FROM (SELECT <time key> AS k, f2 AS k1, count(*) AS rows, avg(f3) AS m1
--           FROM (SELECT "ts" AS f1, "host" AS f2, "cpu" AS f3 FROM "metrics" WHERE ...)
--           GROUP BY k, k1)
--     ORDER BY 1, 2
--
-- Values are parameters; names come from the mapping and are quoted there.
-- @module blip.query.sql
local bucket = require "blip.query.bucket"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local measure = require "blip.query.measure"
local rows = require "blip.query.rows"

local sql = {}

--- A name as an SQL identifier.
function sql.quote(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

--- The filter of a plan: its own, its time range, its entities.
local function plan_filter(plan)
  local parts, time = { plan.filter }, plan.time
  if time.from or time.to then
    parts[#parts + 1] = filter.range(time.field, { gte = time.from, lt = time.to, format = "epoch_millis" })
  end
  if plan.entities then
    local entities = {}
    for i, values in ipairs(plan.entities) do
      local terms = {}
      for j, field in ipairs(plan.category) do terms[j] = filter.term(field, values[j]) end
      entities[i] = filter.all_of(terms)
    end
    parts[#parts + 1] = filter.any_of(entities)
  end
  return filter.all_of(parts)
end

--- The time field of a plan; it must be a date in every index that has it.
local function time_field(plan, from)
  local field = from:field(plan.time.field, "date")
  if field.type == "date" or field.type == "date_nanos" or (field.type == nil and #from.indices == 0) then
    return field
  end
  return fail.invalid("time field [%s] %s", plan.time.field,
    field.type and ("is a " .. field.type .. ", not a date") or "is in none of the indices")
end

local function category_columns(plan, from, inner, outer, groups)
  for i, name in ipairs(plan.category) do
    local field, key = from:field(name), "k" .. i
    inner[#inner + 1] = ("%s AS %s"):format(from:each_value(field), key)
    outer[#outer + 1] = ("%s::VARCHAR AS %s"):format(key, sql.quote(name))
    groups[#groups + 1] = key
  end
end

local function feature_columns(plan, from, inner, outer)
  for i, feature in ipairs(plan.features) do
    local x, err = measure.sql(feature.expr, from)
    if not x then return nil, err end
    inner[#inner + 1] = ("%s AS m%d"):format(x, i)
    outer[#outer + 1] = ("m%d AS %s"):format(i, sql.quote(feature.name))
  end
  return true
end

--- Rows without one of the category values belong to no entity.
local function present(groups)
  local tests = {}
  for i = 2, #groups do tests[#tests + 1] = groups[i] .. " IS NOT NULL" end
  return #tests > 0 and " WHERE " .. table.concat(tests, " AND ") or ""
end

local function order(count)
  local places = {}
  for i = 1, count do places[i] = i end
  return table.concat(places, ", ")
end

--- Compiles a plan.
-- @param plan from @{blip.query.plan}
-- @tparam table indices a list of `{ name =, mapping = }`
-- @return SQL and its parameters, or nil and an error
function sql.scan(plan, indices)
  local from = rows.new(indices, plan_filter(plan))
  local time, err = time_field(plan, from)
  if not time then return nil, err end
  local raw, to_ms = bucket.fixed(from, time.sql, plan.interval_ms, plan.offset_ms)

  local inner, groups = { raw .. " AS k" }, { "k" }
  local outer = { to_ms "k" .. ' AS "time"' }
  category_columns(plan, from, inner, outer, groups)
  inner[#inner + 1], outer[#outer + 1] = "count(*) AS rows", 'rows AS "rows"'
  local ok
  ok, err = feature_columns(plan, from, inner, outer)
  if not ok then return nil, err end
  from:where(filter.exists(plan.time.field))

  local limit = plan.limit and " LIMIT " .. from:bind(plan.limit) or ""
  local source
  source, err = from:sql()
  if not source then return nil, err end
  return ("SELECT %s FROM (SELECT %s FROM %s GROUP BY %s)%s ORDER BY %s%s"):format(
    table.concat(outer, ", "), table.concat(inner, ", "), source, table.concat(groups, ", "),
    present(groups), order(#groups), limit), from.params
end

return sql
