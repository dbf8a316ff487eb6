--- The common shapes of a datafeed's aggregations as one statement:
--
--     date_histogram ─ metrics                     composite of a date_histogram and terms ─ metrics
--     date_histogram ─ terms ─ metrics
--
--     SELECT max(ts) AS "ts", host AS "host", avg(took) AS "took", count(*) AS "doc_count"
--     FROM ... GROUP BY <interval>, host ORDER BY "ts"
-- @module blip.job.extract_plan
local bucket = require "blip.query.bucket"
local calendar = require "blip.query.calendar"
local histogram = require "blip.query.histogram"
local measure = require "blip.query.measure"
local metrics = require "blip.query.metric"
local rows = require "blip.query.rows"
local sql = require "blip.query.sql"
local store = require "runtime.store"
local terms = require "blip.query.terms"

local plan = {}

local PLAIN = { avg = true, min = true, max = true, sum = true, value_count = true, cardinality = true }
local HISTOGRAM_OPTIONS = { field = true, fixed_interval = true, interval = true, calendar_interval = true,
                            time_zone = true }
local TERMS_OPTIONS = { field = true, size = true }
local DEFAULT_SIZE = 10

local function only(body, known)
  for name in pairs(body) do
    if not known[name] then return false end
  end
  return true
end

-- The one kind of an aggregation with its body, and those below; nil when there is more to it.
local function split(definition)
  local kind, body
  for key, value in pairs(definition) do
    if key ~= "aggregations" and key ~= "aggs" then
      if kind then return nil end
      kind, body = key, value
    end
  end
  return kind, body, definition.aggregations or definition.aggs or {}
end

-- The width of a histogram's buckets in UTC; nil when they are not always as long.
local function width_of(body)
  if not only(body, HISTOGRAM_OPTIONS) then return nil end
  local zone = body.time_zone
  if zone and zone ~= "UTC" and zone ~= "Z" then return nil end
  local step = histogram.read_step(body, "date_histogram")
  return step and (step.width_ms or step.unit ~= "w" and calendar.FIXED_MS[step.unit] or nil)
end

-- Metrics and at most one terms aggregation. `level` is the number of terms around them.
local function read_inner(definitions, into)
  local level = #into.terms
  for name, definition in pairs(definitions) do
    local kind, body, subs = split(definition)
    if PLAIN[kind] and next(subs) == nil then
      local spec = metrics[kind](body, name)
      if not spec then return nil end
      into.metrics[#into.metrics + 1] = {
        name = name, expr = spec.aggregates[1], field = body.field, op = kind, level = level,
      }
    elseif kind == "terms" and #into.terms == 0 and only(body, TERMS_OPTIONS) then
      into.terms[1] = { name = name, field = body.field, size = body.size or DEFAULT_SIZE }
      if not read_inner(subs, into) then return nil end
    else
      return nil
    end
  end
  return into
end

-- What a composite is made of: one histogram over time, and terms.
local function read_sources(sources, into)
  for _, source in ipairs(sources) do
    local name, definition = next(source)
    local kind, body = next(definition)
    if kind == "date_histogram" and not into.width_ms then
      into.width_ms = width_of(body)
    elseif kind == "terms" and only(body, { field = true }) then
      into.terms[#into.terms + 1] = { name = name, field = body.field }
    else
      return nil
    end
  end
  return into.width_ms and into
end

-- Takes the maximum of the time field out of the metrics: it is the time of the records. Beside a terms
-- aggregation it is that of the whole interval; other metrics there would be of the interval too, and
-- make another shape.
local function settle(into, time_field)
  table.sort(into.metrics, function(a, b) return a.name < b.name end)
  for i, metric in ipairs(into.metrics) do
    if metric.op == "max" and metric.field == time_field then
      into.time, into.time_field = table.remove(into.metrics, i), time_field
      break
    end
  end
  for _, metric in ipairs(into.metrics) do
    if metric.level < #into.terms then return nil end
  end
  return into.time and into
end

--- Reads aggregations that are of such a shape.
-- @tparam table definitions of a datafeed
-- @tparam string time_field
-- @treturn ?table what @{frame} takes; nil for other shapes
function plan.read(definitions, time_field)
  local name, definition = next(definitions)
  if not name or next(definitions, name) then return nil end
  local kind, body, subs = split(definition)
  local into = { metrics = {}, terms = {} }
  if kind == "composite" then
    local found = read_sources(body.sources, into)
    if not found then return nil end
  elseif kind == "date_histogram" then
    into.width_ms = width_of(body)
    if not into.width_ms then return nil end
  else
    return nil
  end
  return read_inner(subs, into) and settle(into, time_field)
end

-- SQL of the buckets' values: keys first, then the time, the metrics and the count.
local function inner_columns(compiled, from)
  local time = from:field(compiled.time_field, "date")
  local columns = { bucket.fixed(from, time.sql, compiled.width_ms, 0) .. " AS k0" }
  for i, one in ipairs(compiled.terms) do
    local key, err = terms.key(from, one)
    if not key then return nil, err end
    columns[#columns + 1] = ("(%s)::VARCHAR AS k%d"):format(key.sql, i)
  end
  local time_sql, err = measure.sql(compiled.time.expr, from)
  if not time_sql then return nil, err end
  columns[#columns + 1] = time_sql .. "::BIGINT AS own_t"
  for i, metric in ipairs(compiled.metrics) do
    local value
    value, err = measure.sql(metric.expr, from)
    if not value then return nil, err end
    columns[#columns + 1] = ("%s AS m%d"):format(value, i)
  end
  columns[#columns + 1] = "count(*) AS n"
  return columns
end

-- Of a terms aggregation only the largest buckets are shown.
local function largest(compiled, from)
  local one = compiled.terms[1]
  if not one or not one.size then return "" end
  return (" QUALIFY row_number() OVER (PARTITION BY k0 ORDER BY n DESC, k1) <= %s"):format(
    from:bind(one.size))
end

local function outer_columns(compiled)
  local columns = { "t AS " .. sql.quote(compiled.time_field) }
  for i, one in ipairs(compiled.terms) do
    columns[#columns + 1] = ("k%d AS %s"):format(i, sql.quote(one.name))
  end
  for i, metric in ipairs(compiled.metrics) do
    columns[#columns + 1] = ("m%d AS %s"):format(i, sql.quote(metric.name))
  end
  columns[#columns + 1] = "n AS doc_count"
  return columns
end

-- "k0, k1" and "k1 IS NOT NULL", for grouping.
local function keys_of(compiled)
  local groups, present = { "k0" }, { "t IS NOT NULL" }
  for i = 1, #compiled.terms do
    groups[#groups + 1] = "k" .. i
    present[#present + 1] = ("k%d IS NOT NULL"):format(i)
  end
  return table.concat(groups, ", "), table.concat(present, " AND ")
end

--- Takes the records of aggregations that @{read} has read.
-- @tparam table compiled
-- @tparam table indices resolved
-- @param where filter
-- @tparam[opt] integer limit
-- @return a frame in the order of time; or nil and an error
function plan.frame(compiled, indices, where, limit)
  local from = rows.new(indices, where)
  local columns, err = inner_columns(compiled, from)
  if not columns then return nil, err end
  local groups, present = keys_of(compiled)
  local ranked = largest(compiled, from)
  local most = limit and " LIMIT " .. from:bind(limit) or ""
  local source
  source, err = from:sql()
  if not source then return nil, err end
  local of_interval = compiled.time.level < #compiled.terms
  local inner = ("SELECT *, %s AS t FROM (SELECT %s FROM %s GROUP BY %s)"):format(
    of_interval and "max(own_t) OVER (PARTITION BY k0)" or "own_t", table.concat(columns, ", "), source,
    groups)
  local statement = ("SELECT %s FROM (%s) WHERE %s%s ORDER BY t, %s%s"):format(
    table.concat(outer_columns(compiled), ", "), inner, present, ranked, groups, most)
  return store.connection():query(statement, from.params)
end

return plan
