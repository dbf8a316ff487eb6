local replay = require "support.replay"
local series = require "support.series"

local function lines(seed)
  return series.steady { minutes = 2 * 1440, per_minute = 5, seed = seed, level = "info" }
end

describe("detectors/silent_source", function()
  it("sees a source fall silent, though silence has no rows", function()
    local rows = lines(7)
    series.silence(rows, { at = 2500, minutes = 40 })
    local worst = replay("detectors/silent_source.lua", rows)
    assert.is_true(worst.minute >= 2500 and worst.minute < 2545, worst.minute)
    assert.equal("documents", worst.cause)
    assert.is_true(worst.values.documents < worst.expected.documents)
  end)

  it("sees a flood", function()
    local rows = lines(8)
    local flood = series.steady { minutes = 10, per_minute = 60, level = "error" }
    for _, row in ipairs(flood) do
      row.minute, row.at_ms = row.minute + 2600, row.at_ms + 2600 * 60000
    end
    series.add(rows, flood)
    local worst, _, logged = replay("detectors/silent_source.lua", rows)
    assert.is_true(worst.minute >= 2600 and worst.minute < 2615, worst.minute)
    assert.equal("error", logged[#logged].level)
  end)
end)
