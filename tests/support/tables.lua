--- Tables in memory with a mapping, for specs of what runs on the store.
--
--     local t = tables.new()
--     t:create("logs", { { "ts", "date" }, { "host", "keyword" }, { "tag", "keyword", list = true } },
--       { { ts = 0, host = "a" }, ... })
--     t.connection, t.indices
--
local store = require "runtime.store"
local json = require "runtime.json"

local tables = {}
local Tables = {}
Tables.__index = Tables

local SQL = { date = "TIMESTAMP", long = "BIGINT", double = "DOUBLE", float = "DOUBLE", boolean = "BOOLEAN" }

--- A store of its own, in memory or in a folder.
function tables.new(folder)
  return setmetatable({ connection = assert(store.open { folder = folder }), indices = {} }, Tables)
end

local function quote(name) return '"' .. name .. '"' end

local function place(type, n)
  return type == "date" and ("epoch_ms($%d::BIGINT)"):format(n) or "$" .. n
end

--- Columns, places and parameters of one document.
local function cells(fields, row)
  local columns, places, params = { '"_source"' }, { "$1" }, { json.encode(row) }
  for _, field in ipairs(fields) do
    local name, type, value = field[1], field[2], row[field[1]]
    local values = field.list and value ~= nil and (_G.type(value) == "table" and value or { value })
    local first = value
    if values then first = values[1] end
    if first ~= nil then
      params[#params + 1] = first
      columns[#columns + 1], places[#places + 1] = quote(name), place(type, #params)
    end
    if values then
      local list = {}
      for i, v in ipairs(values) do
        params[#params + 1] = v
        list[i] = place(type, #params)
      end
      columns[#columns + 1] = quote(name .. "[]")
      places[#places + 1] = "[" .. table.concat(list, ", ") .. "]"
    end
  end
  return columns, places, params
end

function Tables:create(name, fields, rows)
  local columns = { "_id VARCHAR", "_seq_no BIGINT", "_version BIGINT DEFAULT 1", "_source VARCHAR" }
  local mapping = { table = quote(name), fields = {} }
  for _, field in ipairs(fields) do
    local sql = SQL[field[2]] or "VARCHAR"
    columns[#columns + 1] = quote(field[1]) .. " " .. sql
    if field.list then columns[#columns + 1] = quote(field[1] .. "[]") .. " " .. sql .. "[]" end
    mapping.fields[field[1]] = { type = field[2], column = quote(field[1]), format = field.format,
                                 list = field.list and quote(field[1] .. "[]") or nil }
  end
  assert(self.connection:execute(("CREATE TABLE %s (%s)"):format(quote(name), table.concat(columns, ", "))))
  for i, row in ipairs(rows) do
    local into, places, params = cells(fields, row)
    assert(self.connection:execute(("INSERT INTO %s (_id, _seq_no, %s) VALUES ('%s', %d, %s)"):format(
      quote(name), table.concat(into, ", "), row._id or i, i - 1, table.concat(places, ", ")), params))
  end
  self.indices[#self.indices + 1] = { name = name, mapping = mapping }
  return self
end

return tables
