--- Text in aligned columns.
-- @module blip.cli.table
local tables = {}

--- Characters of a UTF-8 text; bytes when it is none.
local function width(s)
  return utf8.len(s) or #s
end

local function widths(columns, rows)
  local most = {}
  for i, column in ipairs(columns) do
    most[i] = width(column.title)
    for _, row in ipairs(rows) do most[i] = math.max(most[i], width(row[i])) end
  end
  return most
end

local function pad(s, to, right)
  local space = (" "):rep(to - width(s))
  return right and space .. s or s .. space
end

--- Breaks a text into lines of at most `most` characters, at spaces.
local function wrap(s, most)
  local lines, line = {}, ""
  for word in s:gmatch "%S+" do
    if line ~= "" and width(line) + 1 + width(word) > most then
      lines[#lines + 1] = line
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return lines
end

--- Lines of one row; the last column wraps.
local function row_lines(columns, row, most, style, is_title)
  local cells, used = {}, 0
  for i = 1, #columns - 1 do
    local cell = pad(row[i], most[i], columns[i].right)
    used = used + most[i] + 2
    cells[i] = is_title and style:paint("dim", cell)
      or columns[i].colour and style:paint(columns[i].colour, cell) or cell
  end
  local last = wrap(row[#columns], math.max(20, style.width - used))
  local first = is_title and style:paint("dim", last[1]) or last[1]
  local line = (table.concat(cells, "  ") .. "  " .. first):gsub("%s+$", "")
  local lines = { line }
  for i = 2, #last do lines[i] = (" "):rep(used) .. last[i] end
  return lines
end

--- Lines of a table; the last column takes the rest of the width and wraps.
-- @tparam {table,...} columns `{ title =, right = true, colour = }`
-- @tparam {{string,...},...} rows
-- @param style from @{blip.cli.style}
-- @treturn {string,...}
function tables.lines(columns, rows, style)
  local most, lines, titles = widths(columns, rows), {}, {}
  for i, column in ipairs(columns) do titles[i] = column.title end
  table.move(row_lines(columns, titles, most, style, true), 1, 1, 1, lines)
  for _, row in ipairs(rows) do
    local more = row_lines(columns, row, most, style)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return lines
end

return tables
