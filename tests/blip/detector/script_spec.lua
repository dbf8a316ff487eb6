local script = require "blip.detector.script"

local HEAD = [[
  source = "logs", time = "@timestamp", interval = "1m",
]]

local function read(body, path)
  return assert(script.read(body:gsub("HEAD", HEAD), path or "trial.lua"))
end

describe("a script's functions", function()
  it("compute features in the sandbox", function()
    local loaded = read [[
      local base = 1
      return detector "a" { HEAD features = {
        feature("pressure", { retries = sum("retries"), calls = count() }, function(b)
          return math.log(base + b.retries / math.max(b.calls, 1))
        end),
      } }]]
    local feature = loaded.detectors[1].features[1]
    assert.equal("count", feature.inputs.calls.op)
    assert.near(math.log(1.5), feature.compute { retries = 5, calls = 10 }, 1e-12)
  end)

  it("compute features of a whole frame, with the bucket's time", function()
    local loaded = read [[
      return detector "a" { HEAD features = {
        feature("x", { n = count() }, function(b) return b.n and b.n + b.time / 1000 end),
      } }]]
    local frame = require("runtime.frame").new { { "time", "int" }, { "f1.n" } }
    frame:append { { time = 1000, ["f1.n"] = 5 }, { time = 2000 } }
    assert(loaded.detectors[1].features[1].compute_frame(frame, { n = "f1.n" }, "f1"))
    assert.equal(6, frame:get(1, "f1"))
    assert.is_nil(frame:get(2, "f1"))
  end)

  it("raise errors with file and line", function()
    local loaded = read [[return detector "a" { HEAD
      features = { feature("x", { n = count() }, function(b)
        return b.m.k
      end) } }]]
    local ok, err = pcall(loaded.detectors[1].features[1].compute, { n = 1 })
    assert.is_false(ok)
    assert.matches("^trial.lua:%d+: attempt to index a nil value", err.reason)
  end)

  it("cannot stop a run from on_anomaly", function()
    local loaded = read [[return detector "a" { HEAD features = { feature("n", count()) },
      on_anomaly = function(anomaly)
        if anomaly.grade > 0.5 then error("too strange") end
        while anomaly.grade > 0.1 do end
      end }]]
    local on_anomaly = loaded.detectors[1].on_anomaly
    assert.is_true(on_anomaly { grade = 0.1, entity = { host = "a" } })
    local done, err = on_anomaly { grade = 0.9 }
    assert.is_nil(done)
    assert.matches("too strange", err.reason)
    done, err = on_anomaly { grade = 0.3 }
    assert.is_nil(done)
    assert.equal("too_large", err.kind)
    assert.is_true(on_anomaly { grade = 0 })
  end)
end)

describe("a script's version", function()
  local function version(body)
    return read(body).detectors[1].version
  end

  it("stays when only comments, the delay or on_anomaly change", function()
    local before = version 'return detector "a" { HEAD features = { feature("n", count()) } }'
    assert.equal(before, version [[-- a comment
      return detector "a" { HEAD features = { feature("n", count()) }, delay = "5s",
        on_anomaly = function() end }]])
  end)

  it("stays when the inside of on_anomaly changes beside code that matters", function()
    local function with(inside, factor)
      return version(([[return detector "a" { HEAD
        features = { feature("n", { c = count() }, function(b) return b.c * %s end) },
        on_anomaly = function(anomaly)
          %s
        end,
      }]]):format(factor, inside))
    end
    assert.equal(with("log.info('one')", 1), with("log.warn('two')", 1))
    assert.not_equal(with("log.info('one')", 1), with("log.info('one')", 2))
  end)

  it("changes with the features, the source, the filter and the model", function()
    local seen = {}
    for _, body in ipairs {
      'features = { feature("n", count()) }', 'features = { feature("n", sum("x")) }',
      'features = { feature("m", count()) }', 'features = { feature("n", count()) }, shingle = 4',
      'features = { feature("n", count()) }, filter = term("a", 1)',
      'features = { feature("n", { c = count() }, function(b) return b.c end) }',
      'features = { feature("n", { c = count() }, function(b) return b.c + 1 end) }',
    } do
      local v = version('return detector "a" { HEAD ' .. body .. " }")
      assert.is_nil(seen[v], body)
      seen[v] = true
    end
  end)
end)

describe("a model in Lua", function()
  local MEAN = [[return detector "a" { HEAD features = { feature("n", count()) },
    model = script {
      weight = 0.5,
      new = function(options) return { weight = options.weight, rows = 0, mean = 0 } end,
      push = function(self, row)
        self.rows = self.rows + 1
        local expected = self.mean
        if row.n then self.mean = self.mean + self.weight * (row.n - self.mean) end
        if self.rows < 3 then return nil end
        local far = math.abs((row.n or expected) - expected)
        return { score = far, grade = math.min(far / 10, 1), expected = { n = expected } }
      end,
    } }]]

  it("is new, is pushed, is saved and goes on as the saved one would", function()
    local model = read(MEAN).detectors[1].model
    assert.equal("script", model.kind)
    local state = model.new()
    assert.is_nil(model.push(state, 0, { 4 }))
    assert.is_nil(model.push(state, 1, { 4 }))
    local other = model.load(model.save(state))
    local verdict = model.push(state, 2, { 8 })
    assert.same({ score = 5, grade = 0.5, confidence = 1, expected = { 3 } }, verdict)
    assert.same(verdict, model.push(other, 2, { 8 }))
    assert.same(model.push(state, 3, { 0 / 0 }), model.push(other, 3, { 0 / 0 }))
  end)

  it("keeps its states apart", function()
    local model = read(MEAN).detectors[1].model
    local a, b = model.new(), model.new()
    for i = 1, 3 do model.push(a, i, { 100 }) end
    assert.is_nil(model.push(b, 1, { 1 }))
  end)

  it("is told when its state cannot be kept", function()
    for state, message in pairs {
      ["{ f = function() end }"] = "self.f is a function",
      ["{ x = 0 / 0 }"] = "self.x is",
      ["{ [1] = 1, a = 2 }"] = "self mixes a list with keys",
      ["{ a = { [7] = 1 } }"] = "self.a mixes a list with keys",
    } do
      local text = MEAN:gsub("return { weight.-end,", "return " .. state .. " end,", 1)
      local model = read(text).detectors[1].model
      local ok, err = pcall(model.save, model.new())
      assert.is_false(ok)
      assert.matches(message, err.reason, 1, true)
    end
  end)

  it("is told when its verdict is wrong", function()
    for returned, message in pairs {
      ["'high'"] = "push must return a score", ["{ score = 'x' }"] = "push must return a score",
      ["{ grade = 7 }"] = "grade must be a number from 0 to 1",
    } do
      local text = ("return detector 'a' { HEAD features = { feature('n', count()) }, model = script {"
        .. "new = function() return {} end, push = function() return %s end } }"):format(returned)
      local model = read(text).detectors[1].model
      local ok, err = pcall(model.push, model.new(), 0, { 1 })
      assert.is_false(ok)
      assert.matches(message, err.reason, 1, true)
    end
  end)
end)
