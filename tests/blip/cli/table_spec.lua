local style = require "blip.cli.style"
local tables = require "blip.cli.table"

describe("blip.cli.table", function()
  local columns = { { title = "n", right = true }, { title = "name" }, { title = "why" } }

  it("aligns columns by characters, not bytes", function()
    local rows = { { "1", "größe", "x" }, { "20", "a", "y" } }
    local lines = tables.lines(columns, rows, style.new { width = 80 })
    assert.same({ " n  name   why", " 1  größe  x", "20  a      y" }, lines)
  end)

  it("wraps the last column at spaces", function()
    local rows = { { "1", "a", "one two three four five six" } }
    local lines = tables.lines(columns, rows, style.new { width = 32 })
    assert.same({ "n  name  why", "1  a     one two three four five", "         six" }, lines)
  end)
end)
