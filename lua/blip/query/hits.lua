--- The documents of a search's answer.
-- @module blip.query.hits
local date_format = require "blip.query.date_format"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local number_format = require "blip.query.number_format"
local rows = require "blip.query.rows"
local sort = require "blip.query.sort"
local source_filter = require "blip.query.source_filter"

local hits = {}

--- The columns of a statement: `place(sql)` selects one more and returns its name.
local function new_selection()
  local selection = { columns = {} }
  function selection.place(sql)
    local name = "c" .. #selection.columns + 1
    selection.columns[#selection.columns + 1] = ("%s AS %s"):format(sql, name)
    return name
  end
  return selection
end

--- Selects all values of the fields that hits show beside their source.
local function select_fields(list, from, selection)
  for _, one in ipairs(list) do
    local field = from:field(one.field)
    local x = field.list or ("CASE WHEN %s IS NULL THEN NULL ELSE [%s] END"):format(field.sql, field.sql)
    if field.type == "date" or field.type == "date_nanos" then
      x = ("list_transform(%s, lambda v: epoch_ms(v))"):format(x)
      one.date_format = one.format or field.format or date_format.DEFAULT
    elseif one.format and rows.is_number(field.type) then
      one.number_format = one.format
    end
    one.place = selection.place(("to_json(%s)::VARCHAR"):format(x))
  end
end

local function show_fields(list, data, row, fields)
  for _, one in ipairs(list) do
    local text = data[one.place][row]
    if text then
      local values = assert(json.decode(text))
      for i, value in ipairs(values) do
        if one.date_format then
          values[i] = date_format.write(value, one.format and one.date_format or "strict_date_time")
        elseif one.number_format then
          values[i] = number_format.write(value, one.number_format)
        end
      end
      fields[one.field] = values
    end
  end
  return fields
end

--- The statement of one page of hits.
local function statement(request, indices)
  local from = rows.new(indices, filter.all_of { request.filter, request.post_filter })
  local selection = new_selection()
  local columns = {
    index = selection.place(from:field("_index", "keyword").sql),
    id = not request.bare and selection.place(from:field("_id").sql) or nil,
    source = request.source.wanted and not request.bare and selection.place(from:field("_source").sql) or nil,
    version = request.version and selection.place(from:field("_version").sql) or nil,
    seq_no = request.seq_no_primary_term and selection.place(from:field("_seq_no").sql) or nil,
  }
  select_fields(request.docvalue_fields, from, selection)
  select_fields(request.fields, from, selection)
  local order, where = "", ""
  if request.sort then
    local ok, err = sort.resolve(request.sort, from)
    if not ok then return nil, err end
    order = sort.order(request.sort) .. ", "
    for _, key in ipairs(request.sort) do key.place = selection.place(key.sql) end
    if request.search_after then
      local behind
      behind, err = sort.behind(request.sort, request.search_after, function(v) return from:bind(v) end)
      if not behind then return nil, err end
      where = " WHERE " .. behind
    end
  end
  order = order .. from:field("_index", "keyword").sql .. ", " .. from:field("_seq_no", "long").sql
  local limit = ("LIMIT %s OFFSET %s"):format(from:bind(request.size), from:bind(request.from))
  local source, err = from:sql()
  if not source then return nil, err end
  local sql = ("SELECT %s FROM %s%s ORDER BY %s %s"):format(
    table.concat(selection.columns, ", "), source, where, order, limit)
  return sql, from.params, columns
end

local function sorts_by_score(request)
  if not request.sort or request.track_scores then return true end
  for _, key in ipairs(request.sort) do
    if key.field == "_score" then return true end
  end
  return false
end

--- One hit from a row.
local function show(request, columns, data, row, scored)
  local hit = { _index = data[columns.index][row], _id = columns.id and data[columns.id][row],
                _score = scored and request.score or json.null }
  if columns.source then hit._source = source_filter.apply(request.source, data[columns.source][row]) end
  if columns.version then hit._version = data[columns.version][row] end
  if columns.seq_no then hit._seq_no, hit._primary_term = data[columns.seq_no][row], 1 end
  if #request.docvalue_fields + #request.fields > 0 then
    local fields = show_fields(request.docvalue_fields, data, row, {})
    fields = show_fields(request.fields, data, row, fields)
    hit.fields = next(fields) and fields or nil
  end
  if request.sort then
    local values = {}
    for i, key in ipairs(request.sort) do values[i] = sort.show(key, data[key.place][row]) end
    hit.sort = json.array(values)
  end
  return hit
end

--- Reads one page of hits.
-- @param connection of the store
-- @tparam table request from @{blip.query.request}
-- @tparam table indices a list of `{ name =, mapping = }`
-- @treturn table hits as the answer lists them
-- @return the best score, json.null when hits have none
-- @return or nil and an error
function hits.read(connection, request, indices)
  if #indices == 0 then return json.array {}, 0.0 end
  if request.size == 0 then return json.array {}, json.null end
  local sql, params, columns = statement(request, indices)
  if not sql then return nil, params end
  local frame, err = connection:query(sql, params)
  if not frame then return nil, err end
  local data = {}
  for _, name in ipairs(frame:columns()) do data[name] = frame:column(name) end
  local list, scored = {}, sorts_by_score(request)
  for row = 1, frame:rows() do list[row] = show(request, columns, data, row, scored) end
  frame:close()
  return json.array(list), scored and list[1] and list[1]._score or json.null
end

return hits
