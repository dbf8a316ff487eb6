local sparkline = require "blip.cli.sparkline"
local style = require "blip.cli.style"

describe("blip.cli.sparkline", function()
  local unicode, ascii = style.new { utf8 = true, width = 80 }, style.new { width = 80 }

  local function cells(values, width)
    local c = sparkline.cells(#values, width or #values)
    for i, value in ipairs(values) do c:add(i, value) end
    return c
  end

  it("draws low and high values as blocks", function()
    local lines, low, high = sparkline.draw(cells { 1, 2, 3, 4, 5, 6, 7, 8 }, 1, unicode)
    assert.same({ "▁▂▃▄▅▆▇█" }, lines)
    assert.same({ 1, 8 }, { low, high })
  end)

  it("draws taller pictures from the bottom up", function()
    assert.same({ "  ▄█", "▁▅██" }, (sparkline.draw(cells { 0, 4, 11, 15 }, 2, unicode)))
  end)

  it("has signs for terminals that know ASCII only", function()
    assert.same({ ".:#" }, (sparkline.draw(cells { 1, 2, 3 }, 1, ascii)))
  end)

  it("shows the mean of a cell, and the marked value where there is one", function()
    local c = cells({ 0, 0, 0, 0, 0, 0, 7, 0 }, 4)
    c:mark(7, 1, 7)
    assert.same({ "▁▁▁█", "   1" }, (sparkline.draw(c, 1, unicode)))
  end)

  it("marks a cell with its best rank, beyond nine with a sign", function()
    local c = cells({ 1, 1, 1, 1 }, 2)
    c:mark(1, 3, 1)
    c:mark(2, 2, 1)
    c:mark(4, 12, 1)
    assert.equal("2▴", sparkline.draw(c, 1, unicode)[2])
    assert.equal("2^", sparkline.draw(c, 1, ascii)[2])
  end)

  it("leaves gaps empty, and draws constants and nothing at all", function()
    assert.same({ "▁ █" }, (sparkline.draw(cells { 1, 0 / 0, 2 }, 1, unicode)))
    assert.same({ "▅▅" }, (sparkline.draw(cells { 5, 5 }, 1, unicode)))
    local lines, low = sparkline.draw(cells { 0 / 0 }, 1, unicode)
    assert.same({ "" }, lines)
    assert.is_nil(low)
  end)

  it("survives the largest numbers", function()
    assert.same({ "▁█" }, (sparkline.draw(cells { -1.7e308, 1.7e308 }, 1, unicode)))
  end)
end)
