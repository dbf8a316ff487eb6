--- Buckets of a width: `date_histogram` and `histogram`.
-- @module blip.query.histogram
local bucket = require "blip.query.bucket"
local calendar = require "blip.query.calendar"
local date_format = require "blip.query.date_format"
local date_math = require "blip.query.date_math"
local fail = require "blip.fail"
local json = require "runtime.json"
local number_format = require "blip.query.number_format"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local rows = require "blip.query.rows"
local zone = require "blip.query.zone"

local histogram = {}

--- Buckets that one answer may have.
local MAX_BUCKETS = 65535

local CALENDAR = {
  minute = "m", ["1m"] = "m", hour = "h", ["1h"] = "h", day = "d", ["1d"] = "d", week = "w", ["1w"] = "w",
  month = "M", ["1M"] = "M", quarter = "q", ["1q"] = "q", year = "y", ["1y"] = "y",
  second = "s", ["1s"] = "s",
}

--- The `interval` of older bodies is a calendar unit when it names one, else fixed.
local function intervals_of(body)
  local calendar_interval, fixed = body.calendar_interval, body.fixed_interval
  if body.interval ~= nil then
    if CALENDAR[body.interval] then calendar_interval = body.interval else fixed = body.interval end
  end
  return calendar_interval, fixed
end

local function fixed_width(text)
  local ms = read.duration_ms(text)
  if not ms then
    return nil, { reason = ("failed to parse [%s]"):format(tostring(text)) }
  end
  return ms
end

--- The step between buckets: `{ unit = "M" }` or `{ width_ms = 60000 }`.
local function read_step(body, type)
  local unit_name, fixed = intervals_of(body)
  if unit_name and fixed then
    return problem.option(type, "fixed_interval", {
      reason = "Cannot use [fixed_interval] with [calendar_interval] configuration option." })
  end
  if unit_name then
    local unit = CALENDAR[unit_name]
    if unit then return { unit = unit } end
    return problem.option(type, "calendar_interval", {
      reason = ("The supplied interval [%s] could not be parsed as a calendar interval."):format(
        tostring(unit_name)) })
  end
  if fixed == nil then
    return problem.argument("Invalid interval specified, must be non-null and non-empty")
  end
  local width, err = fixed_width(fixed)
  if not width then return problem.option(type, "fixed_interval", err) end
  if width <= 0 then
    return problem.late "Zero or negative time interval not supported"
  end
  return { width_ms = width }
end

-- Units that are always as long are counted, which is cheaper than truncating to them.
local function as_fixed(step, zone_name)
  if step.width_ms then return step.width_ms, 0 end
  if step.unit == "M" or step.unit == "q" or step.unit == "y" then return nil end
  if not zone.fixed_ms(zone_name) and step.unit ~= "m" and step.unit ~= "s" then return nil end
  return calendar.FIXED_MS[step.unit], step.unit == "w" and 4 * 86400000 or 0  -- 1970 began on a Thursday
end

--- Key of a grid in a zone: SQL of the raw key and of its UTC milliseconds.
local function date_key(from, x, step, settings)
  local shift = zone.fixed_ms(settings.zone)
  local width, origin = as_fixed(step, settings.zone)
  if width and shift then
    local raw, to_ms = bucket.fixed(from, x, width, origin + settings.offset_ms - shift)
    return { sql = raw, shown = to_ms }
  end
  -- The rules of a named zone, or months: the wall clock is truncated and taken back.
  local place = from:bind(settings.zone or "UTC")
  local offset = from:bind(settings.offset_ms)
  local wall = ("timezone(%s, timezone('UTC', %s - to_milliseconds(%s)))"):format(place, x, offset)
  local raw, to_ms
  if width then
    raw, to_ms = bucket.fixed(from, wall, width, origin)
    local local_ms = to_ms
    to_ms = function(key)
      return ("epoch_ms(timezone(%s, make_timestamp((%s) * 1000))) + %s"):format(place, local_ms(key), offset)
    end
  else
    raw = bucket.calendar(wall, step.unit)
    to_ms = function(key) return ("epoch_ms(timezone(%s, %s)) + %s"):format(place, key, offset) end
  end
  return { sql = raw, shown = to_ms }
end

--- SQL of a field's values as timestamps; numbers count as milliseconds.
local function date_values(from, body, type)
  local field = from:field(body.field, "date")
  local x = from:each_value(field)
  if field.type == "date" or field.type == "date_nanos" or field.type == nil then return x, field end
  if rows.is_number(field.type) then return ("make_timestamp(%s::BIGINT * 1000)"):format(x), field end
  return fail.invalid("Field [%s] of type [%s] is not supported for aggregation [%s]", body.field,
    field.type, type)
end

--- A function from a bucket's key to the next one's.
local function next_key(step, settings)
  local width = step.width_ms
  if width then return function(key) return key + width end end
  return function(key)
    local wall = zone.to_local(settings.zone, key - settings.offset_ms)
    return zone.to_utc(settings.zone, calendar.add(wall, 1, step.unit)) + settings.offset_ms
  end
end

--- The bucket that a time lies in.
local function floor_date(ms, step, settings)
  local wall = zone.to_local(settings.zone, ms - settings.offset_ms)
  if step.width_ms then
    wall = wall // step.width_ms * step.width_ms
  else
    wall = calendar.floor(wall, step.unit)
  end
  return zone.to_utc(settings.zone, wall) + settings.offset_ms
end

local function too_many(count)
  return fail.es {
    status = 503, type = "search_phase_execution_exception", reason = "", phase = "fetch", grouped = true,
    root_cause = {}, failed_shards = json.array {},
    caused_by = { type = "too_many_buckets_exception", max_buckets = MAX_BUCKETS,
      reason = ("Trying to create too many buckets. Must be less than or equal to: [%d] but was [%d]. This "
        .. "limit can be set by changing the [search.max_buckets] cluster level setting."):format(
        MAX_BUCKETS, count) },
  }
end

--- Fills the gaps between keys: calls `visit(key, row or nil)` for every bucket in order.
-- @tparam table list rows, by key
-- @tparam table keys key of each row
-- @tparam table g `next(key)`, `first` and `last` keys that must be there, `least` rows a bucket
local function each_bucket(list, keys, counts, g, visit)
  if g.least > 0 then
    for _, row in ipairs(list) do
      if counts[row] >= g.least then visit(keys[row], row) end
    end
    return
  end
  local first, last = g.first, g.last
  if list[1] then
    first = first and math.min(first, keys[list[1]]) or keys[list[1]]
    last = last and math.max(last, keys[list[#list]]) or keys[list[#list]]
  end
  if not first or not last then return end
  local at, key, count = 1, first, 0
  while key <= last do
    count = count + 1
    if count > MAX_BUCKETS then assert(too_many(g.estimate and g.estimate(first, last) or count)) end
    local row = list[at]
    if row and keys[row] <= key then
      visit(keys[row], row)
      at = at + 1
    else
      visit(key, nil)
    end
    key = g.next(key)
  end
end

--- The answer of a grid of buckets.
local function show(g)
  return function(level, list, sub)
    local keys, counts = level.data.keys[1], level.data.counts
    local is_number = rows.is_number(level.keys[1].field.type)
    local text = is_number and g.number_text or not is_number and g.text or nil
    local buckets = {}
    each_bucket(list, keys, counts, g, function(key, row)
      local one = sub(row)
      one.key, one.doc_count = key, row and counts[row] or 0
      one.key_as_string = text and text(key)
      buckets[#buckets + 1] = one
    end)
    if g.order then table.sort(buckets, g.order) end
    if not g.keyed then return { buckets = json.array(buckets) } end
    local by_key = {}
    for _, one in ipairs(buckets) do by_key[one.key_as_string or tostring(one.key)] = one end
    return { buckets = json.object(by_key) }
  end
end

local function compare(by, descending)
  return function(a, b)
    if a[by] == b[by] then return a.key < b.key end
    if descending then return a[by] > b[by] end
    return a[by] < b[by]
  end
end

--- Reads `order` into a comparison; nil for the order of keys.
local function read_order(order)
  if order == nil then return nil end
  local one = read.list(order)[1]
  local by, direction = next(read.is_object(one) and one or {})
  local column = by == "_count" and "doc_count" or (by == "_key" or by == "_time") and "key"
  if not column then
    return problem.argument("[order] of a histogram by [%s] is not supported", tostring(by))
  end
  return compare(column, direction == "desc")
end

local DATE_OPTIONS = read.set [[field interval calendar_interval fixed_interval time_zone offset format keyed
  min_doc_count extended_bounds hard_bounds order missing value_type]]

local function read_settings(body)
  local settings = { zone = body.time_zone, offset_ms = 0 }
  if body.time_zone ~= nil then
    local ok, err = zone.check(tostring(body.time_zone))
    if not ok then return problem.option("date_histogram", "time_zone", err) end
  end
  if body.offset ~= nil then
    local offset = math.type(body.offset) == "integer" and body.offset or read.duration_ms(body.offset)
    if not offset then
      local reason = ("failed to parse [%s]"):format(tostring(body.offset))
      return problem.option("date_histogram", "offset", { reason = reason })
    end
    settings.offset_ms = offset
  end
  return settings
end

--- Bounds of a date histogram as times.
local function read_bounds(name, bounds, body)
  local out = {}
  for _, side in ipairs { "min", "max" } do
    local raw = bounds and bounds[side]
    if raw ~= nil and raw ~= json.null then
      local ms, err = date_math.resolve(raw, { format = body.format, zone = body.time_zone })
      if not ms then return problem.option("date_histogram", name, err) end
      out[side] = ms
    end
  end
  return out
end

local function date_text(body, settings)
  if not body.format and not settings.zone then return date_format.write end
  return function(key)
    return date_format.write(key, body.format, zone.to_local(settings.zone, key) - key)
  end
end

local function hard_condition(bounds)
  if not (bounds.min or bounds.max) then return nil end
  return function(places, bind)
    local tests = {}
    if bounds.min then tests[1] = ("%s >= %s"):format(places[1], bind(bounds.min)) end
    if bounds.max then tests[#tests + 1] = ("%s < %s"):format(places[1], bind(bounds.max)) end
    return table.concat(tests, " AND ")
  end
end

local function least_of(body)
  if body.min_doc_count == nil then return 0 end
  return read.integer(body.min_doc_count)
end

--- Keys of a date histogram; also a source of composites.
function histogram.date_keys(body, step, settings, type)
  return function(from)
    local x, field = date_values(from, body, type)
    if not x then return nil, field end
    if body.missing ~= nil then
      local ms, err = date_math.resolve(body.missing, { format = body.format })
      if not ms then return nil, err end
      x = ("coalesce(%s, make_timestamp(%s))"):format(x, from:bind(ms * 1000))
    end
    local key = date_key(from, x, step, settings)
    key.type, key.field = "date", field
    return { key }
  end
end

--- Reads a `date_histogram` body into a grouping; see @{blip.query.grouping}.
function histogram.read_date(body)
  local ok, err = read.check_options("date_histogram", body, DATE_OPTIONS)
  if not ok then return nil, err end
  if type(body.field) ~= "string" then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local step, settings, extended, hard, least
  step, err = read_step(body, "date_histogram")
  if not step then return nil, err end
  settings, err = read_settings(body)
  if not settings then return nil, err end
  extended, err = read_bounds("extended_bounds", body.extended_bounds, body)
  if not extended then return nil, err end
  hard, err = read_bounds("hard_bounds", body.hard_bounds, body)
  if not hard then return nil, err end
  least, err = least_of(body)
  if not least then return nil, err end
  local order
  order, err = read_order(body.order)
  if err then return nil, err end
  return {
    keys = histogram.date_keys(body, step, settings, "date_histogram"),
    where = hard_condition(hard),
    show = show {
      least = least, keyed = read.boolean(body.keyed), order = order, text = date_text(body, settings),
      next = next_key(step, settings),
      estimate = step.width_ms and function(first, last) return (last - first) // step.width_ms + 1 end,
      first = extended.min and floor_date(extended.min, step, settings),
      last = extended.max and floor_date(extended.max, step, settings),
    },
  }
end

local NUMBER_OPTIONS = read.set [[field interval offset min_doc_count extended_bounds hard_bounds keyed order
  missing format]]

--- Keys of a histogram of numbers; also a source of composites.
function histogram.number_keys(body, interval, offset, type)
  return function(from)
    local field = from:field(body.field)
    local ok, err = rows.check_numeric(field, type)
    if not ok then return nil, err end
    local x = rows.number(field, from:each_value(field))
    if body.missing ~= nil then x = ("coalesce(%s, %s)"):format(x, from:bind(body.missing)) end
    local width, start = from:bind(interval + 0.0), from:bind(offset + 0.0)
    return { {
      sql = ("floor((%s - %s) / %s)"):format(x, start, width), type = "number", field = field,
      shown = function(key) return ("%s * %s + %s"):format(key, width, start) end,
    } }
  end
end

--- Reads the width of a histogram; `name` is what its owner is called.
function histogram.read_interval(body, type, name)
  local interval, err = read.number(body.interval)
  if not interval then return problem.option(type, "interval", err) end
  if interval <= 0 then
    local reason = ("[interval] must be >0 for histogram aggregation [%s]"):format(name)
    return problem.option(type, "interval", { reason = reason })
  end
  return interval
end

local function number_bound(bounds, side, interval, offset)
  local n = bounds and tonumber(bounds[side])
  return n and ((n - offset) // interval * interval + offset) + 0.0
end

--- Reads a `histogram` body into a grouping.
function histogram.read_number(body, name)
  local ok, err = read.check_options("histogram", body, NUMBER_OPTIONS)
  if not ok then return nil, err end
  if type(body.field) ~= "string" then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local interval, least, order
  interval, err = histogram.read_interval(body, "histogram", name)
  if not interval then return nil, err end
  least, err = least_of(body)
  if not least then return nil, err end
  order, err = read_order(body.order)
  if err then return nil, err end
  local offset, format = tonumber(body.offset) or 0, body.format
  local hard = body.hard_bounds or {}
  return {
    keys = histogram.number_keys(body, interval, offset, "histogram"),
    where = hard_condition { min = tonumber(hard.min), max = tonumber(hard.max) },
    show = show {
      least = least, keyed = read.boolean(body.keyed), order = order,
      number_text = format and function(key) return number_format.write(key, format) end,
      next = function(key) return (((key - offset) / interval + 1.5) // 1) * interval + offset end,
      estimate = function(first, last) return math.tointeger((last - first) // interval) + 1 end,
      first = number_bound(body.extended_bounds, "min", interval, offset),
      last = number_bound(body.extended_bounds, "max", interval, offset),
    },
  }
end

histogram.read_step, histogram.read_settings, histogram.date_text = read_step, read_settings, date_text

return histogram
