--- Documents as records: one column per field of a job (elastic-ml.md 8.4).
-- @module blip.job.extract_documents
local fail = require "blip.fail"
local rows = require "blip.query.rows"
local sql = require "blip.query.sql"
local store = require "runtime.store"

local documents = {}

-- A field of several values is one text: those that can be sorted in order and each once, others as
-- they were written.
local function joined(field)
  local list = ("list_transform(%s, lambda v: v::VARCHAR)"):format(field.list)
  if field.type ~= "text" then list = ("list_sort(list_distinct(%s))"):format(list) end
  return ("array_to_string(%s, ',')"):format(list)
end

local function is_date(field)
  return field.type == "date" or field.type == "date_nanos"
end

-- A place is kept as it was sent: {"lat":1,"lon":2}, [2,1] or "1,2". It is fed as "1,2".
local PLACE = [[CASE left(%s, 1)
  WHEN '{' THEN regexp_extract(%s, '"lat"\s*:\s*"?([-+0-9.eE]+)', 1) || ','
    || regexp_extract(%s, '"lon"\s*:\s*"?([-+0-9.eE]+)', 1)
  WHEN '[' THEN regexp_extract(%s, ',\s*([-+0-9.eE]+)', 1) || ','
    || regexp_extract(%s, '\[\s*([-+0-9.eE]+)', 1)
  ELSE %s END]]

-- SQL of a field's value as the engine reads it: a number, or a text.
local function value(from, name)
  local field = from:field(name, "keyword")
  if field.type == "geo_point" then return (PLACE:gsub("%%s", field.sql)) end
  if field.list then return joined(field) end
  if is_date(field) then return ("epoch_ms(%s)"):format(field.sql) end
  if field.type and rows.is_number(field.type) then return field.sql end
  return ("%s::VARCHAR"):format(field.sql)
end

--- Does any index have a field?
function documents.is_mapped(name, indices)
  if #indices == 0 then return true end
  for _, index in ipairs(indices) do
    if index.mapping.fields[name] then return true end
  end
  return false
end

-- SQL of the milliseconds of a time field.
local function time_ms(from, name)
  local field = from:field(name, "date")
  if field.type and not is_date(field) then
    return fail.invalid("time field [%s] is a %s, not a date", name, field.type)
  end
  return ("epoch_ms(%s)"):format(field.sql)
end

--- Takes the documents for which a filter holds.
-- @tparam table stretch `time_field`, `fields`
-- @tparam table indices resolved
-- @param where filter
-- @tparam[opt] integer limit
-- @return a frame; or nil and an error
function documents.frame(stretch, indices, where, limit)
  local from = rows.new(indices, where)
  local time, err = time_ms(from, stretch.time_field)
  if not time then return nil, err end
  local columns = { ("%s AS %s"):format(time, sql.quote(stretch.time_field)) }
  for _, name in ipairs(stretch.fields) do
    if name ~= stretch.time_field then
      columns[#columns + 1] = ("%s AS %s"):format(value(from, name), sql.quote(name))
    end
  end
  local place = from:field("_seq_no", "long").sql
  local most = limit and " LIMIT " .. from:bind(limit) or ""
  local source
  source, err = from:sql()
  if not source then return nil, err end
  local statement = ("SELECT %s FROM %s ORDER BY 1, %s%s"):format(
    table.concat(columns, ", "), source, place, most)
  return store.connection():query(statement, from.params)
end

--- The smallest time of the documents for which a filter holds; nil when there are none.
-- @return integer milliseconds or nil; nil and an error
function documents.first_ms(time_field, indices, where)
  local from = rows.new(indices, where)
  local time, err = time_ms(from, time_field)
  if not time then return nil, err end
  local source
  source, err = from:sql()
  if not source then return nil, err end
  local frame
  frame, err = store.connection():query(("SELECT min(%s) AS first FROM %s"):format(time, source), from.params)
  if not frame then return nil, err end
  return frame:get(1, "first")
end

return documents
