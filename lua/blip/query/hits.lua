--- The documents of a search's answer.
-- @module blip.query.hits
local date_format = require "blip.query.date_format"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local number_format = require "blip.query.number_format"
local rows = require "blip.query.rows"
local score = require "blip.query.score"
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

--- Whether hits show a score, and whether they are in its order.
local function scoring(request)
  if not request.sort then return true, true end
  for _, key in ipairs(request.sort) do
    if key.field == "_score" then return true, false end
  end
  return request.track_scores, false
end

--- Selects the score of hits. Returns its order, "" when all have the same; or nil and an error.
local function select_score(connection, request, indices, from, selection)
  local shown, is_order = scoring(request)
  if not shown then return "" end
  local constant = score.constant(request.score_parts, indices)
  from.score = constant and ("%.9g::DOUBLE"):format(constant)
  if not from.score then
    local err
    from.score, err = score.sql(connection, indices, request.score_parts, from)
    if not from.score then return nil, err end
  end
  selection.score = selection.place(from.score)
  -- The best is the first but on a later page or in another order; then every hit is looked at.
  local elsewhere = not constant and (request.from > 0 or not is_order)
  selection.best = elsewhere and selection.place(("max(%s) OVER ()"):format(from.score)) or selection.score
  return is_order and not constant and selection.score .. " DESC, " or ""
end

--- Selects the sort values of hits. Returns their order; or nil and an error.
local function select_sort(request, from, selection)
  if not request.sort then return "" end
  local ok, err = sort.resolve(request.sort, from)
  if not ok then return nil, err end
  for _, key in ipairs(request.sort) do key.place = selection.place(key.sql) end
  return sort.order(request.sort) .. ", "
end

--- SQL that keeps the hits behind `search_after`.
local function after_clause(request, from)
  if not request.search_after then return "" end
  local behind, err = sort.behind(request.sort, request.search_after, function(v) return from:bind(v) end)
  return behind and " WHERE " .. behind, err
end

local function select_columns(request, from, selection)
  local function place(name, wanted, type)
    return wanted and selection.place(from:field(name, type).sql) or nil
  end
  return {
    index = place("_index", true, "keyword"), id = place("_id", not request.bare),
    source = place("_source", request.source.wanted and not request.bare),
    version = place("_version", request.version), seq_no = place("_seq_no", request.seq_no_primary_term),
  }
end

--- The statement of one page of hits: SQL, parameters, names of its columns.
local function statement(connection, request, indices)
  local from = rows.new(indices, filter.all_of { request.filter, request.post_filter })
  local selection = new_selection()
  local columns = select_columns(request, from, selection)
  select_fields(request.docvalue_fields, from, selection)
  select_fields(request.fields, from, selection)
  local by_score, err = select_score(connection, request, indices, from, selection)
  if not by_score then return nil, err end
  columns.score, columns.best = selection.score, selection.best
  local by_key, where, source
  by_key, err = select_sort(request, from, selection)
  if not by_key then return nil, err end
  where, err = after_clause(request, from)
  if not where then return nil, err end
  local order = by_score .. by_key .. from:field("_index", "keyword").sql .. ", "
    .. from:field("_seq_no", "long").sql
  local limit = ("LIMIT %s OFFSET %s"):format(from:bind(request.size), from:bind(request.from))
  source, err = from:sql()
  if not source then return nil, err end
  local sql = ("SELECT %s FROM %s%s ORDER BY %s %s"):format(
    table.concat(selection.columns, ", "), source, where, order, limit)
  return sql, from.params, columns
end

--- One hit from a row.
local function show(request, columns, data, row)
  local hit = { _index = data[columns.index][row], _id = columns.id and data[columns.id][row],
                _score = columns.score and data[columns.score][row] or json.null }
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
  local sql, params, columns = statement(connection, request, indices)
  if not sql then return nil, params end
  local frame, err = connection:query(sql, params)
  if not frame then return nil, err end
  local data = {}
  for _, name in ipairs(frame:columns()) do data[name] = frame:column(name) end
  local list = {}
  for row = 1, frame:rows() do list[row] = show(request, columns, data, row) end
  local best = #list > 0 and columns.best and frame:get(1, columns.best) or json.null
  frame:close()
  return json.array(list), best
end

return hits
