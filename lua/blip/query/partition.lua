--- Aggregations whose buckets are filters, known before a row is read.
--
-- One entry of `partitions` reads one type's body and returns
-- `{ parts = { { filter =, key = }, ... }, show = function(buckets) -> table }`; `buckets[i]` is
-- the answer for part i: its `doc_count` and what its sub-aggregations came to.
-- @module blip.query.partition
local date_format = require "blip.query.date_format"
local date_math = require "blip.query.date_math"
local dsl = require "blip.query.dsl"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"

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
  return { parts = { { filter = ~filter.exists(body.field) } }, show = show_one }
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
  if type(body.filters) ~= "table" then return problem.argument "[filters] cannot be null" end
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
      for name, value in pairs(part.bounds) do bucket[name] = value end
      if keyed then
        answer[part.key] = bucket
      else
        bucket.key, answer[i] = part.key, bucket
      end
    end
    return { buckets = keyed and json.object(answer) or json.array(answer) }
  end
end

local RANGE_OPTIONS = read.set "field ranges keyed missing format time_zone script"

local RANGE_BOUNDS = read.set "from to key"

--- Reads a list of ranges: `bound(value, options)` gives the number in a bound and its text.
local function ranges(type, bound, make_filter)
  return function(body, owner)
    local ok, err = read.check_options(type, body, RANGE_OPTIONS)
    if not ok then return nil, err end
    if _G.type(body.field) ~= "string" then
      return problem.argument "Required one of fields [field, script], but none were specified. "
    end
    local list = read.list(body.ranges)
    if #list == 0 then
      return problem.late("No [ranges] specified for the [%s] aggregation", owner)
    end
    local parts = {}
    for i, range in ipairs(list) do
      local part
      ok, err = read.check_options(type, range, RANGE_BOUNDS)
      if not ok then return nil, err end
      part, err = bound(range, body)
      if not part then
        err.late = true
        return nil, err
      end
      part.filter = make_filter(body.field, part)
      parts[i] = part
    end
    table.sort(parts, function(a, b)
      local from_a, from_b = a.low or -math.huge, b.low or -math.huge
      if from_a ~= from_b then return from_a < from_b end
      return (a.high or math.huge) < (b.high or math.huge)
    end)
    return { parts = parts, show = show_ranges(parts, read.boolean(body.keyed)) }
  end
end

local function range_filter(field, part)
  if not (part.low or part.high) then return filter.exists(field) end
  return filter.range(field, { gte = part.low, lt = part.high, format = part.format })
end

local function given(value)
  return value ~= nil and value ~= json.null and value or nil
end

local function number_text(n)
  return n == math.floor(n) and math.abs(n) < 1e7 and ("%.1f"):format(n) or ("%.14g"):format(n)
end

partitions.range = ranges("range", function(range)
  local part = { bounds = {} }
  for name, place in pairs { from = "low", to = "high" } do
    local raw = given(range[name])
    if raw then
      local n, err = read.number(raw)
      if not n then return nil, err end
      part[place], part.bounds[name] = n + 0.0, n + 0.0
    end
  end
  part.key = range.key or ("%s-%s"):format(part.low and number_text(part.low) or "*",
    part.high and number_text(part.high) or "*")
  return part
end, range_filter)

partitions.date_range = ranges("date_range", function(range, body)
  local part, texts = { bounds = {}, format = "epoch_millis" }, {}
  local zone = body.time_zone
  for name, place in pairs { from = "low", to = "high" } do
    local raw = given(range[name])
    if raw then
      local ms, err = date_math.resolve(raw, { format = body.format, zone = zone })
      if not ms then return nil, err end
      texts[name] = date_format.write(ms, body.format)
      part[place], part.bounds[name], part.bounds[name .. "_as_string"] = ms, ms + 0.0, texts[name]
    end
  end
  part.key = range.key or ("%s-%s"):format(texts.from or "*", texts.to or "*")
  return part
end, range_filter)

return partitions
