local units = require "blip.job.units"

local function refused(func, ...)
  local ok, err = pcall(func, ...)
  assert.is_false(ok)
  return err.reason
end

describe("blip.job.units", function()
  it("reads lengths of time in every unit", function()
    for text, ms in pairs {
      ["0"] = 0, ["-1"] = -1, ["250ms"] = 250, ["90s"] = 90000, ["15m"] = 900000, ["1H"] = 3600000,
      ["30d"] = 2592000000, [" 5 s "] = 5000, ["1000000nanos"] = 1, ["2000micros"] = 2,
    } do
      assert.equal(ms, units.time_ms(text, "span"))
    end
  end)

  it("refuses what is no length of time", function()
    for _, text in ipairs { "", "5", "five minutes", "1y", "m" } do
      assert.equal(("failed to parse setting [span] with value [%s] as a time value: unit is missing or "
        .. "unrecognized"):format(text), refused(units.time_ms, text, "span"))
    end
    assert.is_truthy(refused(units.time_ms, "99999999999999999d", "span"))
    assert.equal("failed to parse [1.5h], fractional time values are not supported",
      refused(units.time_ms, "1.5h", "span"))
  end)

  it("writes lengths of time in the largest unit in which they are whole", function()
    for ms, text in pairs { [0] = "0s", [2592000000] = "30d", [5400000] = "90m", [1500] = "1500ms" } do
      assert.equal(text, units.time_text(ms))
      assert.equal(ms, units.time_ms(text, "span"))
    end
  end)

  it("reads sizes in every unit", function()
    for text, bytes in pairs {
      ["0"] = 0, ["-1"] = -1, ["5b"] = 5, ["2k"] = 2048, ["1.5kb"] = 1536, ["1MB"] = 1 << 20,
      ["3g"] = 3 << 30, ["1tb"] = 1 << 40, ["1p"] = 1 << 50,
    } do
      assert.equal(bytes, units.bytes(text, "limit"))
    end
  end)

  it("refuses what is no size", function()
    for _, text in ipairs { "", "5", "5 parsecs", "9999999pb" } do
      assert.equal(("failed to parse setting [limit] with value [%s] as a size in bytes: unit is missing or "
        .. "unrecognized"):format(text), refused(units.bytes, text, "limit"))
    end
  end)
end)
