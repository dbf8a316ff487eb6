--- Buckets of a field's values: the `terms` aggregation.
-- @module blip.query.terms
local date_format = require "blip.query.date_format"
local fail = require "blip.fail"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local rows = require "blip.query.rows"

local terms = {}

local OPTIONS = read.set [[field size shard_size min_doc_count shard_min_doc_count order include exclude
  missing format show_term_doc_count_error collect_mode execution_hint value_type]]

local FIELDDATA = "Text fields are not optimised for operations that require per-document field data like "
  .. "aggregations and sorting, so these operations are disabled by default. Please use a keyword field "
  .. "instead. Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the "
  .. "inverted index. Note that this can use significant memory."

--- Fails for a text field, which has no values to group or sort by.
function terms.check_field(field)
  if field.type ~= "text" then return true end
  return fail.invalid(FIELDDATA, field.name)
end

--- SQL of a field's values as keys, and what a reader of the answer needs to know of them.
-- `type` is "text", "number", "real", "boolean" or "date".
function terms.key(from, body)
  local field = from:field(body.field)
  local ok, err = terms.check_field(field)
  if not ok then return nil, err end
  local x, type = from:each_value(field), "text"
  if field.type == "boolean" then
    type = "boolean"
  elseif field.type == "date" or field.type == "date_nanos" then
    x, type = ("epoch_ms(%s)"):format(x), "date"
  elseif field.type == nil or rows.is_number(field.type) then
    type = rows.is_real(field.type) and "real" or "number"
  end
  if body.missing ~= nil then x = ("coalesce(%s, %s)"):format(x, from:bind(body.missing)) end
  return { sql = x, type = type, format = body.format or field.format }
end

--- A key as the answer writes it, and its text when it has one.
function terms.show_key(key, value)
  if value == nil then return json.null end
  if key.type == "boolean" then return value and 1 or 0, tostring(value) end
  if key.type == "date" then return value, date_format.write(value, key.format) end
  return value
end

--- Names of the answer's types, by the type of the key.
local TYPED = { text = "sterms", number = "lterms", real = "dterms", boolean = "lterms", date = "lterms" }

local DIRECTIONS = { asc = true, desc = true }

--- Reads `order` into a list of `{ by =, descending = }`.
local function read_order(order)
  local list = {}
  for _, one in ipairs(read.list(order)) do
    if not read.is_object(one) then return problem.parsing "Must specify at least one field for [order]" end
    for by, direction in pairs(one) do
      direction = tostring(direction):lower()
      if not DIRECTIONS[direction] then
        return fail.es { status = 400, type = "parsing_exception",
                         reason = ("Unknown order direction [%s]"):format(direction) }
      end
      list[#list + 1] = { by = by == "_term" and "_key" or by, descending = direction == "desc" }
    end
  end
  if #list == 0 then list[1] = { by = "_count", descending = true } end
  return list
end

--- A condition of `include` or `exclude` on the key.
local function read_choice(name, choice)
  if choice == nil or choice == json.null then return function() return nil end end
  if read.is_object(choice) then
    return problem.argument("[terms] %s by partition is not supported", name)
  end
  local negation = name == "exclude" and "NOT " or ""
  if type(choice) == "string" then
    return function(key, bind)
      return ("%sregexp_full_match(%s::VARCHAR, %s)"):format(negation, key, bind(choice))
    end
  end
  return function(key, bind)
    local places = {}
    for i, value in ipairs(read.list(choice)) do places[i] = bind(read.show(value)) end
    if #places == 0 then return name == "include" and "FALSE" or nil end
    return ("%s(%s::VARCHAR IN (%s))"):format(negation, key, table.concat(places, ", "))
  end
end

local function positive(body, name, default, owner)
  local n, err = read.integer(body[name] == nil and default or body[name])
  if not n then return problem.option("terms", name, err) end
  if n <= 0 then
    local reason = ("[%s] must be greater than 0. Found [%d] in [%s]"):format(name, n, owner)
    return problem.option("terms", name, { reason = reason })
  end
  return n
end

local function show(body)
  local with_error = read.boolean(body.show_term_doc_count_error)
  return function(level, list, sub)
    local key, keys = level.keys[1], level.data.keys[1]
    local buckets, shown = {}, 0
    for i, row in ipairs(list) do
      local bucket = sub(row)
      bucket.key, bucket.key_as_string = terms.show_key(key, keys[row])
      bucket.doc_count = level.data.counts[row]
      if with_error then bucket.doc_count_error_upper_bound = 0 end
      shown = shown + bucket.doc_count
      buckets[i] = bucket
    end
    local total = list[1] and level.data.totals[list[1]] or 0
    return { doc_count_error_upper_bound = 0, sum_other_doc_count = total - shown,
             buckets = json.array(buckets) }
  end
end

--- Reads a `terms` body into a grouping; see @{blip.query.grouping}.
function terms.read(body, name)
  local ok, err = read.check_options("terms", body, OPTIONS)
  if not ok then return nil, err end
  if type(body.field) ~= "string" then
    return problem.argument "Required one of fields [field, script], but none were specified. "
  end
  local size, order, least
  size, err = positive(body, "size", 10, name)
  if not size then return nil, err end
  order, err = read_order(body.order)
  if not order then return problem.option("terms", "order", err) end
  least, err = read.integer(body.min_doc_count == nil and 1 or body.min_doc_count)
  if not least then return problem.option("terms", "min_doc_count", err) end
  local include, exclude
  include, err = read_choice("include", body.include)
  if not include then return nil, err end
  exclude, err = read_choice("exclude", body.exclude)
  if not exclude then return nil, err end
  return {
    keys = function(from)
      local key, failed = terms.key(from, body)
      return key and { key }, failed
    end,
    where = function(places, bind)
      local tests = {}
      tests[#tests + 1] = include(places[1], bind)
      tests[#tests + 1] = exclude(places[1], bind)
      return #tests > 0 and table.concat(tests, " AND ") or nil
    end,
    top = { size = size, order = order, least = least },
    typed = function(level) return TYPED[level.keys[1].type] end,
    show = show(body),
  }
end

return terms
