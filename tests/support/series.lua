--- Seeded rows for specs, with anomalies planted where the spec says.
--     local rows = series.steady { minutes = 600, service = "cart", status = 200 }
--     series.plant(rows, { at = 540, minutes = 3, status = 503 })
-- A field's value may be a function `f(random, minute)`, where `random()` is uniform in [0, 1).
local random = require "support.random"

local series = {
  START_MS = 1767571200000, -- Monday, 5 January 2026
}

local OWN = { minutes = true, per_minute = true, seed = true, at = true, every = true, share = true }

local function set_fields(row, fields, uniform)
  for name, value in pairs(fields) do
    if not OWN[name] then
      row[name] = type(value) == "function" and value(uniform, row.minute) or value
    end
  end
end

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Fields in a fixed order, so that a seed gives the same rows whatever pairs() does.
local function in_order(fields)
  local names = sorted_names(fields)
  return function(row, uniform)
    for _, name in ipairs(names) do set_fields(row, { [name] = fields[name] }, uniform) end
  end
end

-- A function that draws; the first draws of a small seed are small.
local function uniform_of(seed)
  local generator = random.new(seed)
  for _ = 1, 20 do generator:uniform() end
  return function() return generator:uniform() end
end

--- Rows that go on alike: `per_minute` (10) a minute, or one `every` so many minutes.
-- @tparam table fields `minutes`, and what every row has
-- @treturn table the rows, each with its `minute` and `at_ms`
function series.steady(fields)
  local uniform, set = uniform_of(fields.seed or 1), in_order(fields)
  local rows = { uniform = uniform }
  local every, per = fields.every or 1, fields.per_minute or (fields.every and 1 or 10)
  for minute = 0, fields.minutes - 1, every do
    for i = 0, per - 1 do
      local row = { minute = minute, at_ms = series.START_MS + minute * 60000 + i * (60000 // per) }
      set(row, uniform)
      rows[#rows + 1] = row
    end
  end
  return rows
end

local function planted(row, where)
  return row.minute >= where.at and row.minute < where.at + where.minutes
end

--- Changes the rows of some minutes, or a `share` of them (1 = all).
-- @tparam table rows
-- @tparam table where `at`, `minutes`, and the fields that are different there
function series.plant(rows, where)
  local set = in_order(where)
  for _, row in ipairs(rows) do
    if planted(row, where) and rows.uniform() < (where.share or 1) then set(row, rows.uniform) end
  end
end

--- Takes the rows of some minutes away.
function series.silence(rows, where)
  local kept = 0
  for i = 1, #rows do
    local row = rows[i]
    rows[i] = nil
    if not planted(row, where) then
      kept = kept + 1
      rows[kept] = row
    end
  end
end

--- Puts the rows of another series among these.
function series.add(rows, more)
  table.move(more, 1, #more, #rows + 1, rows)
end

return series
