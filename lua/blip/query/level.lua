--- One depth of an aggregation tree: one GROUP BY over the keys from the top down to here.
--
--     root               SELECT count(*), avg(cpu)                  everything without a key
--      └─ terms host     ... GROUP BY host                          metrics of each host
--          └─ histogram  ... GROUP BY host, minute                  metrics of each host's minutes
--
-- A level answers for all buckets of its depth at once; its rows are dealt to the rows of its
-- parent by their common keys.
-- @module blip.query.level
local fail = require "blip.fail"
local rows = require "blip.query.rows"
local measure = require "blip.query.measure"

local Level = { __name = "blip.level" }
Level.__index = Level

local level = {}

-- Keys of a parent that a child's statement names; with more it reads all and drops later.
local MAX_RESTRICTED = 10000

--- The level above all keys.
-- @tparam table indices a list of `{ name =, mapping = }`
-- @param filter of the whole search
function level.root(indices, filter)
  return setmetatable({
    indices = indices, filter = filter, aggregates = {}, children = {}, paths = {},
  }, Level)
end

--- A level below: one more grouping, over rows for which a condition holds.
function Level:child(grouping, condition)
  local child = level.root(self.indices, self.filter)
  child.parent, child.grouping, child.condition = self, grouping, condition
  child.typed_keys = self.typed_keys
  self.children[#self.children + 1] = child
  return child
end

--- Asks for an aggregate; returns its number, for @{Level:value}.
function Level:add(aggregate)
  self.aggregates[#self.aggregates + 1] = aggregate
  return #self.aggregates
end

--- What an aggregate came to in a row; nil when it has no value.
function Level:value(number, row)
  local value = self.data.values[number][row]
  if value == value then return value end
  return nil
end

--- The rows that belong to a row of the parent, in order.
function Level:rows_of(parent_row)
  return parent_row and self.data.dealt[parent_row] or {}
end

--- Levels from the first key down to this one.
function Level:chain()
  local chain, at = {}, self
  while at.parent do
    table.insert(chain, 1, at)
    at = at.parent
  end
  return chain
end

--- SQL that keeps the keys which a level above has chosen.
local function chosen_condition(keys, place, bind)
  if not keys or #keys > MAX_RESTRICTED then return nil end
  local places = {}
  for i, key in ipairs(keys) do places[i] = bind(key) end
  local test = #places > 0 and ("%s IN (%s)"):format(place, table.concat(places, ", ")) or "FALSE"
  return keys.missing and ("(%s OR %s IS NULL)"):format(test, place) or test
end

--- The columns of a statement, as they come together.
local function new_columns()
  return { inner = {}, shown = {}, groups = {}, parents = {}, own = {}, tests = {} }
end

--- Adds the keys of one level of the chain.
local function add_keys(self, link, from, columns)
  local keys, err = link.grouping.keys(from)
  if not keys then return nil, err end
  local is_own, places = link == self, {}
  local bind = function(value) return from:bind(value) end
  for i, key in ipairs(keys) do
    local name = "k" .. #columns.groups + 1
    local place = "s" .. #columns.groups + 1
    columns.groups[#columns.groups + 1] = name
    columns.inner[#columns.inner + 1] = ("%s AS %s"):format(key.sql, name)
    columns.shown[#columns.shown + 1] = ("%s AS %s"):format(key.shown and key.shown(name) or name, place)
    if not key.nullable then columns.tests[#columns.tests + 1] = place .. " IS NOT NULL" end
    if not is_own then columns.tests[#columns.tests + 1] = chosen_condition(link.chosen[i], place, bind) end
    places[i] = place
    local list = is_own and columns.own or columns.parents
    list[#list + 1] = place
  end
  if is_own then self.keys = keys end
  columns.tests[#columns.tests + 1] = link.grouping.where and link.grouping.where(places, bind) or nil
  return true
end

local function add_aggregates(self, from, columns)
  for i, aggregate in ipairs(self.aggregates) do
    local sql, err = measure.sql(aggregate, from)
    if not sql then return nil, err end
    columns.inner[#columns.inner + 1] = ("%s AS m%d"):format(sql, i)
    columns.shown[#columns.shown + 1] = "m" .. i
  end
  return true
end

--- The columns that a `top` sorts by.
local function top_order(self, columns)
  local list = {}
  for i, one in ipairs(self.grouping.top.order) do
    local number = self.paths[one.by] or self.paths[one.by .. ".value"]
    local place = one.by == "_count" and "n" or one.by == "_key" and columns.own[1]
      or number and "m" .. number
    if not place then
      return fail.es { status = 500, type = "aggregation_execution_exception", reason = (
        "Invalid aggregator order path [%s]. The provided aggregation [%s] either does not exist, or is a "
        .. "pipeline aggregation and cannot be used to sort the buckets."):format(one.by, one.by) }
    end
    list[i] = ("%s %s NULLS LAST"):format(place, one.descending and "DESC" or "ASC")
  end
  list[#list + 1] = columns.own[1]
  return table.concat(list, ", ")
end

local function own_order(self, columns)
  local grouping = self.grouping
  if grouping.top then return top_order(self, columns) end
  return grouping.order and grouping.order(columns.own) or table.concat(columns.own, ", ")
end

local function comma(list, more)
  local all = table.move(list, 1, #list, 1, {})
  if more then all[#all + 1] = more end
  return table.concat(all, ", ")
end

--- What a `top` adds: the count of all buckets beside those kept, and which are kept.
local function top_clauses(self, columns, order, from)
  local top = self.grouping.top
  if not top then return "", "" end
  if top.least > 1 then columns.tests[#columns.tests + 1] = "n >= " .. from:bind(top.least) end
  local part = #columns.parents > 0 and "PARTITION BY " .. comma(columns.parents) .. " " or ""
  return (", (sum(n) OVER (%s))::BIGINT AS total"):format(part),
    (" QUALIFY row_number() OVER (%sORDER BY %s) <= %s"):format(part, order, from:bind(top.size))
end

local function root_statement(self, from)
  local columns = new_columns()
  local ok, err = add_aggregates(self, from, columns)
  if not ok then return nil, err end
  local source
  source, err = from:sql()
  if not source then return nil, err end
  local selected = table.move(columns.inner, 1, #columns.inner, 2, { "count(*) AS n" })
  return ("SELECT %s FROM %s"):format(comma(selected), source)
end

--- Adds the keys of rows that the search leaves out, as buckets of no rows.
local function with_empty(self, grouped, params)
  if self.parent.parent then
    return fail.invalid "[min_doc_count] of 0 is not supported below another aggregation of buckets"
  end
  local all = rows.new(self.indices)
  all.params = params
  local keys, err = self.grouping.keys(all)
  if not keys then return nil, err end
  local source
  source, err = all:sql()
  if not source then return nil, err end
  return ("WITH full_keys AS (%s) SELECT * FROM full_keys UNION ALL BY NAME SELECT DISTINCT %s AS s1, 0 AS n "
    .. "FROM %s WHERE s1 NOT IN (SELECT s1 FROM full_keys WHERE s1 IS NOT NULL)"):format(
    grouped, keys[1].sql, source)
end

local function keyed_statement(self, from)
  local columns = new_columns()
  for _, link in ipairs(self:chain()) do
    if link.condition then from:where(link.condition) end
    local ok, err = add_keys(self, link, from, columns)
    if not ok then return nil, err end
  end
  columns.inner[#columns.inner + 1], columns.shown[#columns.shown + 1] = "count(*) AS n", "n"
  local ok, err = add_aggregates(self, from, columns)
  if not ok then return nil, err end
  local order
  order, err = own_order(self, columns)
  if not order then return nil, err end
  local total, qualify = top_clauses(self, columns, order, from)
  local limit = self.grouping.limit and " LIMIT " .. from:bind(self.grouping.limit) or ""
  local source
  source, err = from:sql()
  if not source then return nil, err end
  local where = #columns.tests > 0 and " WHERE " .. table.concat(columns.tests, " AND ") or ""
  self.parent_places, self.own_places = columns.parents, columns.own
  local grouped = ("SELECT %s FROM (SELECT %s FROM %s GROUP BY %s)"):format(
    comma(columns.shown), comma(columns.inner), source, comma(columns.groups))
  if self.grouping.top and self.grouping.top.least < 1 then
    grouped, err = with_empty(self, grouped, from.params)
    if not grouped then return nil, err end
  end
  return ("SELECT *%s FROM (%s)%s%s ORDER BY %s%s"):format(total, grouped, where, qualify,
    comma(columns.parents, order), limit)
end

--- The level as a statement.
-- @return SQL and its parameters, or nil and an error
function Level:statement()
  local from = rows.new(self.indices, self.filter)
  local make = self.parent and keyed_statement or root_statement
  local sql, err = make(self, from)
  if not sql then return nil, err end
  return sql, from.params
end

--- Compiles this level and those below it. Returns true, or nil and an error.
function Level:check()
  local sql, err = self:statement()
  if not sql then return nil, err end
  self.chosen = {}
  for _, child in ipairs(self.children) do
    local ok
    ok, err = child:check()
    if not ok then return nil, err end
  end
  return true
end

--- A text for the keys of a row; the keys of parents and children compare by it.
local function tuple(columns, row)
  if #columns == 1 then return columns[1][row] end
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = tostring(column[row]) end
  return table.concat(parts, "\0")
end

local function read_columns(frame, places)
  local columns = {}
  for i, place in ipairs(places) do columns[i] = frame:column(place) end
  return columns
end

--- Deals rows to the rows of the parent that they have their first keys in common with.
local function deal(self, frame)
  local dealt, parent = {}, self.parent
  local count = frame:rows()
  if not parent.parent then
    local all = {}
    for row = 1, count do all[row] = row end
    return { all }
  end
  local columns, last, list = read_columns(frame, self.parent_places)
  for row = 1, count do
    local key = tuple(columns, row)
    if key ~= last or row == 1 then
      local parent_row = parent.data.index[key]
      list = parent_row and {}
      if parent_row then dealt[parent_row] = list end
      last = key
    end
    if list then list[#list + 1] = row end
  end
  return dealt
end

--- Remembers rows by their keys, and each key's different values, for the levels below.
local function index_rows(self, frame)
  local all = table.move(self.own_places, 1, #self.own_places, #self.parent_places + 1,
    table.move(self.parent_places, 1, #self.parent_places, 1, {}))
  local columns, index = read_columns(frame, all), {}
  for row = 1, frame:rows() do index[tuple(columns, row)] = row end
  self.data.index, self.chosen = index, {}
  for i, column in ipairs(self.data.keys) do
    local seen, values = {}, {}
    for row = 1, frame:rows() do
      local value = column[row]
      if value == nil then
        values.missing = true
      elseif not seen[value] then
        seen[value], values[#values + 1] = true, value
      end
    end
    self.chosen[i] = values
  end
  -- A level that shows every bucket need not be told again below.
  if not self.grouping.top and not self.grouping.limit then self.chosen = {} end
end

--- Works out this level and those below it.
-- @param connection of the store
-- @return true, or nil and an error
function Level:run(connection)
  local sql, params = self:statement()
  if not sql then return nil, params end
  local frame, err = connection:query(sql, params)
  if not frame then return nil, err end
  self.data = { counts = frame:column "n", values = {}, keys = {} }
  for i = 1, #self.aggregates do self.data.values[i] = frame:column("m" .. i) end
  if self.parent then
    self.data.keys = read_columns(frame, self.own_places)
    self.data.totals = self.grouping.top and frame:column "total"
    self.data.dealt = deal(self, frame)
    if #self.children > 0 then index_rows(self, frame) end
  end
  frame:close()
  for _, child in ipairs(self.children) do
    local ok
    ok, err = child:run(connection)
    if not ok then return nil, err end
  end
  return true
end

return level
