--- Aggregations whose buckets are filters, known before a row is read.
--
-- One entry of `partitions` reads one type's body and returns
-- `{ parts = { { filter =, key = }, ... }, show = function(buckets) -> table }`; `buckets[i]` is
-- the answer for part i: its `doc_count` and what its sub-aggregations came to. Where the parts
-- depend on the fields' mapping, `prepare(spec, indices)` fills them in.
-- @module blip.query.partition
local date_format = require "blip.query.date_format"
local date_math = require "blip.query.date_math"
local dsl = require "blip.query.dsl"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local rows = require "blip.query.rows"
local value = require "blip.query.value"

local partitions = {}

local function show_one(buckets) return buckets[1] end

function partitions.filter(body)
  local node, err = dsl.query(body)
  if not node then return nil, err end
  return { parts = { { filter = node } }, show = show_one }
end

function partitions.missing(body)
  local ok, err = read.check_options("missing", body, read.set "field missing")
  if not ok then return nil, err end
  if type(body.field) ~= "string" then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local empty = body.missing ~= nil and filter.none() or ~filter.exists(body.field)
  return { parts = { { filter = empty } }, show = show_one }
end

--- The parts of named filters, or of a list of filters without names.
local function read_filters(body)
  local named = not json.is_array(body)
  local parts = {}
  for i, key in ipairs(named and read.keys(body) or body) do
    local node, err = dsl.query(named and body[key] or key)
    if not node then return nil, err end
    parts[i] = { filter = node, key = named and key or nil }
  end
  return parts, nil, named
end

function partitions.filters(body)
  local ok, err = read.check_options("filters", body, read.set "filters other_bucket other_bucket_key")
  if not ok then return nil, err end
  if type(body.filters) ~= "table" or not next(body.filters) then
    return problem.argument "[filters] cannot be empty"
  end
  local parts, failed, named = read_filters(body.filters)
  if not parts then return nil, failed end
  local other = body.other_bucket_key or read.boolean(body.other_bucket) and "_other_"
  if other then
    local list = {}
    for i, part in ipairs(parts) do list[i] = part.filter end
    parts[#parts + 1] = { filter = ~filter.any_of(list), key = named and other or nil }
  end
  return { parts = parts, show = function(buckets)
    if not named then return { buckets = json.array(buckets) } end
    local answer = {}
    for i, part in ipairs(parts) do answer[part.key] = buckets[i] end
    return { buckets = json.object(answer) }
  end }
end

--- Buckets of bounds as a list, or as an object by their keys.
local function show_ranges(parts, keyed)
  return function(buckets)
    local answer = {}
    for i, part in ipairs(parts) do
      local bucket = buckets[i]
      for name, bound in pairs(part.bounds) do bucket[name] = bound end
      if keyed then
        answer[part.key] = bucket
      else
        bucket.key, answer[i] = part.key, bucket
      end
    end
    return { buckets = keyed and json.object(answer) or json.array(answer) }
  end
end

local RANGE_OPTIONS = read.set "field ranges keyed missing format time_zone"
local RANGE_BOUNDS = read.set "from to key mask"

local function given(raw)
  return raw ~= nil and raw ~= json.null and raw or nil
end

--- Whether a number lies within a part.
local function holds(part, n)
  return n and (not part.low or n >= part.low) and (not part.high or n < part.high)
end

--- The rows of a part, also those without a value when `missing` stands for one that lies within.
local function range_filter(field, part, missing)
  local inside = filter.exists(field)
  if part.low or part.high then
    inside = filter.range(field, { gte = part.low, lt = part.high, format = part.format })
  end
  return holds(part, missing) and inside | ~filter.exists(field) or inside
end

local function by_bounds(a, b)
  local from_a, from_b = a.low or -math.huge, b.low or -math.huge
  if from_a ~= from_b then return from_a < from_b end
  return (a.high or math.huge) < (b.high or math.huge)
end

local function late(err)
  err.late = true
  return nil, err
end

--- The parts of a list of ranges: `bound(raw, format)` gives a bound's number and text.
local function read_parts(list, body, bound, format)
  local missing = given(body.missing) and bound(body.missing, format)
  local parts = {}
  for i, range in ipairs(list) do
    local part, texts = { bounds = {}, format = format and "epoch_millis" }, {}
    for name, place in pairs { from = "low", to = "high" } do
      local raw = given(range[name])
      if raw then
        local number, text = bound(raw, format)
        if not number then return late(text) end
        part[place], texts[name], part.bounds[name] = number, text, number + 0.0
        if format then part.bounds[name .. "_as_string"] = text end
      end
    end
    part.key = range.key or ("%s-%s"):format(texts.from or "*", texts.to or "*")
    part.filter = range_filter(body.field, part, missing)
    parts[i] = part
  end
  table.sort(parts, by_bounds)
  return parts
end

--- Checks a body with ranges. Returns the list of them, or nil and an error.
local function check_ranges(type, body, owner)
  local ok, err = read.check_options(type, body, RANGE_OPTIONS)
  if not ok then return nil, err end
  if not body.field then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local list = read.list(body.ranges)
  for _, range in ipairs(list) do
    ok, err = read.check_options(type, range, RANGE_BOUNDS)
    if not ok then return nil, err end
  end
  if #list == 0 then return problem.late("No [ranges] specified for the [%s] aggregation", owner) end
  return list
end

local function number_text(n)
  return n == math.floor(n) and math.abs(n) < 1e7 and ("%.1f"):format(n) or ("%.14g"):format(n)
end

local function number_bound(raw)
  local n, err = read.number(raw)
  if not n then return nil, err end
  return n + 0.0, number_text(n)
end

function partitions.range(body, owner)
  local list, err = check_ranges("range", body, owner)
  if not list then return nil, err end
  local parts
  parts, err = read_parts(list, body, number_bound)
  return parts and { parts = parts, show = show_ranges(parts, read.boolean(body.keyed)) }, err
end

--- Dates are read in the format of the body, or else in that of the field: the parts come with the
-- indices.
function partitions.date_range(body, owner)
  local list, err = check_ranges("date_range", body, owner)
  if not list then return nil, err end
  local function bound(raw, format)
    local ms, failed = date_math.resolve(raw, { format = format, zone = body.time_zone })
    if not ms then return nil, failed end
    return ms, date_format.write(ms, format)
  end
  return { prepare = function(spec, indices)
    local field = rows.new(indices):field(body.field)
    local failed
    spec.parts, failed = read_parts(list, body, bound, body.format or field.format or date_format.DEFAULT)
    spec.show = spec.parts and show_ranges(spec.parts, read.boolean(body.keyed))
    return spec.parts and true, failed
  end }
end

--- The first and last address of a range, and the address behind it.
local function ip_part(range)
  local first, last = value.ip_block(range.mask or "")
  local part = { bounds = { from = range.from, to = range.to } }
  if first then
    part.bounds = { from = value.ip_text(first), to = value.ip_text(last + 1) }
  end
  part.key = range.key or range.mask or ("%s-%s"):format(range.from or "*", range.to or "*")
  part.low, part.high = value.ip_number(part.bounds.from), value.ip_number(part.bounds.to)
  return part
end

function partitions.ip_range(body, owner)
  local list, err = check_ranges("ip_range", body, owner)
  if not list then return nil, err end
  local parts = {}
  for i, range in ipairs(list) do
    local part = ip_part(range)
    part.filter = filter.exists(body.field)
    if part.bounds.from or part.bounds.to then
      part.filter = filter.range(body.field, { gte = part.bounds.from, lt = part.bounds.to })
    end
    parts[i] = part
  end
  table.sort(parts, by_bounds)
  return { parts = parts, show = show_ranges(parts, read.boolean(body.keyed)) }
end

return partitions
