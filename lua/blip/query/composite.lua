--- Every combination of several keys, page by page: the `composite` aggregation.
-- @module blip.query.composite
local date_math = require "blip.query.date_math"
local histogram = require "blip.query.histogram"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local terms = require "blip.query.terms"

local composite = {}

--- How each kind of source makes its key: `(body) -> keys(from) | nil, err`, and the text of a
-- key where its format asks for one.
local SOURCES = {
  terms = function(body)
    return function(from)
      local key, err = terms.key(from, { field = body.field })
      return key and { key }, err
    end
  end,
  histogram = function(body)
    local interval, err = histogram.read_interval(body, "histogram", "composite")
    return interval and histogram.number_keys(body, interval, 0, "composite"), err
  end,
  date_histogram = function(body)
    local step, err = histogram.read_step(body, "date_histogram")
    if not step then return nil, err end
    local settings
    settings, err = histogram.read_settings(body)
    if not settings then return nil, err end
    local text = body.format and histogram.date_text(body, settings)
    return histogram.date_keys(body, step, settings, "composite"), text
  end,
}

local SOURCE_OPTIONS = read.set [[field order missing_bucket missing_order interval calendar_interval
  fixed_interval time_zone offset format value_type]]

local function read_source(one)
  local name, definition = next(read.is_object(one) and one or {})
  if not name or not read.is_object(definition) then
    return problem.argument "Composite [sources] cannot be null or empty"
  end
  local type, body = next(definition)
  local make = SOURCES[type]
  if not make then return problem.parsing("invalid source type: %s", tostring(type)) end
  local ok, err = read.check_options(type, body, SOURCE_OPTIONS)
  if not ok then return nil, err end
  if _G.type(body.field) ~= "string" then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local keys, text = make(body)
  if not keys then return nil, text end
  return { name = name, keys = keys, text = text, format = body.format, type = type,
           descending = tostring(body.order):lower() == "desc", missing = read.boolean(body.missing_bucket),
           missing_last = body.missing_order == "last" }
end

local function read_sources(body)
  local sources = {}
  for i, one in ipairs(read.list(body.sources)) do
    local source, err = read_source(one)
    if not source then return nil, err end
    sources[i] = source
  end
  if #sources == 0 then return problem.argument "Composite [sources] cannot be null or empty" end
  return sources
end

--- The value of `after` for one source, as its key holds it.
local function after_value(source, key, after)
  local value = after[source.name]
  if value == json.null then return nil end
  if key.type == "date" and type(value) == "string" then
    return assert(date_math.resolve(value, { format = source.format }))
  end
  return value
end

-- Where missing keys stand: before all others going up, behind them going down.
local function nulls_first(source)
  return not source.missing_last and not source.descending
end

--- SQL that holds for keys behind `after` in the order of the sources.
local function behind(sources, keys, places, after, bind)
  local chain = "FALSE"
  for i = #sources, 1, -1 do
    local source, place = sources[i], places[i]
    local value = after_value(source, keys[i], after)
    local beyond, same
    if value == nil then
      same = place .. " IS NULL"
      beyond = nulls_first(source) and place .. " IS NOT NULL" or "FALSE"
    else
      local bound = bind(value)
      same = ("%s = %s"):format(place, bound)
      beyond = ("%s %s %s"):format(place, source.descending and "<" or ">", bound)
      if not nulls_first(source) then beyond = ("(%s OR %s IS NULL)"):format(beyond, place) end
    end
    chain = ("(%s OR (%s AND %s))"):format(beyond, same, chain)
  end
  return chain
end

local function key_of(source, key, value)
  if value == nil then return json.null end
  if source.text then return source.text(value) end
  if key.type == "boolean" then return value end
  return value
end

local function show(sources)
  return function(level, list, sub)
    local buckets = {}
    for i, row in ipairs(list) do
      local bucket, key = sub(row), {}
      for j, source in ipairs(sources) do
        key[source.name] = key_of(source, level.keys[j], level.data.keys[j][row])
      end
      bucket.key, bucket.doc_count = key, level.data.counts[row]
      buckets[i] = bucket
    end
    return { buckets = json.array(buckets), after_key = buckets[#buckets] and buckets[#buckets].key }
  end
end

--- Reads a `composite` body into a grouping; see @{blip.query.grouping}.
function composite.read(body)
  local ok, err = read.check_options("composite", body, read.set "sources size after")
  if not ok then return nil, err end
  local sources, size
  sources, err = read_sources(body)
  if not sources then return nil, err end
  size, err = read.integer(body.size or 10)
  if not size then return problem.option("composite", "size", err) end
  if size <= 0 then
    local reason = ("[size] must be greater than 0. Found [%d] in [composite]"):format(size)
    return problem.option("composite", "size", { reason = reason })
  end
  local after = body.after
  if after then
    for _, source in ipairs(sources) do
      if after[source.name] == nil then
        return problem.late("Missing value for [after.%s]", source.name)
      end
    end
  end
  local keys
  return {
    root_only = true,
    keys = function(from)
      keys = {}
      for i, source in ipairs(sources) do
        local list, failed = source.keys(from)
        if not list then return nil, failed end
        keys[i] = list[1]
        keys[i].nullable = source.missing
      end
      return keys
    end,
    where = function(places, bind)
      return after and behind(sources, keys, places, after, bind)
    end,
    order = function(places)
      local list = {}
      for i, source in ipairs(sources) do
        list[i] = ("%s %s NULLS %s"):format(places[i], source.descending and "DESC" or "ASC",
          nulls_first(source) and "FIRST" or "LAST")
      end
      return table.concat(list, ", ")
    end,
    limit = size,
    show = show(sources),
  }
end

return composite
