--- The metrics of the search dialect: JSON in; the aggregates to work out, and the form of the
-- answer, out.
--
-- One entry of `metrics` reads one type's body and returns
-- `{ aggregates = { ... }, show = function(values, text) -> table, paths = { name = n } }`:
-- `values[i]` is what aggregate i came to (nil for no value), `text(value)` writes a value as
-- the field's format wants it (nil for plain numbers), `paths` names values to sort by.
-- @module blip.query.metric
local aggregate = require "blip.query.aggregate"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"

local metrics = {}

local COMMON = "field missing format value_type script"

--- Reads the field of a metric.
local function field_of(type, body, extra)
  local ok, err = read.check_options(type, body, read.set(COMMON .. " " .. (extra or "")))
  if not ok then return nil, err end
  if body.script ~= nil then
    return problem.argument("[%s] aggregations by [script] are not supported", type)
  end
  local field = body.field
  if field == nil then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  if _G.type(field) ~= "string" then
    return problem.content("[1:1] [%s] field doesn't support values of type: %s", type, read.token(field))
  end
  return field
end

local function with_missing(node, body)
  node.missing = body.missing
  return node
end

local function or_null(value)
  return value == nil and json.null or value
end

--- `{ value = 1.5, value_as_string = "..." }`.
local function one_value(value, text)
  return { value = or_null(value), value_as_string = value and text and text(value) or nil }
end

local function whole(value)
  return math.tointeger(value or 0) or value
end

--- A metric of one number; `count` when it counts.
local function simple(op, count, extra)
  return function(body)
    local field, err = field_of(op, body, extra)
    if not field then return nil, err end
    return {
      field = field, format = body.format, paths = { value = 1 },
      aggregates = { with_missing(aggregate[op](field), body) },
      show = function(values, text)
        if count then return { value = whole(values[1]) } end
        return one_value(values[1], text)
      end,
    }
  end
end

metrics.avg = simple "avg"
metrics.min = simple "min"
metrics.max = simple "max"
metrics.sum = simple "sum"

local read_deviation = simple("median_absolute_deviation", false, "compression")

function metrics.median_absolute_deviation(body, name)
  local compression = tonumber(body.compression) or 1000
  if compression > 0 then return read_deviation(body) end
  return problem.argument("[compression] must be greater than 0. Found [%.1f] in [%s]", compression, name)
end

metrics.value_count = simple("value_count", true)
metrics.cardinality = simple("cardinality", true, "precision_threshold rehash execution_hint")

local WEIGHTED_OPTIONS = read.set "value weight format value_type"

function metrics.weighted_avg(body)
  local ok, err = read.check_options("weighted_avg", body, WEIGHTED_OPTIONS)
  if not ok then return nil, err end
  local fields = {}
  for _, name in ipairs { "value", "weight" } do
    fields[name], err = field_of(name, body[name] or {})
    if not fields[name] then return nil, err end
  end
  return {
    field = fields.value, format = body.format, paths = { value = 1 },
    aggregates = { aggregate.weighted_avg(fields.value, fields.weight) },
    show = function(values, text) return one_value(values[1], text) end,
  }
end

local STATS = { "value_count", "min", "max", "avg", "sum" }
local STATS_PATHS = { count = 1, min = 2, max = 3, avg = 4, sum = 5 }

local function stats_aggregates(field, body, ops)
  local list = {}
  for i, op in ipairs(ops) do list[i] = with_missing(aggregate[op](field), body) end
  return list
end

local function show_stats(values, text)
  local answer = {
    count = whole(values[1]), min = or_null(values[2]), max = or_null(values[3]),
    avg = or_null(values[4]), sum = values[5] or 0.0,
  }
  if text and answer.count > 0 then
    for name in pairs { min = true, max = true, avg = true, sum = true } do
      answer[name .. "_as_string"] = text(answer[name])
    end
  end
  return answer
end

function metrics.stats(body)
  local field, err = field_of("stats", body)
  if not field then return nil, err end
  return { field = field, format = body.format, paths = STATS_PATHS,
           aggregates = stats_aggregates(field, body, STATS), show = show_stats }
end

local EXTENDED = { "value_count", "min", "max", "avg", "sum", "sum_of_squares", "variance" }

--- Spread of `count` values around their mean, from the population's variance.
local function spread(count, mean, variance, sigma)
  local sampling = count > 1 and variance * count / (count - 1) or 0 / 0
  local deviation, deviation_sampling = math.sqrt(variance), math.sqrt(sampling)
  return {
    variance = variance, variance_population = variance, variance_sampling = sampling,
    std_deviation = deviation, std_deviation_population = deviation,
    std_deviation_sampling = deviation_sampling,
    std_deviation_bounds = {
      upper = mean + sigma * deviation, lower = mean - sigma * deviation,
      upper_population = mean + sigma * deviation, lower_population = mean - sigma * deviation,
      upper_sampling = mean + sigma * deviation_sampling, lower_sampling = mean - sigma * deviation_sampling,
    },
  }
end

local NO_SPREAD = {
  sum_of_squares = json.null, variance = json.null, variance_population = json.null,
  variance_sampling = json.null, std_deviation = json.null, std_deviation_population = json.null,
  std_deviation_sampling = json.null,
  std_deviation_bounds = {
    upper = json.null, lower = json.null, upper_population = json.null, lower_population = json.null,
    upper_sampling = json.null, lower_sampling = json.null,
  },
}

--- Writes NaN, which JSON has not, the way the dialect does.
local function named_nan(object)
  for key, value in pairs(object) do
    if type(value) == "table" then
      named_nan(value)
    elseif value ~= value then
      object[key] = "NaN"
    end
  end
  return object
end

function metrics.extended_stats(body)
  local field, err = field_of("extended_stats", body, "sigma")
  if not field then return nil, err end
  local sigma = read.number(body.sigma or 2)
  if not sigma or sigma < 0 then
    return problem.argument("[sigma] must be greater than or equal to 0. Found [%s]", tostring(body.sigma))
  end
  return {
    field = field, format = body.format, paths = STATS_PATHS,
    aggregates = stats_aggregates(field, body, EXTENDED),
    show = function(values, text)
      local answer = show_stats(values, text)
      local more = NO_SPREAD
      if answer.count > 0 then
        more = named_nan(spread(answer.count, values[4], values[7], sigma))
        more.sum_of_squares = values[6]
      end
      for key, value in pairs(more) do answer[key] = value end
      return answer
    end,
  }
end

--- A number as Java writes it: 50 is "50.0".
local function java_number(n)
  return n == math.floor(n) and ("%.1f"):format(n) or ("%.14g"):format(n)
end

--- Numbers and what belongs to each, as an object or as a list.
local function show_keyed(numbers, keyed)
  return function(values, text)
    local answer = {}
    for i, n in ipairs(numbers) do
      local value, as_text = or_null(values[i]), values[i] and text and text(values[i])
      if keyed then
        answer[java_number(n)] = value
        if as_text then answer[java_number(n) .. "_as_string"] = as_text end
      else
        answer[i] = { key = n + 0.0, value = value, value_as_string = as_text or nil }
      end
    end
    return { values = keyed and json.object(answer) or json.array(answer) }
  end
end

local DEFAULT_PERCENTS = { 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0 }

local function bad_percent(percent, name)
  local shown = type(percent) == "number" and java_number(percent) or read.show(percent)
  return fail.es {
    status = 400, type = "x_content_parse_exception",
    reason = "Failed to build [percentiles] after last required field arrived",
    caused_by = { type = "illegal_argument_exception",
                  reason = ("percent must be in [0,100], got [%s]: [%s]"):format(shown, name) },
  }
end

--- How a client would have percentiles worked out.
-- @return the digits of a histogram, or false for one of the values; or nil and an error
local function method_of(body)
  local digest = read.is_object(body.tdigest) and body.tdigest or {}
  local compression = tonumber(digest.compression or body.compression) or 100
  if compression < 0 then
    return problem.argument("[compression] must be greater than or equal to 0. Found [%s]",
      java_number(compression))
  end
  if not read.is_object(body.hdr) then return false end
  local given = body.hdr.number_of_significant_value_digits
  local digits = given == nil and 3 or read.integer(given)
  if not digits or digits < 0 or digits > 5 then
    return problem.argument "[numberOfSignificantValueDigits] must be between 0 and 5"
  end
  return digits
end

function metrics.percentiles(body, name)
  local field, err = field_of("percentiles", body, "percents keyed tdigest hdr compression")
  if not field then return nil, err end
  local digits
  digits, err = method_of(body)
  if digits == nil then return nil, err end
  local percents = body.percents or DEFAULT_PERCENTS
  if not json.is_array(percents) and percents ~= DEFAULT_PERCENTS or #percents == 0 then
    return problem.argument "[percents] must not be empty"
  end
  local list, paths = {}, {}
  for i, percent in ipairs(percents) do
    local n = read.number(percent)
    if not n or n < 0 or n > 100 then
      return bad_percent(n or percent, name)
    end
    local node = digits and aggregate.cell_percentile(field, n, digits) or aggregate.percentile(field, n)
    list[i] = with_missing(node, body)
    paths[java_number(n)], paths[("%g"):format(n)] = i, i
  end
  return { field = field, format = body.format, paths = paths, aggregates = list,
           typed = digits and function() return "hdr_percentiles" end or nil,
           show = show_keyed(percents, read.boolean(body.keyed) ~= false) }
end

function metrics.percentile_ranks(body)
  local field, err = field_of("percentile_ranks", body, "values keyed tdigest hdr compression")
  if not field then return nil, err end
  if not json.is_array(body.values) or #body.values == 0 then
    return problem.argument "[values] must not be null or empty: [percentile_ranks]"
  end
  local list = {}
  local all = aggregate.value_count(field)
  for i, value in ipairs(body.values) do
    list[i] = aggregate.value_count(field, filter.range(field, { lte = value })) / all * 100
  end
  return { field = field, format = body.format, paths = {}, aggregates = list,
           show = show_keyed(body.values, read.boolean(body.keyed) ~= false) }
end

return metrics
