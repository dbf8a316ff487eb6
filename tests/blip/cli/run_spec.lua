local json = require "runtime.json"
local program = require "support.program"

local TAXI = "run detectors/demo/taxi.lua --source detectors/demo/nyc_taxi.csv "

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

-- Two services, a row a minute each; one of them stumbles at minute 400.
local function services()
  local lines = { "at,service,took" }
  for minute = 0, 499 do
    for _, service in ipairs { "cart", "shop" } do
      local took = 10 + minute % 7 + (service == "cart" and minute == 400 and 500 or 0)
      lines[#lines + 1] = ("2026-01-05T%02d:%02d:00Z,%s,%d"):format(minute // 60, minute % 60, service, took)
    end
  end
  return temporary(table.concat(lines, "\n") .. "\n")
end

local SERVICES = [[return detector "took" {
  source = "none", time = "at", interval = "1m", category = "service",
  features = { feature("took", avg("took")) },
  on_anomaly = function(anomaly) log.info("%s at %d", anomaly.entity.service, anomaly.time) end,
}]]

describe("blip run", function()
  it("prints findings, worst first, with a picture", function()
    local code, output, complaint = program.run(TAXI .. "--top 3")
    assert.equal(0, code, complaint)
    assert.matches("taxi, detectors/demo/nyc_taxi.csv: 10,320 rows, every 30 minutes", output)
    assert.matches("\n1  2014%-11%-02 01:00", output)
    assert.matches("the worst 3 of %d+ findings", output)
  end)

  it("prints JSON, and the same with any number of threads", function()
    local _, one = program.run(TAXI .. "--json --threads 1")
    local _, four = program.run(TAXI .. "--json --threads 4")
    assert.equal(one, four)
    local report = assert(json.decode(one))
    assert.equal("2014-11-02T01:00:00.000Z", report.anomalies[1].time)
    assert.equal("rides", report.anomalies[1].series)
  end)

  it("looks at the times that are wanted", function()
    local _, output = program.run(TAXI .. "--json --from 2014-08-01 --to 2014-10-01T12:00:00Z")
    local report = assert(json.decode(output))
    assert.equal("2014-08-01T00:00:00.000Z", report.from)
    assert.equal("2014-10-01T11:30:00.000Z", report.to)
  end)

  it("runs one model per entity, and on_anomaly as the server does", function()
    local script, source = temporary(SERVICES), services()
    local code, output, complaint = program.run(("run %s --source %s --json"):format(script, source))
    os.remove(script)
    os.remove(source)
    assert.equal(0, code, complaint)
    local worst = assert(json.decode(output)).anomalies[1]
    assert.equal("took, cart", worst.series)
    assert.equal("2026-01-05T06:40:00.000Z", worst.time)
    assert.equal(401, worst.row)
    assert.matches("cart at 1767595200000", complaint)
  end)

  it("runs a model that is written in Lua, one per entity", function()
    local script, source = temporary [[return detector "took" {
      source = "none", time = "at", interval = "1m", category = "service",
      features = { feature("took", avg("took")) },
      model = script {
        new = function() return { highest = 0, rows = 0 } end,
        push = function(self, row)
          local before = self.highest
          self.rows, self.highest = self.rows + 1, math.max(before, row.took)
          if self.rows <= 20 then return nil end
          local grade = row.took > before and 1 - before / row.took or 0
          return { score = row.took, grade = grade, expected = { took = before } }
        end,
      },
    }]], services()
    local code, output, complaint = program.run(("run %s --source %s --json"):format(script, source))
    os.remove(script)
    os.remove(source)
    assert.equal(0, code, complaint)
    local report = assert(json.decode(output))
    assert.equal(1, report.found)
    assert.equal("took, cart", report.anomalies[1].series)
    assert.equal(16, report.anomalies[1].expected)
    assert.near(1 - 16 / 511, report.anomalies[1].grade, 1e-12)
  end)

  it("says which column the script reads and the file has not", function()
    local source = temporary "timestamp,amount\n2026-01-05,1\n2026-01-06,2\n"
    local code, _, complaint = program.run("run detectors/demo/taxi.lua --source " .. source)
    os.remove(source)
    assert.equal(1, code)
    assert.matches("has no column 'value', which detector 'taxi' reads", complaint)
    assert.matches("%(columns: timestamp, amount%)", complaint)
  end)

  it("says what is wrong with a script, at its line", function()
    local script = temporary 'return detector "a" {\n  interval = 5,\n}'
    local code, _, complaint = program.run(("run %s --source detectors/demo/nyc_taxi.csv"):format(script))
    os.remove(script)
    assert.equal(1, code)
    assert.matches(":2: interval = 5 needs a unit", complaint)
  end)

  it("stops at a feature that raises an error, and says where", function()
    local script = temporary [[return detector "a" {
      source = "none", time = "timestamp", interval = "30m",
      features = { feature("f", { n = count() }, function(b)
        return b.n + b.nothing
      end) },
    }]]
    local code, _, complaint = program.run(("run %s --source detectors/demo/nyc_taxi.csv"):format(script))
    os.remove(script)
    assert.equal(1, code)
    assert.matches(":4: attempt to perform arithmetic on a nil value %(field 'nothing'%)", complaint)
  end)

  it("refuses a wrong command line", function()
    for words, complaint in pairs {
      ["run"] = "which script%?", ["run a.lua"] = "over which file%?",
      ["run a.lua b.lua --source c"] = "one script at a time", ["run --colour a.lua"] = "unknown option",
      [TAXI .. "--from soon"] = "%-%-from is no time: 'soon'", [TAXI .. "--top none"] = "whole number",
    } do
      local code, _, said = program.run(words)
      assert.equal(2, code, words)
      assert.matches(complaint, said)
    end
    assert.equal(1, (program.run(TAXI .. "--detector other")))
    assert.equal(1, (program.run(TAXI .. "--from 2020-01-01")))
    assert.equal(0, (program.run "run --help"))
  end)
end)
