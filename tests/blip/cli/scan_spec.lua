local json = require "runtime.json"
local program = require "support.program"
local scan = require "blip.cli.scan"
local scratch = require "support.scratch"

describe("blip scan", function()
  local files
  setup(function() files = scratch.new() end)
  teardown(function() files:remove() end)

  --- `rows` minutes of a wave with a jump near the end; `of(i, value)` makes the line.
  local function wave(name, rows, of, header)
    local lines = { header }
    for i = 1, rows do
      local value = 10 + 5 * math.sin(i / 24 * 2 * math.pi) + (7919 * i % 13) / 10
      lines[#lines + 1] = of(i, i == rows - 50 and value + 20 or value)
    end
    return files:write(name, table.concat(lines, "\n") .. "\n")
  end

  local function minutes(name)
    return wave(name, 400, function(i, value)
      return ("2020-01-01 %02d:%02d,%.3f"):format(i // 60, i % 60, value)
    end, "time,load")
  end

  it("finds the five known events among the ten worst of a year of taxi rides", function()
    local report = assert(scan.file("detectors/demo/nyc_taxi.csv", { top = 10 }, 80))
    assert.equal(10320, report.rows)
    assert.equal(1800000, report.interval_ms)
    local seen = {}
    table.sort(report.anomalies, function(a, b) return a.grade > b.grade end)
    for i = 1, 10 do
      local day = report.anomalies[i].time // 86400000
      seen[day] = true
    end
    local events = { -- days since 1970
      { 16376 }, { 16401 }, { 16429 }, { 16436 }, { 16461, 16462 },
    }
    for _, days in ipairs(events) do
      assert.is_true(seen[days[1]] or seen[days[2] or 0] or false, "day " .. days[1])
    end
  end)

  it("prints the finding, what was expected and why", function()
    local code, output = program.run("scan " .. minutes "plain.csv")
    assert.equal(0, code)
    assert.matches("400 rows, every minute, 2020%-01%-01 00:01 to 2020%-01%-01 06:40", output)
    assert.matches("1  2020%-01%-01 05:50   28.6       8.6   0.64   61%%  no value", output)
  end)

  it("prints JSON that programs can read", function()
    local code, output = program.run("scan --json --top 1 " .. minutes "json.csv")
    assert.equal(0, code)
    local report = assert(json.decode(output))
    assert.equal("2020-01-01T05:50:00.000Z", report.anomalies[1].time)
    assert.is_true(report.anomalies[1].grade > 0.5)
  end)

  it("reads the standard input, in a pipe, in ASCII where there is no UTF-8", function()
    local path = minutes "pipe.csv"
    local code, output = program.run("scan -", "cat " .. path .. " | LC_ALL=C")
    assert.equal(0, code)
    assert.matches("standard input: 400 rows", output)
    assert.is_nil(output:find "[\128-\255\27]")
    local blocks = select(2, program.run("scan " .. path, "TERM=xterm LC_ALL=C.UTF-8"))
    assert.is_truthy(blocks:find("█", 1, true))
    assert.is_nil(blocks:find("\27", 1, true))
  end)

  it("tells the same times wherever the machine stands", function()
    local path = wave("zone.csv", 400, function(i, value)
      return ("2020-01-01T%02d:%02d:00+01:00,%.3f"):format(i // 60, i % 60, value)
    end, "time,load")
    local here = select(2, program.run("scan " .. path, "TZ=UTC"))
    assert.matches("2020%-01%-01 04:50", here)
    assert.equal(here, select(2, program.run("scan " .. path, "TZ=Asia/Kolkata")))
  end)

  it("says nothing when the reader goes away", function()
    local _, _, complaint = program.run("scan " .. minutes "gone.csv" .. " | true")
    assert.equal("", complaint)
  end)

  it("takes rows without times one by one", function()
    local path = wave("rows.csv", 400, function(_, value) return ("%.3f"):format(value) end, "load")
    local report = assert(scan.file(path, {}, 80))
    assert.is_nil(report.first_ms)
    local worst = report.anomalies[1]
    for _, a in ipairs(report.anomalies) do worst = a.grade > worst.grade and a or worst end
    assert.equal(350, worst.row)
  end)

  it("takes the means of intervals where rows come at uneven steps", function()
    local path = wave("uneven.csv", 3000, function(i, value)
      return ("%d,%.3f"):format(1577836800 + i * 10 + i * i % 7, value)
    end, "ts,load")
    local report, notes = assert(scan.file(path, {}, 80))
    assert.equal(30000, report.interval_ms)
    assert.same({ "3,000 rows, taken together as means of every 30 seconds" }, notes)
  end)

  it("looks at the interval, the columns and the model that it is told", function()
    local path = wave("two.csv", 800, function(i, value)
      return ("%d,%.3f,%.3f"):format(1577836800 + i * 60, value, -value)
    end, "ts,a,b")
    local report = assert(scan.file(path, { interval = 120000, column = { "b" }, model = "forest" }, 80))
    assert.equal(401, report.rows)
    assert.equal(1, #report.series)
    assert.equal("b", report.series[1].name)
  end)

  it("exits with 1 and one line for a file it cannot use", function()
    local wrong = {
      [files:write("ragged.csv", "a,b\n1,2\n1,2,3\n")] = "line 3 has 3 fields, not 2",
      [files:write("words.csv", "a,b\nx,y\n")] = "has no numeric column beside its times (columns: a, b)",
      [files:write("empty.csv", "")] = "is empty",
      [files:write("binary.csv", "a\0b")] = "is a binary file; CSV or NDJSON is needed",
      ["/nowhere.csv"] = "cannot be read: No such file or directory",
    }
    for path, reason in pairs(wrong) do
      local code, output, complaint = program.run("scan " .. path)
      assert.equal(1, code)
      assert.equal("", output)
      assert.equal(("blip scan: %s %s\n"):format(path, reason), complaint)
    end
  end)

  it("exits with 2 when the command line is wrong", function()
    for _, words in ipairs { "", "--nope x", "a b", "--top 0 x", "--model tree x" } do
      assert.equal(2, (program.run("scan " .. words)))
    end
    local code, output = program.run "scan --help"
    assert.equal(0, code)
    assert.matches("exit codes: 0 it ran, 1 the file", output)
  end)
end)
