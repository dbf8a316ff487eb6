--- Tables of the server's own, one row a thing: where runs, jobs and datafeeds stand.
-- A row is saved in the transaction that writes what it speaks of, so that after a crash both are there
-- or neither is.
--     local runs = ledger.new("blip.runs", "run VARCHAR", { "position_ms BIGINT", "stage VARCHAR" })
--     local row = runs:load(c, "taxi") or { run = "taxi" }
--     row.position_ms = 60000
--     assert(runs:save(c, row))
-- @module blip.source.ledger
local json = require "runtime.json"

local ledger = {}

local Ledger = {}
Ledger.__index = Ledger

local function create(self, c)
  local ok, err = c:execute "CREATE SCHEMA IF NOT EXISTS blip"
  if ok then ok, err = c:execute(self.create) end
  if not ok then return nil, err end
  return true
end

--- Makes sure that the table is there. Two workers that make it at once are in each other's way: for
-- the slower one it is there at the second look.
-- @return true; or nil and an error
function Ledger:prepare(c)
  if self.prepared then return true end
  local ok, err = create(self, c)
  if not ok and err.kind == "conflict" then ok, err = create(self, c) end
  self.prepared = ok == true -- in this worker
  return ok, err
end

local function query(self, c, rest, values)
  local ok, err = self:prepare(c)
  if not ok then return nil, err end
  return c:query(self.select .. rest, values)
end

--- A thing's row.
-- @return the row, nil when it has none; or nil and an error
function Ledger:load(c, key)
  local frame, err = query(self, c, " WHERE " .. self.key .. " = ?", { key })
  if not frame then return nil, err end
  return #frame > 0 and frame:row(1) or nil
end

--- All rows, or those that a condition in SQL holds for.
-- @return a list; or nil and an error
function Ledger:list(c, condition)
  local frame, err = query(self, c, condition and " WHERE " .. condition or "")
  if not frame then return nil, err end
  local rows = {}
  for i = 1, #frame do rows[i] = frame:row(i) end
  return rows
end

--- Keeps a row, in the open transaction if there is one.
-- @return true; or nil and an error
function Ledger:save(c, row)
  local values = {}
  for i, column in ipairs(self.columns) do
    values[i] = row[column] == nil and json.null or row[column]
  end
  values[#values + 1] = row[self.key]
  local changed, err = c:execute(self.update, values)
  if changed == 0 then changed, err = c:execute(self.insert, values) end
  if not changed then return nil, err end
  return true
end

--- Forgets a thing.
-- @return true; or nil and an error
function Ledger:delete(c, key)
  local ok, err = self:prepare(c)
  if ok then ok, err = c:execute(self.forget, { key }) end
  if not ok then return nil, err end
  return true
end

--- A table, which is made when it is used first.
-- @tparam string name with its schema
-- @tparam string key column of the key, with its type
-- @tparam {string,...} columns the others, with their types
function ledger.new(name, key, columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column:match "^%S+" end
  local by, list = key:match "^%S+", table.concat(names, ", ")
  return setmetatable({
    key = by, columns = names,
    create = ("CREATE TABLE IF NOT EXISTS %s (%s, %s)"):format(name, key, table.concat(columns, ", ")),
    select = ("SELECT %s, %s FROM %s"):format(by, list, name),
    update = ("UPDATE %s SET %s = ? WHERE %s = ?"):format(name, table.concat(names, " = ?, "), by),
    insert = ("INSERT INTO %s (%s, %s) VALUES (%s?)"):format(name, list, by, ("?, "):rep(#names)),
    forget = ("DELETE FROM %s WHERE %s = ?"):format(name, by),
  }, Ledger)
end

return ledger
