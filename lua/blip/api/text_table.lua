--- The tables of _cat: rows of text under named columns.
-- A column is `{ name, other names by comma, description, right = bool, hidden = bool }`: `right` sets
-- its cells to the right, `hidden` shows it only when it is asked for.
-- @module blip.api.text_table
local fail = require "blip.fail"
local json = require "runtime.json"
local names = require "blip.index.names"
local reply = require "blip.api.reply"

local text_table = {}

--- The column of a name or of one of its other names.
local function find_column(columns, name)
  for _, column in ipairs(columns) do
    if column[1] == name then return column end
    for alias in column[2]:gmatch "[^,]+" do
      if alias == name then return column end
    end
  end
  return nil
end

local function chosen_columns(columns, query)
  local chosen = {}
  if not query.h then
    for _, column in ipairs(columns) do
      if not column.hidden then chosen[#chosen + 1] = { column = column, title = column[1] } end
    end
    return chosen
  end
  for name in query.h:gmatch "[^,]+" do
    local pattern = name:find("*", 1, true) and names.pattern(name)
    for _, column in ipairs(columns) do
      if pattern and column[1]:find(pattern) then
        chosen[#chosen + 1] = { column = column, title = column[1] }
      end
    end
    local column = not pattern and find_column(columns, name)
    if column then chosen[#chosen + 1] = { column = column, title = name } end
  end
  return chosen
end

local function sort_rows(columns, rows, query)
  local keys = {}
  for part in (query.s or ""):gmatch "[^,]+" do
    local name, order = part:match "^([^:]+):?(%a*)$"
    local column = name and find_column(columns, name)
    if not column then
      assert(fail.es { status = 400, type = "unsupported_operation_exception",
                       reason = ("Unable to sort by unknown sort key `%s`"):format(name or part) })
    end
    keys[#keys + 1] = { name = column[1], down = order == "desc" }
  end
  if #keys == 0 then return end
  table.sort(rows, function(a, b)
    for _, key in ipairs(keys) do
      local x, y = a[key.name], b[key.name]
      if tonumber(x) and tonumber(y) then x, y = tonumber(x), tonumber(y) end
      if x ~= y then
        if key.down then return y < x end
        return x < y
      end
    end
    return false
  end)
end

local function pad(text, width, right, last)
  if right then return (" "):rep(width - #text) .. text end
  return last and text or text .. (" "):rep(width - #text)
end

local function write_lines(chosen, rows, with_titles)
  local lines, widths = {}, {}
  if with_titles then
    local titles = {}
    for i, choice in ipairs(chosen) do titles[i] = choice.title end
    lines[1] = titles
  end
  for _, row in ipairs(rows) do
    local line = {}
    for i, choice in ipairs(chosen) do line[i] = row[choice.column[1]] or "" end
    lines[#lines + 1] = line
  end
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for at, line in ipairs(lines) do
    local title = with_titles and at == 1
    for i, cell in ipairs(line) do
      line[i] = pad(cell, widths[i], not title and chosen[i].column.right, i == #line)
    end
    lines[at] = table.concat(line, " ") .. "\n"
  end
  return table.concat(lines)
end

--- Answers with what the columns are.
function text_table.help(columns)
  local widths, lines = { 0, 0, 0 }, {}
  for _, column in ipairs(columns) do
    for i = 1, 3 do widths[i] = math.max(widths[i], #column[i]) end
  end
  for i, column in ipairs(columns) do
    lines[i] = ("%s | %s | %s\n"):format(pad(column[1], widths[1]), pad(column[2], widths[2]),
      pad(column[3], widths[3]))
  end
  return reply.text(200, table.concat(lines))
end

local function json_rows(chosen, rows)
  local list = {}
  for i, row in ipairs(rows) do
    local object, order = {}, {}
    for at, choice in ipairs(chosen) do
      object[choice.title] = row[choice.column[1]] or json.null
      order[at] = choice.title
    end
    list[i] = json.ordered(object, order)
  end
  return reply.ok(json.array(list))
end

--- Parameters that every table takes.
text_table.PARAMETERS = {
  "h", "v", "s", "help", "format", "time", "bytes", "local", "master_timeout", "cluster_manager_timeout",
  "expand_wildcards", "health", "pri", "include_unloaded_segments", "timeout",
}

--- Answers with a table in the form that was asked for: text, or JSON with `format=json`.
-- @tparam table request its `h` chooses columns, `s` sorts rows, `v` adds a line of titles
-- @tparam {table,...} columns
-- @tparam {table,...} rows name of a column to text
function text_table.answer(request, columns, rows)
  local query = request.query
  sort_rows(columns, rows, query)
  local chosen = chosen_columns(columns, query)
  local accept = request.headers.accept or ""
  if query.format == "json" or (not query.format and accept:find "application/json") then
    return json_rows(chosen, rows)
  end
  if query.format and query.format ~= "text" and query.format ~= "yaml" then
    assert(fail.invalid("[format] value [%s] is not supported: json, text, yaml", query.format))
  end
  if query.format == "yaml" then return json_rows(chosen, rows) end
  return reply.text(200, write_lines(chosen, rows, request:flag "v"))
end

return text_table
