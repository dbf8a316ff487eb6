--- Predicates over rows, combined with `&`, `|` and `~`.
-- A filter is plain data, `{ op, ... }`: @{blip.query.predicate} turns it into SQL, nothing
-- here reads a row. Values keep the form in which a user wrote them (`"now-1d/d"`, `"true"`,
-- `7`): what they mean depends on the type that each index gives the field.
-- @module blip.query.filter
local fail = require "blip.fail"

local Filter = { __name = "blip.filter" }

local function new(op, ...)
  return setmetatable({ op = op, ... }, Filter)
end

function Filter.__band(a, b) return new("and", a, b) end
function Filter.__bor(a, b) return new("or", a, b) end
function Filter.__bnot(a) return new("not", a) end

local filter = {}

--- Whether a value is a filter.
function filter.is(value)
  return getmetatable(value) == Filter
end

--- Every row.
function filter.all() return new("all") end

--- No row.
function filter.none() return new("none") end

--- Rows for which every one of a list of filters holds.
function filter.all_of(list)
  if #list == 1 then return list[1] end
  return #list == 0 and filter.all() or new("and", table.unpack(list))
end

--- Rows for which at least one of a list of filters holds.
function filter.any_of(list)
  if #list == 1 then return list[1] end
  return #list == 0 and filter.none() or new("or", table.unpack(list))
end

--- Rows for which at least `count` of a list of filters hold.
function filter.at_least(count, list)
  if count <= 0 then return filter.all() end
  if count == 1 then return filter.any_of(list) end
  if count == #list then return filter.all_of(list) end
  if count > #list then return filter.none() end
  return new("at_least", count, table.unpack(list))
end

--- Rows whose field has a value.
-- @tparam string field
-- @tparam string|number|boolean value in the field's own unit
-- @tparam[opt] table options `case_insensitive`
function filter.term(field, value, options)
  return new("term", field, value, options)
end

--- Rows whose field has any of a list of values.
function filter.terms(field, values)
  return new("terms", field, values)
end

--- Rows whose field lies between bounds.
-- @tparam string field
-- @tparam table bounds any of `gt`, `gte`, `lt`, `lte`, in the field's own unit; for dates also
-- `format` and `time_zone`
-- @return a filter, or nil and an `invalid` error when no bound is given
function filter.range(field, bounds)
  if not (bounds.gt or bounds.gte or bounds.lt or bounds.lte) then
    return fail.invalid("range over '%s' has no bound", field)
  end
  return new("range", field, bounds)
end

--- Rows that have a value in a field, or in a field below an object.
function filter.exists(field) return new("exists", field) end

--- Rows whose text holds the words of another.
-- @tparam string field
-- @param text what to look for; analysed for text fields, compared whole for all others
-- @tparam[opt] table options `all` words instead of any, `at_least` so many of them,
-- `phrase` = in this order and side by side, `prefix` = the last word may go on, `lenient` = a
-- value that does not fit the field matches nothing
function filter.match(field, text, options)
  return new("match", field, text, options or {})
end

--- Rows whose field begins with a text.
-- @tparam[opt] table options `case_insensitive`
function filter.prefix(field, text, options) return new("prefix", field, text, options) end

--- Rows whose field looks like a pattern of `*` and `?`.
-- @tparam[opt] table options `case_insensitive`
function filter.wildcard(field, pattern, options) return new("wildcard", field, pattern, options) end

--- Rows whose field as a whole matches a regular expression.
-- @tparam[opt] table options `case_insensitive`
function filter.regexp(field, pattern, options) return new("regexp", field, pattern, options) end

--- Rows of these document ids.
function filter.ids(ids) return new("ids", ids) end

--- Rows with a nested object for which a filter holds.
function filter.nested(path, inner) return new("nested", path, inner) end

return filter
