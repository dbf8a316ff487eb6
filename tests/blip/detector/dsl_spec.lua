local script = require "blip.detector.script"

local function read(text)
  return script.read(text, "trial.lua")
end

-- A detector with these lines among its keys; what is not said is sound.
local function detector(lines)
  return read(([[
    local failed = range("status", { gte = 500 })
    return detector "trial" {
      source = "logs", time = "@timestamp", interval = "1m",
      %s
    }]]):format(lines))
end

local FEATURES = 'features = { feature("n", count()) },'

-- The problems of a detector with these lines, each as "line: message".
local function problems(lines)
  local loaded, err = detector(lines)
  assert.is_nil(loaded, lines)
  local list = {}
  for i, problem in ipairs(err.problems) do list[i] = problem.line .. ": " .. problem.message end
  return list
end

local function first_problem(text)
  local loaded, err = read(text)
  assert.is_nil(loaded, text)
  return script.describe(err.problems[1])
end

describe("the detector language", function()
  it("makes the normal form of a detector", function()
    local loaded = assert(detector([[
      description = "what it says", delay = "30s", category = { "service", "region" },
      filter = term("env", "prod") & ~term("path", "/healthz"), history = 200,
      model = forest { shingle = 4, seed = 7 },
      features = { feature("n", count(failed) / count()), feature("p99", percentile("took", 99)) },
    ]]))
    local d = loaded.detectors[1]
    assert.equal("trial", d.id)
    assert.equal("script", d.origin)
    assert.same({ "logs" }, d.indices)
    assert.equal("@timestamp", d.time_field)
    assert.equal(60000, d.interval_ms)
    assert.equal(30000, d.delay_ms)
    assert.equal(200, d.history)
    assert.same({ "region", "service" }, d.category)
    assert.equal("and", d.filter[1] and d.filter.op)
    assert.equal("forest", d.model.kind)
    assert.equal(4, d.model.shingle)
    assert.equal(7, d.model.seed)
    assert.equal("n", d.features[1].name)
    assert.equal("/", d.features[1].expr.op)
    assert.equal("range", d.features[1].expr[1].filter.op)
    assert.equal(99, d.features[2].expr.percent)
  end)

  it("knows every aggregation, constants and arithmetic", function()
    local loaded = assert(detector([[features = {
      feature("a", sum("x") + avg("x")), feature("b", min("x", failed) - max("x")),
      feature("c", 100 * value_count("x")), feature("d", -cardinality("x") / 2),
      feature("e", median("x") + 1), feature("f", percentile("x", 5, failed)),
    }]]))
    local f = loaded.detectors[1].features
    assert.equal("+", f[1].expr.op)
    assert.equal("range", f[2].expr[1].filter.op)
    assert.equal(100, f[3].expr[1].value)
    assert.equal("cardinality", f[4].expr[1][2].op)
    assert.equal("median", f[5].expr[1].op)
    assert.equal("range", f[6].expr.filter.op)
  end)

  it("knows every filter", function()
    local loaded = assert(detector(FEATURES .. [[
      filter = term("a", 1) | terms("b", { "x", 2 }) & exists("c") | ~prefix("d", "x")
        | match("e", "some words") | ids { "1", "2" } | range("f", { gt = 1, lt = "now" }),
    ]]))
    assert.equal("or", loaded.detectors[1].filter.op)
  end)

  it("takes long chains of filters and of sums", function()
    local filters, sums = {}, {}
    for i = 1, 60 do
      filters[i], sums[i] = ('term("a", %d)'):format(i), ('sum("f%d")'):format(i)
    end
    local d = assert(detector(("filter = %s, features = feature('n', %s),"):format(
      table.concat(filters, " | "), table.concat(sums, " + ")))).detectors[1]
    assert.equal("or", d.filter.op)
    assert.equal(60, #d.filter)
  end)

  it("takes the ensemble when no model is named, and the forest for a shingle", function()
    assert.equal("ensemble", assert(detector(FEATURES)).detectors[1].model.kind)
    assert.equal(0.5, assert(detector(FEATURES .. 'sensitivity = "high"')).detectors[1].model.sensitivity)
    local forest = assert(detector(FEATURES .. "shingle = 12")).detectors[1].model
    assert.equal("forest", forest.kind)
    assert.equal(12, forest.shingle)
  end)

  it("returns one detector or a list", function()
    local loaded = assert(read [[
      local list = {}
      for i, name in ipairs { "a", "b" } do
        list[i] = detector(name) {
          source = name, time = "t", interval = "1h", features = { feature("n", count()) },
        }
      end
      return list
    ]])
    assert.equal("a", loaded.detectors[1].name)
    assert.equal("b", loaded.detectors[2].name)
  end)
end)

describe("a wrong detector", function()
  it("is told which key is unknown, and which was meant", function()
    assert.same({ "4: a detector has no key 'intervall' (did you mean 'interval'?)" },
      problems(FEATURES .. 'intervall = "1m"'))
    assert.same({ "4: forest has no key 'shingel' (did you mean 'shingle'?)" },
      problems(FEATURES .. "model = forest { shingel = 8 }"))
    assert.same({ "4: a detector has no key 'colour'" }, problems(FEATURES .. 'colour = "red"'))
  end)

  it("is told the key and the value that is wrong", function()
    for lines, message in pairs {
      ["delay = 30"] = 'delay = 30 needs a unit, as "30s"',
      ['delay = "soon"'] = 'delay = "soon" is no duration such as "30s", "10m" or "1h"',
      ['delay = "3y"'] = "delay = \"3y\" has the unit 'y'; there are ms, s, m, h, d and w",
      ["category = 7"] = "category = 7 holds 7, no text",
      ["filter = count()"] = 'filter = an aggregation is no filter such as term("env", "prod")',
      ["history = 1.5"] = "history = 1.5 is no whole number from 0 to 100000",
      ["on_anomaly = true"] = "on_anomaly = true is no function",
      ['model = "forest"'] =
        'model = "forest" is no model such as ensemble { }, forest { shingle = 8 } ' ..
        'or seasonal { by = "host" }',
      ['sensitivity = "hi"'] = 'sensitivity = "hi" is no "low", "medium", "high" and no factor',
    } do
      assert.same({ "4: " .. message }, problems(FEATURES .. lines))
    end
  end)

  it("is told all of its problems at once, each at its line", function()
    assert.same({
      "1: range has no bound 'gt3' (did you mean 'gt'?)",
      "2: detector 'x' has no time",
      "4: interval = 60 needs a unit, as \"60s\"",
      "6: '/' needs aggregations or numbers, got a filter",
    }, (function()
      local _, err = read [[
local failed = range("status", { gt3 = 500 })
return detector "x" {
  source = "logs",
  interval = 60,
  features = {
    feature("a", count() / failed),
  },
}]]
      local list = {}
      for i, p in ipairs(err.problems) do list[i] = p.line .. ": " .. p.message end
      return list
    end)())
  end)

  it("is told about a word that does not exist", function()
    assert.equal("trial.lua:2: unknown word 'coutn' (did you mean 'count'?)",
      first_problem "\nlocal n = coutn()")
    assert.equal("trial.lua:1: 'x' would be global: write local x", first_problem "x = 1")
    assert.equal("trial.lua:1: string.rep cannot be changed", first_problem "string.rep = nil")
  end)

  it("is told about errors of Lua, with the line", function()
    assert.equal("trial.lua:2: unexpected symbol near '='", first_problem "\nlocal a = = 1")
    assert.equal("trial.lua:3: mine", first_problem "\n\nerror('mine')")
    assert.matches("^trial.lua:1: used up its budget", first_problem "while true do end")
    assert.matches("^trial.lua:1: the script returns 7, not a detector", first_problem "return 7")
    assert.matches("^trial.lua:1: the script returns nil", first_problem "")
    assert.matches("attempt to load a binary chunk", first_problem(string.dump(function() end)))
    assert.matches("larger than 256 KB", first_problem(("-"):rep(300000)))
  end)

  it("keeps what was noted before it broke", function()
    local _, err = read "local a = term(1, 2)\nerror('later')"
    assert.equal(2, #err.problems)
    assert.matches("term needs the name of a field", err.problems[1].message)
    assert.matches("later", err.problems[2].message)
  end)

  it("is told that two detectors or features share a name", function()
    assert.same({ "4: features = a table names 'n' twice" },
      problems 'features = { feature("n", count()), feature("n", count()) }')
    local one = 'detector "a" { source = "x", time = "t", interval = "1m", features = feature("n", count()) }'
    assert.matches("'a' is defined twice", first_problem(("return { %s, %s }"):format(one, one)))
  end)

  it("cannot fill the server with its definitions", function()
    assert.matches("at most 100 detectors", (function()
      local _, err = read [[
        local list = {}
        for i = 1, 101 do
          list[i] = detector("d" .. i) {
            source = "x", time = "t", interval = "1m", features = feature("n", count()),
          }
        end
        return list]]
      return err.reason
    end)())
    local loaded, err = detector [[
      filter = (function()
        local f = term("a", 1)
        for _ = 1, 15 do f = ~(f & ~f) end
        return f
      end)(), features = feature("n", count()), ]]
    assert.is_nil(loaded)
    assert.matches("more than %d+ bytes of data", err.reason)
  end)

  it("survives nonsense", function()
    for _, lines in ipairs {
      "features = {}", "features = 7", "features = { 1, 2 }", "features = { feature() }", "source = {}",
      "features = { feature('a', {}, 7) }", "features = { feature('a', { 1 }, function() end) }",
      "features = { feature('a', percentile()) }", "[1] = 2", "[{}] = {}", "filter = failed & 7",
      "filter = failed | nil", "filter = ~failed & count()", "model = script()", "model = script {}",
      "model = forest(7)", "category = {}", "category = failed", "interval = '1ms'", "interval = '99999w'",
    } do
      local loaded, err = detector(lines)
      assert.is_nil(loaded, lines)
      assert.equal("invalid", err.kind, lines)
    end
  end)
end)
