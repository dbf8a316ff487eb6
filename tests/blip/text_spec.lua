local text = require "blip.text"

describe("blip.text", function()
  it("writes numbers in four digits, whole parts in full", function()
    local wanted = {
      [39197] = "39,197", [1234567] = "1,234,567", [999] = "999", [-1500] = "-1,500", [0] = "0",
      [0.132] = "0.132", [1234.56] = "1,235", [2.196] = "2.196", [0.00012346] = "0.0001235",
      [6.02e23] = "6.02e+23", [1e-9] = "1e-09", [-0.5] = "-0.5", [100.04] = "100",
    }
    for x, s in pairs(wanted) do assert.equal(s, text.number(x)) end
    assert.equal("-", text.number(0 / 0))
    assert.equal("inf", text.number(math.huge))
  end)

  it("writes times to the minute, or as fine as the interval", function()
    assert.equal("2014-11-02 01:00", text.time(1414890000000, 1800000))
    assert.equal("2014-11-02 01:00:05", text.time(1414890005000, 5000))
    assert.equal("2014-11-02 01:00:05.250", text.time(1414890005250, 250))
  end)

  it("writes durations in their two largest units", function()
    assert.equal("30 minutes", text.duration(1800000))
    assert.equal("1 hour", text.duration(3600000))
    assert.equal("1 minute 30 seconds", text.duration(90000))
    assert.equal("2 days", text.duration(172800000))
    assert.equal("7 days 15 hours", text.duration(183 * 3600000 + 60000))
    assert.equal("1 day", text.duration(86400000 + 60000))
    assert.equal("250 ms", text.duration(250))
  end)

  it("writes numbers short where there is little room", function()
    assert.equal("547M", text.short(547457000))
    assert.equal("-1.25k", text.short(-1250))
    assert.equal("0.132", text.short(0.132))
    assert.equal("1.7e+308", text.short(1.7e308))
  end)

  it("counts", function()
    assert.equal("1 row", text.count(1, "row"))
    assert.equal("2,500 rows", text.count(2500, "row"))
  end)
end)
