local cause = require "blip.result.cause"

describe("blip.result.cause", function()
  local SATURDAY_MS = 1420243200000 -- 2015-01-03 00:00 UTC

  it("names the codes of runtime/model/model.h", function()
    local names = {}
    for code = 0, 6 do names[code] = cause.name(code) end
    assert.same({ [0] = "none", "value", "level", "season", "point", "shape", "range" }, names)
    assert.equal("none", cause.name(nil))
  end)

  it("makes a sentence for each", function()
    assert.equal("no value so far came within 8,824 of it", cause.words { cause = 1, cause_distance = 8824 })
    assert.equal("the mean of the last 32 rows is 62.6; so far it never came within 3.958 of that",
      cause.words { cause = 2, cause_rows = 32, cause_amount = 62.6, cause_distance = 3.958 })
    assert.equal("for 32 rows 6,462 below what is usual at this time of a weekend day",
      cause.words { cause = 3, cause_rows = 32, cause_amount = -6462, time = SATURDAY_MS })
    assert.equal("12 above what is usual at this time of a weekday",
      cause.words { cause = 4, cause_amount = 12, time = SATURDAY_MS - 1 })
    assert.equal("the last 64 rows look like nothing before, 3.5 times the usual distance; "
      .. "most similar: 1 day before",
      cause.words { cause = 5, cause_rows = 64, cause_amount = 3.5, cause_lag = 48, interval_ms = 1800000 })
    assert.equal("cpu leaves its range by 1.5 widths",
      cause.words { cause = 6, cause_feature = 2, cause_amount = 1.5, names = { "ram", "cpu" } })
  end)

  it("compares with the expected value when the model gives no cause", function()
    assert.equal("3 above the expected 4", cause.words { cause = 0, value = 7, expected = 4 })
    assert.equal("unlike the rows before", cause.words { value = 7 })
  end)
end)
