--- The rows that a statement reads: one or several indices as one table expression, whose
-- columns have short names whatever an index calls them.
--
--     local from = rows.new(indices, filter)
--     from:field("host.name").sql    -- f1
--     from:condition(filter)         -- c1, a filter worked out for every row
--     from:sql()                     -- (SELECT "host.name" AS f1, ... FROM "logs" WHERE ...)
--
-- Everything that depends on an index's mapping happens in its own SELECT; what is built on
-- top is the same for one index and for twenty. Parameters are numbered as they come.
-- @module blip.query.rows
local fail = require "blip.fail"
local nested = require "blip.query.nested"
local predicate = require "blip.query.predicate"
local problem = require "blip.query.problem"

local Rows = { __name = "blip.rows" }
Rows.__index = Rows

local rows = {}

local NUMERIC = {
  long = "BIGINT", integer = "BIGINT", short = "BIGINT", byte = "BIGINT", unsigned_long = "BIGINT",
  double = "DOUBLE", float = "DOUBLE", half_float = "DOUBLE", scaled_float = "DOUBLE",
}
local SQL_TYPE = setmetatable({ boolean = "BOOLEAN", date = "TIMESTAMP", date_nanos = "TIMESTAMP" }, {
  __index = function(_, type) return NUMERIC[type] or "VARCHAR" end,
})

--- Columns that every document has.
local META = {
  _id = { type = "keyword", column = '"_id"' },
  _seq_no = { type = "long", column = '"_seq_no"' },
  _version = { type = "long", column = '"_version"' },
  _source = { type = "keyword", column = '"_source"' },
}

--- Stands for an index when there is none.
local NOWHERE = { name = "", mapping = { fields = {}, objects = {} } }

--- What an index's mapping says of a field; `_index` is a constant.
local function field_of(index, name)
  if index == NOWHERE then return nil end
  if name == "_index" then
    return { type = "keyword", column = "'" .. index.name:gsub("'", "''") .. "'" }
  end
  return META[name] or index.mapping.fields[name]
end

local function fields_below(index, name)
  local list, below = {}, name .. "."
  local own = field_of(index, name)
  if own and own.column then list[1] = own end
  for full, field in pairs(index.mapping.fields) do
    if full:sub(1, #below) == below and field.column then list[#list + 1] = field end
  end
  table.sort(list, function(a, b) return a.column < b.column end)
  return list
end

local function word_fields(index)
  local list = {}
  for _, field in pairs(index.mapping.fields) do
    if field.type == "text" or field.type == "keyword" then list[#list + 1] = field end
  end
  table.sort(list, function(a, b) return a.column .. a.type < b.column .. b.type end)
  return list
end

--- The rows of indices for which a filter holds.
-- @tparam table indices a list of `{ name =, mapping =, filter = }`; an index's own filter, by
-- choice, lets only some of its rows through
-- @param[opt] filter
function rows.new(indices, filter)
  return setmetatable({
    indices = indices, filters = { filter }, params = {}, slots = {}, slot_count = 0, unnested = {},
  }, Rows)
end

--- Makes a value a parameter; returns its place in the statement.
function Rows:bind(value)
  self.params[#self.params + 1] = value
  return "$" .. #self.params
end

--- Restricts the rows further.
function Rows:where(filter)
  self.filters[#self.filters + 1] = filter
end

--- The type that a field has over all indices; nil when none has it.
-- Numbers of different types meet as doubles, everything else as text.
function Rows:type(name)
  local common
  for _, index in ipairs(self.indices) do
    local field = field_of(index, name)
    if field and field.column then
      if not common or common == field.type then
        common = field.type
      elseif NUMERIC[common] and NUMERIC[field.type] then
        common = "double"
      else
        common = "keyword"
      end
    end
  end
  return common
end

--- What an index gives for a field: its column, converted where indices differ.
local function column_sql(field, type)
  if not field or not field.column then return ("NULL::%s"):format(SQL_TYPE[type]) end
  local sql = field.column
  if type == "float" then return ("%s::FLOAT::DOUBLE"):format(sql) end
  if SQL_TYPE[field.type] ~= SQL_TYPE[type] then sql = ("%s::%s"):format(sql, SQL_TYPE[type]) end
  return sql
end

--- All values of a field as a list; NULL when a row has none.
local function list_sql(field, type)
  if not field or not field.column then return ("NULL::%s[]"):format(SQL_TYPE[type]) end
  local one = ("CASE WHEN %s IS NULL THEN NULL ELSE [%s] END"):format(field.column, field.column)
  local sql = field.list and ("coalesce(%s, %s)"):format(field.list, one) or one
  return ("(%s)::%s[]"):format(sql, SQL_TYPE[type])
end

function Rows:slot(key, letter, make)
  local slot = self.slots[key]
  if not slot then
    self.slot_count = self.slot_count + 1
    slot = make(letter .. self.slot_count)
    slot.order = self.slot_count
    self.slots[key] = slot
  end
  return slot
end

--- A field for use above: `sql` (its one or first value), `list` (SQL of all its values, nil
-- when every row has one at most), `type` (nil when no index has the field), `format`.
-- @tparam string name
-- @tparam[opt="double"] string default type of the column when no index has the field
function Rows:field(name, default)
  local type = self:type(name)
  local shape = type or default or "double"
  local multiple, format = false, nil
  for _, index in ipairs(self.indices) do
    local field = field_of(index, name)
    if field then
      multiple = multiple or field.list ~= nil
      format = format or field.format
    end
  end
  local slot = self:slot("field " .. name, "f", function(as)
    return { sql = as, make = function(index) return column_sql(field_of(index, name), shape) end }
  end)
  local list = multiple and self:slot("list " .. name, "l", function(as)
    return { sql = as, make = function(index) return list_sql(field_of(index, name), shape) end }
  end)
  return { name = name, sql = slot.sql, list = list and list.sql or nil, type = type, format = format }
end

--- SQL of a field's value for grouping: a row with several different ones counts for each.
function Rows:each_value(field)
  if not field.list then return field.sql end
  local unnested = self.unnested[field.list]
  if not unnested then
    unnested = "u" .. #self.unnested + 1
    self.unnested[#self.unnested + 1] = { list = field.list, as = unnested }
    self.unnested[field.list] = unnested
  end
  return unnested
end

--- A filter worked out for every row, as the name of a boolean column; equal filters share
-- one.
function Rows:condition(filter)
  return self:slot(filter, "c", function(as)
    return { sql = as, make = function(index) return self:predicate(filter, index) end }
  end).sql
end

--- Where a document has the value of a field: a sub-field is another reading of its field.
local function place_of(fields, name)
  local parent = name:match "^(.*)%."
  local is_sub = fields[parent] and fields[parent].column == fields[name].column
  return is_sub and parent or name
end

--- What a filter within a nested object sees: the fields of one of its parts, `o`.
local function nested_target(index, path, bind)
  local ok, err = nested.check(index.mapping, path)
  if not ok then return nil, err end
  local target = { bind = bind }
  function target.field(name)
    local field = index.mapping.fields[name]
    if not field or name:sub(1, #path + 1) ~= path .. "." then return nil end
    return nested.field(field, path, place_of(index.mapping.fields, name), "o", bind)
  end
  function target.fields_below(name) return { target.field(name) } end
  function target.word_fields() return {} end
  function target.nested() return fail.invalid("[nested] within [nested] is not supported") end
  return { target = target, objects = nested.objects(path, bind) }
end

function Rows:predicate(filter, index)
  local function bind(value) return self:bind(value) end
  local sql, err = predicate.sql(filter, {
    field = function(name) return field_of(index, name) end,
    fields_below = function(name) return fields_below(index, name) end,
    word_fields = function() return word_fields(index) end,
    nested = function(path) return nested_target(index, path, bind) end,
    bind = bind,
  })
  if not sql then return problem.of_query(err) end
  return sql
end

local function branch_sql(self, index, slots)
  local columns = {}
  for i, slot in ipairs(slots) do
    local sql, err = slot.make(index)
    if not sql then return nil, err end
    columns[i] = ("%s AS %s"):format(sql, slot.sql)
  end
  if #columns == 0 then columns[1] = "1 AS one" end
  local tests, filters = {}, table.move(self.filters, 1, #self.filters, 1, {})
  filters[#filters + 1] = index.filter
  for _, filter in ipairs(filters) do
    local sql, err = self:predicate(filter, index)
    if not sql then return nil, err end
    if sql ~= "TRUE" then tests[#tests + 1] = sql end
  end
  local where = #tests > 0 and " WHERE " .. table.concat(tests, " AND ") or ""
  return ("SELECT %s FROM %s%s"):format(table.concat(columns, ", "), index.mapping.table, where)
end

--- The same columns without a row, for when no index is left.
local function empty_sql(slots)
  local columns = { "1 AS one" }
  for _, slot in ipairs(slots) do
    local sql, err = slot.make(NOWHERE)
    if not sql then return nil, err end
    columns[#columns + 1] = ("%s AS %s"):format(sql, slot.sql)
  end
  return ("SELECT %s WHERE FALSE"):format(table.concat(columns, ", "))
end

--- The table expression of everything that was asked for so far; call it last.
-- @return SQL, or nil and an error: a value in a filter that does not fit its field
function Rows:sql()
  local slots = {}
  for _, slot in pairs(self.slots) do slots[#slots + 1] = slot end
  table.sort(slots, function(a, b) return a.order < b.order end)
  local branches, err = {}
  for i, index in ipairs(self.indices) do
    branches[i], err = branch_sql(self, index, slots)
    if not branches[i] then return nil, err end
  end
  if #branches == 0 then
    branches[1], err = empty_sql(slots)
    if not branches[1] then return nil, err end
  end
  local source = "(" .. table.concat(branches, " UNION ALL ") .. ")"
  for _, unnest in ipairs(self.unnested) do  -- one by one: together they would run in step
    source = ("(SELECT *, unnest(coalesce(list_distinct(%s), [NULL])) AS %s FROM %s)"):format(
      unnest.list, unnest.as, source)
  end
  return source
end

--- Whether a type is one of numbers, and whether of those with a fraction.
function rows.is_number(type) return NUMERIC[type] ~= nil end
function rows.is_text(type) return SQL_TYPE[type] == "VARCHAR" end
function rows.is_real(type) return NUMERIC[type] == "DOUBLE" end

--- Fails for a field that is no number where a number is needed.
function rows.check_numeric(field, op)
  local type = field.type
  if type == nil or NUMERIC[type] or type == "boolean" or SQL_TYPE[type] == "TIMESTAMP" then return true end
  return fail.invalid("Field [%s] of type [%s] is not supported for aggregation [%s]", field.name, type, op)
end

--- SQL of a value as a number: dates in milliseconds, truth as 1 and 0.
function rows.number(field, x)
  if SQL_TYPE[field.type or "double"] == "TIMESTAMP" then return ("epoch_ms(%s)"):format(x) end
  if field.type == "boolean" then return ("%s::BIGINT"):format(x) end
  return x
end

return rows
