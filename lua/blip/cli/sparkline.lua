--- A series as a picture of a few lines of text, with anomalies marked below it.
--
--      39,197 ┤              ▃                   1 = the strangest
--             │▅▆▆▅▆▆▅▆▅▆▆▅▆▆█▆▅▆▆▂▆▆▅▆▃▆▅▆▆▅▆▆
--           8 ┤██████████████████████████▂████
--                            1   4    3     2
-- @module blip.cli.sparkline
local sparkline = {}

local BLOCKS = { [0] = " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local ASCII = { [0] = " ", ".", ":", "#" }

--- Collects a long series into the cells of a picture, as it comes.
local Cells = {}
Cells.__index = Cells

--- Cells for `total` values in at most `width` characters.
function sparkline.cells(total, width)
  width = math.max(1, math.min(total, width))
  return setmetatable({
    total = total, width = width, sums = {}, counts = {}, marks = {}, values = {},
  }, Cells)
end

function Cells:cell_of(position)
  return (position - 1) * self.width // self.total + 1
end

--- Adds the value at a position (from 1); NaN and nil are gaps.
function Cells:add(position, value)
  if not value or value ~= value then return end
  local cell = self:cell_of(position)
  self.sums[cell] = (self.sums[cell] or 0) + value
  self.counts[cell] = (self.counts[cell] or 0) + 1
end

--- Marks a position with its rank; of several in a cell the best counts, and the cell shows
-- the marked value instead of its mean.
function Cells:mark(position, rank, value)
  local cell = self:cell_of(position)
  if self.marks[cell] and self.marks[cell] <= rank then return end
  self.marks[cell], self.values[cell] = rank, value
end

function Cells:heights()
  local heights, low, high = {}, math.huge, -math.huge
  for cell = 1, self.width do
    local mean = self.counts[cell] and self.sums[cell] / self.counts[cell]
    local value = self.values[cell] or mean
    if value and value == value and math.abs(value) < math.huge then
      heights[cell], low, high = value, math.min(low, value), math.max(high, value)
    end
  end
  return heights, low, high
end

local function line_of(cells, levels, row, style)
  local blocks = style:either(BLOCKS, ASCII)
  local steps, parts = #blocks, {}
  for cell = 1, cells.width do
    local level = math.max(0, math.min(steps, (levels[cell] or 0) - row * steps))
    parts[cell] = cells.marks[cell] and style:paint("red", blocks[level]) or blocks[level]
  end
  return (table.concat(parts):gsub(" +$", ""))
end

local function mark_line(cells, style)
  local parts = {}
  for cell = 1, cells.width do
    local rank = cells.marks[cell]
    local sign = not rank and " " or rank <= 9 and tostring(rank) or style:either("▴", "^")
    parts[cell] = rank and style:paint("red", sign) or sign
  end
  return (table.concat(parts):gsub(" +$", ""))
end

--- Lines of the picture: `rows` of the series from the top, then the marks when there are any.
-- @param cells from `sparkline.cells`
-- @tparam integer rows height in lines
-- @param style from @{blip.cli.style}
-- @treturn {string,...} without labels
-- @treturn number the lowest value shown, nil when there is none
-- @treturn number the highest
function sparkline.draw(cells, rows, style)
  local heights, low, high = cells:heights()
  local steps, levels, lines = #style:either(BLOCKS, ASCII), {}, {}
  for cell, value in pairs(heights) do
    local share = high > low and (value / 2 - low / 2) / (high / 2 - low / 2) or 0.5
    levels[cell] = 1 + math.floor(share * (rows * steps - 1) + 0.5)
  end
  for row = rows - 1, 0, -1 do lines[#lines + 1] = line_of(cells, levels, row, style) end
  if next(cells.marks) then lines[#lines + 1] = mark_line(cells, style) end
  if low > high then return lines end
  return lines, low, high
end

return sparkline
