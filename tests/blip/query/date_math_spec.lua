local date_math = require "blip.query.date_math"
local date_format = require "blip.query.date_format"

local NOW = 1767610245678  -- 2026-01-05T10:50:45.678Z

local function at(text, options)
  options = options or {}
  options.now = NOW
  return date_format.write(assert(date_math.resolve(text, options)))
end

describe("blip.query.date_math", function()
  it("reads dates with optional parts", function()
    assert.equal("2026-01-01T00:00:00.000Z", at "2026")
    assert.equal("2026-03-01T00:00:00.000Z", at "2026-03")
    assert.equal("2026-03-04T05:06:00.000Z", at "2026-03-04T05:06")
    assert.equal("2026-03-04T05:06:07.890Z", at "2026-03-04T05:06:07.89")
    assert.equal("2026-03-04T03:06:07.000Z", at "2026-03-04T05:06:07+02:00")
    assert.equal("1969-12-31T23:59:59.999Z", at(-1))
  end)

  it("fills open parts up to the end of their unit when rounding up", function()
    assert.equal("2026-01-06T23:59:59.999Z", at("2026-01-06", { round_up = true }))
    assert.equal("2026-12-31T23:59:59.999Z", at("2026", { round_up = true }))
    assert.equal("2026-03-04T05:06:59.999Z", at("2026-03-04T05:06", { round_up = true }))
    assert.equal("2026-03-04T05:06:07.890Z", at("2026-03-04T05:06:07.890", { round_up = true }))
  end)

  it("adds and takes away units, the last of a month staying in its month", function()
    assert.equal("2026-01-04T10:50:45.678Z", at "now-1d")
    assert.equal("2026-01-05T11:50:15.678Z", at "now+1h-30s")
    assert.equal("2026-02-28T00:00:00.000Z", at "2026-01-31||+1M")
    assert.equal("2024-02-29T00:00:00.000Z", at "2028-02-29||-4y")
    assert.equal("2026-01-12T10:50:45.678Z", at "now+w")
  end)

  it("goes to the beginning of a unit, or to its end", function()
    assert.equal("2026-01-05T00:00:00.000Z", at "now/d")
    assert.equal("2026-01-05T23:59:59.999Z", at("now/d", { round_up = true }))
    assert.equal("2026-01-04T00:00:00.000Z", at "now-1d/d")
    assert.equal("2026-01-01T00:00:00.000Z", at "2026-01-16||/M")
    assert.equal("2026-01-31T23:59:59.999Z", at("2026-01-16||/M", { round_up = true }))
    assert.equal("2026-01-05T00:00:00.000Z", at "2026-01-11||/w")
    assert.equal("2026-01-05T10:00:00.000Z", at "now/H")
  end)

  it("takes the wall clock of a zone", function()
    assert.equal("2026-01-05T22:00:00.000Z", at("2026-01-06", { zone = "+02:00" }))
    assert.equal("2026-01-04T22:00:00.000Z", at("now/d", { zone = "+02:00" }))
  end)

  it("reads epochs and patterns where the format says so", function()
    assert.equal("2026-01-05T00:00:00.000Z", at(1767571200, { format = "epoch_second" }))
    assert.equal("2026-01-05T00:00:00.000Z", at("05/01/2026", { format = "dd/MM/yyyy" }))
    local worded = { format = "dd.MMM.yyyy hh:mm:ss a" }
    assert.equal("2026-01-05T13:07:09.000Z", at("05.Jan.2026 01:07:09 pm", worded))
    assert.equal("2026-01-05T00:00:00.000Z", at("20260105", { format = "yyyy-MM-dd||basic_date" }))
  end)

  it("refuses what is no date and names it", function()
    for _, text in ipairs { "nonsense", "2026-13-01", "2026-02-30", "2026-01-05T25:00", "20x6", "" } do
      local ms, err = date_math.resolve(text)
      assert.is_nil(ms)
      assert.equal(("failed to parse date field [%s] with format [%s]"):format(text, date_format.DEFAULT),
        err.reason)
    end
    local _, err = date_math.resolve "now-1x"
    assert.equal("unit [x] not supported for date math [-1x]", err.reason)
    _, err = date_math.resolve "now+9999999999d"
    assert.equal("invalid", err.kind)
  end)

  it("writes dates in the first of their formats", function()
    assert.equal("2026-01-05", date_format.write(NOW, "yyyy-MM-dd||epoch_millis"))
    assert.equal("1767610245678", date_format.write(NOW, "epoch_millis"))
    assert.equal("Mon 5 January 26 10:50 AM", date_format.write(NOW, "E d MMMM yy h:mm a"))
    assert.equal("2026-01-05T12:50:45.678+02:00", date_format.write(NOW, "date_time", 2 * 3600000))
  end)
end)
