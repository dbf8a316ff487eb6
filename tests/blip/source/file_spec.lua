local aggregate = require "blip.query.aggregate"
local file = require "blip.source.file"
local filter = require "blip.query.filter"
local scratch = require "support.scratch"

describe("blip.source.file", function()
  local files
  setup(function() files = scratch.new() end)
  teardown(function() files:remove() end)

  local count = 0
  local function open(content, options)
    count = count + 1
    return file.open(files:write(count .. ".data", content), options)
  end

  local function kinds(opened)
    local list = {}
    for i, c in ipairs(opened.columns) do list[i] = c.name .. "=" .. c.kind end
    return table.concat(list, " ")
  end

  --- The times and values of the first two columns.
  local function rows(opened, places)
    local columns = {}
    for i, place in ipairs(places) do
      local c = opened.columns[place]
      columns[i] = c.kind == "time" and ("epoch_ms(%s)"):format(c.column) or c.column
    end
    local f = assert(opened.connection:query(("SELECT %s FROM %s ORDER BY rowid"):format(
      table.concat(columns, ", "), opened.table)))
    local list = {}
    for i = 1, f:rows() do
      list[i] = {}
      for j, name in ipairs(f:columns()) do list[i][j] = f:get(i, name) end
    end
    return list
  end

  it("tells times, numbers and words apart", function()
    local opened = assert(open "when,host,load,empty\n2020-01-01 00:00,a,1.5,\n2020-01-01 00:01,b,-2e3,\n")
    assert.equal("when=time host=text load=number empty=empty", kinds(opened))
    assert.equal("when", opened.time.name)
    assert.same({ { 1577836800000, "a", 1.5 }, { 1577836860000, "b", -2000 } }, rows(opened, { 1, 2, 3 }))
  end)

  it("reads times however they are written", function()
    local at = 1577880000000 -- 2020-01-01 12:00 UTC
    local ways = {
      "2020-01-01 12:00:00", "2020-01-01T12:00:00Z", "2020-01-01T13:00:00+01:00", "2020-01-01T12:00:00.000",
      "01.01.2020 12:00", "01/01/2020 12:00:00", "20200101120000", "1577880000", "1577880000000",
      "1577880000000000", "1577880000000000000", "01/Jan/2020:13:00:00 +0100",
    }
    for _, way in ipairs(ways) do
      local opened = assert(open(("time,v\n%s,1\n%s,2\n"):format(way, way)))
      assert.equal("time", opened.time and opened.time.name, way)
      assert.same({ at }, rows(opened, { 1 })[1], way)
    end
  end)

  it("prefers a column that is called a time to one that could be", function()
    local two = "born,timestamp,v\n1990-01-01,2020-01-01,1\n1991-01-01,2020-01-02,2\n"
    assert.equal("timestamp", assert(open(two)).time.name)
    assert.equal("born", assert(open(two, { time = "born" })).time.name)
    assert.equal("column 1", assert(open "1577880000,5\n1577880060,6\n").time.name)
    assert.is_nil(assert(open "bytes,v\n1577880000,5\n1477880060,6\n").time)
  end)

  it("takes what is no number for missing, and says where", function()
    local lines = { "time,v" }
    for i = 1, 40 do
      lines[#lines + 1] = ("2020-01-01 00:%02d,%s"):format(i, i == 7 and "broken" or i == 8 and "NaN" or i)
    end
    local opened = assert(open(table.concat(lines, "\n") .. "\n"))
    assert.equal("number", opened.columns[2].kind)
    assert.is_nil(rows(opened, { 1, 2 })[7][2])
    assert.is_nil(rows(opened, { 1, 2 })[8][2])
    assert.same({ "column 'v': 1 cell without a number, the first in line 8, taken as missing" },
      opened.notes)
  end)

  it("sorts rows by their times and leaves out those without", function()
    local opened = assert(open "time,v\n2020-01-03,3\n2020-01-01,1\n,9\n2020-01-02,2\n")
    assert.same({ { 1 }, { 2 }, { 3 } }, rows(opened, { 2 }))
    assert.same({ "1 row without a time left out", "the rows were not in the order of time: sorted" },
      opened.notes)
  end)

  it("reads decimal commas where semicolons part the fields", function()
    assert.same({ { 1.5 }, { 2.25 } }, rows(assert(open "t;v\n2020-01-01;1,5\n2020-01-02;2,25\n"), { 2 }))
  end)

  it("reads NDJSON, nested objects by their paths", function()
    local opened = assert(open('{"ts":"2020-01-01T00:00:00Z","host":{"name":"a","cpu":{"user":0.5}}}\n'
      .. '{"ts":"2020-01-01T00:01:00Z","host":{"name":"b"},"late":true}\n'))
    assert.equal("ts=time host.name=text host.cpu.user=number late=text", kinds(opened))
    assert.same({ { "a", 0.5 }, { "b" } }, rows(opened, { 2, 3 }))
  end)

  it("names file and line of what it cannot read", function()
    local wrong = {
      ["a,b\n1,2\n1,2,3\n"] = "line 3 has 3 fields, not 2",
      ["a,b\n1,2\n1\n"] = "line 3 has 1 fields, not 2",
      ['{"a":1}\n{"a":nope}\n{"a":3}\n'] = "line 2 is not JSON: invalid literal",
      [""] = "is empty",
    }
    for content, reason in pairs(wrong) do
      local opened, err = open(content)
      assert.is_nil(opened)
      assert.equal(("%s/%d.data %s"):format(files.folder, count, reason), err.reason)
    end
    local _, err = file.open "/nowhere.csv"
    assert.equal("/nowhere.csv cannot be read: No such file or directory", err.reason)
    _, err = file.open(files.folder)
    assert.equal(files.folder .. " cannot be read: Is a directory", err.reason)
    _, err = open("a,b\n1,2\n", { time = "c" })
    assert.matches("has no column 'c'", err.reason)
  end)

  it("reads paths that hold quotes and signs of patterns", function()
    assert.equal(2, assert(file.open(files:write("we'ird [x]*.csv", "a\n1\n2\n"))).rows)
  end)

  it("answers plans", function()
    local path = files:write("plan.csv", "ts,host,ms\n2020-01-01 00:00:10,a,10\n2020-01-01 00:00:20,a,20\n"
      .. "2020-01-01 00:00:30,b,5\n2020-01-01 00:01:10,a,40\n")
    local f = assert(file.scan {
      indices = { path }, time = { field = "ts" }, interval_ms = 60000, category = { "host" },
      filter = filter.term("host", "a"), features = { { name = "mean", expr = aggregate.avg "ms" } },
    })
    assert.equal(2, f:rows())
    assert.same({ time = 1577836800000, host = "a", rows = 2, mean = 15 }, f:row(1))
    assert.same({ time = 1577836860000, host = "a", rows = 1, mean = 40 }, f:row(2))
  end)

  it("knows whether rows follow each other at equal steps", function()
    local even = "t,v\n2020-01-01 00:00,1\n2020-01-01 00:05,2\n2020-01-01 00:10,3\n"
    local regular = assert(file.rhythm(assert(open(even))))
    assert.is_true(regular.regular)
    assert.equal(300000, regular.median_ms)
    local irregular = "t,v\n2020-01-01 00:00,1\n2020-01-01 00:05,2\n2020-01-01 00:25,3\n2020-01-01 00:26,3\n"
    assert.is_false(assert(file.rhythm(assert(open(irregular)))).regular)
  end)
end)
