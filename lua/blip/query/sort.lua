--- The order of hits: JSON in, SQL out.
-- @module blip.query.sort
local date_math = require "blip.query.date_math"
local fail = require "blip.fail"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local rows = require "blip.query.rows"
local terms = require "blip.query.terms"

local sort = {}

local OPTIONS = read.set "order missing unmapped_type mode numeric_type"
local MODES = { min = "min", max = "max", avg = "avg", sum = "sum", median = "median" }

local function read_direction(direction)
  direction = tostring(direction)
  local lower = direction:lower()
  if lower ~= "asc" and lower ~= "desc" then
    return problem.argument("No enum constant org.opensearch.search.sort.SortOrder.%s", direction:upper())
  end
  return lower
end

--- One key: `{ field =, descending =, missing =, ... }`.
local function read_key(field, options)
  if not read.is_object(options) then options = { order = options } end
  for _, name in ipairs(read.keys(options)) do
    if not OPTIONS[name] then return problem.content("[1:1] [field_sort] unknown field [%s]", name) end
  end
  if field == "_shard_doc" then
    return fail.es { status = 400, type = "action_request_validation_exception", reason =
      "Validation Failed: 1: _shard_doc is only supported with point-in-time (PIT) or scroll searches;" }
  end
  local direction, err = read_direction(options.order or (field == "_score" and "desc" or "asc"))
  if not direction then return nil, err end
  if options.mode and not MODES[options.mode] then
    return problem.argument("Unknown SortMode [%s]", tostring(options.mode))
  end
  return { field = field, descending = direction == "desc", missing = options.missing or "_last",
           unmapped_type = options.unmapped_type, mode = options.mode }
end

--- Reads `sort`: names, `{ name = direction }`, `{ name = { options } }`.
-- @return a list of keys (nil when there is none), or nil and the dialect's error
function sort.read(value)
  if value == nil then return nil end
  local keys = {}
  for _, one in ipairs(read.list(value)) do
    if type(one) == "string" then
      one = { [one] = json.null }
    end
    if not read.is_object(one) then
      return problem.argument("malformed sort format, within the sort array, an object, or an actual string "
        .. "are allowed")
    end
    for _, field in ipairs(read.keys(one)) do
      local options = one[field] ~= json.null and one[field] or {}
      local key, err = read_key(field, options)
      if not key then return nil, err end
      keys[#keys + 1] = key
    end
  end
  return #keys > 0 and keys or nil
end

--- The short form of a query string, `field:desc,other`, as a body would say it.
function sort.body_of_text(text)
  local list = {}
  for one in text:gmatch "[^,]+" do
    local name, direction = one:match "^(.-):(%a+)$"
    list[#list + 1] = name and { [name] = direction } or one
  end
  return json.array(list)
end

--- SQL of a key's value: of several values, the one that `mode` says.
local function value_sql(key, field)
  if not field.list then return field.sql end
  local mode = key.mode or (key.descending and "max" or "min")
  return ("list_aggregate(%s, '%s')"):format(field.list, mode)
end

local function is_date(field)
  return field.type == "date" or field.type == "date_nanos"
end

--- Finds the columns of the keys.
-- @param from the @{blip.query.rows} of the hits; `from.score` is SQL of their score
-- @return nil and an error for a field that no index has, or that cannot be sorted by
function sort.resolve(keys, from)
  for _, key in ipairs(keys) do
    if key.field == "_score" then
      key.sql = from.score
    elseif key.field == "_doc" then
      key.sql = from:field("_seq_no").sql
    else
      local field = from:field(key.field, key.unmapped_type)
      local ok, err = terms.check_field(field)
      if not ok then return nil, err end
      if not field.type and not key.unmapped_type and #from.indices > 0 then
        return fail.es { status = 400, type = "query_shard_exception",
                         reason = ("No mapping found for [%s] in order to sort on"):format(key.field) }
      end
      key.sql, key.column = value_sql(key, field), field
      if is_date(field) then key.sql = ("epoch_ms(%s)"):format(key.sql) end
      if key.missing ~= "_last" and key.missing ~= "_first" then
        key.sql = ("coalesce(%s, %s)"):format(key.sql, from:bind(key.missing))
      end
    end
  end
  return true
end

--- SQL of the keys for ORDER BY.
function sort.order(keys)
  local list = {}
  for i, key in ipairs(keys) do
    list[i] = ("%s %s NULLS %s"):format(key.sql, key.descending and "DESC" or "ASC",
      key.missing == "_first" and "FIRST" or "LAST")
  end
  return table.concat(list, ", ")
end

local LARGEST, SMALLEST = math.maxinteger, math.mininteger

--- A key's value as a hit shows it; nil stands for a value that is missing.
function sort.show(key, value)
  if key.field == "_doc" then return value end
  if value ~= nil and value == value then
    if key.column and key.column.type == "boolean" then return value and 1 or 0 end
    return value
  end
  local type = key.column and (key.column.type or key.unmapped_type)
  local low = (key.missing == "_first") ~= key.descending
  if type and rows.is_real(type) then return low and "-Infinity" or "Infinity" end
  if type and (rows.is_number(type) or is_date(key.column) or type == "boolean") then
    return low and SMALLEST or LARGEST
  end
  return json.null
end

--- The value that `search_after` gives for a key.
local function after_value(key, value)
  if value == json.null then return nil end
  if not key.column then return value end
  if is_date(key.column) and type(value) == "string" then
    return date_math.resolve(value, { format = key.column.format })
  end
  if rows.is_number(key.column.type) then
    local n = tonumber(value)
    if not n and value ~= "Infinity" and value ~= "-Infinity" then
      return problem.argument("Failed to parse search_after value for field [%s].", key.field)
    end
    if n == LARGEST or n == SMALLEST then return nil end
    return n
  end
  return type(value) == "boolean" and value or tostring(value)
end

--- SQL that holds for the hits behind a place.
-- @tparam table keys resolved
-- @tparam table after a value for each key
-- @param bind
-- @return SQL, or nil and the dialect's error
function sort.behind(keys, after, bind)
  if #after ~= #keys then
    return problem.argument("search_after has %d value(s) but sort has %d.", #after, #keys)
  end
  local chain = "FALSE"
  for i = #keys, 1, -1 do
    local key = keys[i]
    local value, err = after_value(key, after[i])
    if err then return nil, err end
    local first = key.missing == "_first"
    local beyond, same
    if value == nil then
      same, beyond = key.sql .. " IS NULL", first and key.sql .. " IS NOT NULL" or "FALSE"
    else
      local place = bind(value)
      same = ("%s = %s"):format(key.sql, place)
      beyond = ("%s %s %s"):format(key.sql, key.descending and "<" or ">", place)
      if not first then beyond = ("(%s OR %s IS NULL)"):format(beyond, key.sql) end
    end
    chain = ("(%s OR (%s AND %s))"):format(beyond, same, chain)
  end
  return chain
end

return sort
