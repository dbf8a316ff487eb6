local json = require "runtime.json"
local ranking = require "blip.cli.ranking"
local sparkline = require "blip.cli.sparkline"
local style = require "blip.cli.style"

describe("blip.cli.ranking", function()
  local HOUR_MS = 3600000

  local function report(fields)
    local cells = sparkline.cells(100, 50)
    for i = 1, 100 do cells:add(i, i % 10) end
    local r = {
      source = "x.csv", rows = 100, interval_ms = HOUR_MS, first_ms = 0, last_ms = 99 * HOUR_MS,
      series = { { name = "load", cells = cells } },
      anomalies = {
        { series = "load", row = 20, time = 19 * HOUR_MS, value = 5, expected = 4, grade = 0.3, score = 1,
          cause = 0 },
        { series = "load", row = 70, time = 69 * HOUR_MS, value = 900, expected = 9, grade = 0.8, score = 3,
          cause = 1, cause_distance = 800 },
      },
    }
    for key, value in pairs(fields or {}) do r[key] = value end
    return r
  end

  it("prints the worst first, with what was expected and why", function()
    local text = ranking.text(report(), style.new { width = 100 })
    assert.matches("x.csv: 100 rows, every hour, 1970%-01%-01 00:00 to 1970%-01%-05 03:00", text)
    assert.matches("1  1970%-01%-03 21:00    900         9   0.80  no value so far came within 800", text)
    assert.matches("2  1970%-01%-01 19:00      5         4   0.30  1 above the expected 4", text)
    assert.matches("2 findings; 1 has a grade of 0.5 or more", text)
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("ranks lower what a model says that has seen little", function()
    local r = report()
    r.anomalies[1].confidence, r.anomalies[2].confidence = 1, 0.2
    local text = ranking.text(r, style.new { width = 100 })
    assert.matches("1  1970%-01%-01 19:00      5         4   0.30  100%%", text)
  end)

  it("marks the ranks below the picture", function()
    local text = ranking.text(report(), style.new { width = 100 })
    assert.matches("\n +2 +1\n", text)
  end)

  it("paints when the stream shows colours", function()
    local text = ranking.text(report(), style.new { width = 100, colour = true, utf8 = true })
    assert.matches("\27%[31m1\27%[0m", text)
  end)

  it("keeps the top", function()
    local text = ranking.text(report { top = 1 }, style.new { width = 100 })
    assert.matches("the worst 1 of 2 findings", text)
    assert.is_nil(text:find("\n2  ", 1, true))
  end)

  it("says so when nothing was found", function()
    local text = ranking.text(report { anomalies = {} }, style.new { width = 100 })
    assert.matches("nothing strange was found", text)
  end)

  it("counts rows where there are no times", function()
    local r = report()
    r.first_ms, r.last_ms, r.interval_ms = nil, nil, nil
    for _, a in ipairs(r.anomalies) do a.time = nil end
    assert.matches("1  row 70 ", ranking.text(r, style.new { width = 100 }))
  end)

  it("is one JSON object on demand", function()
    local out = assert(json.decode(ranking.json(report { top = 1 })))
    assert.equal("x.csv", out.source)
    assert.equal(2, out.found)
    assert.same({ "load" }, { table.unpack(out.series) })
    local worst = out.anomalies[1]
    assert.equal("1970-01-03T21:00:00.000Z", worst.time)
    assert.equal("value", worst.cause)
    assert.equal("no value so far came within 800 of it", worst.reason)
  end)
end)
