local parts = require "runtime.kind_parts"

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

describe("runtime.model population", function()
  it("counts persons about right, few and many", function()
    for _, persons in ipairs { 3, 40, 200, 3000 } do
      local p = parts.population()
      for i = 1, persons do p:see("u" .. i) end
      for i = 1, persons do p:see("u" .. i) end
      close(persons, p:persons(), persons * 0.2)
    end
  end)

  it("gives a busy person's samples less weight", function()
    local p = parts.population()
    for round = 1, 50 do
      p:see "busy"
      p:see("u" .. round)
    end
    close(2 / 50, p:weight "busy", 0.02)
    assert.equal(1, p:weight "u7")
    assert.equal(1, p:weight "stranger")
  end)

  it("takes much at once for as busy as little often", function()
    local p = parts.population()
    for i = 1, 20 do p:see("u" .. i) end
    p:see("busy", 60)
    assert.is_true(p:weight "busy" < 0.1)
  end)

  it("gives everybody the same weight where all are alike", function()
    local p = parts.population()
    for _ = 1, 20 do
      for i = 1, 50 do p:see("u" .. i) end
    end
    for i = 1, 50 do assert.is_true(p:weight("u" .. i) > 0.8) end
  end)

  it("fades faster while it is young", function()
    assert.equal(4, parts.haste(0))
    close(2.5, parts.haste(21 * 86400 / 2), 1e-12)
    assert.equal(1, parts.haste(22 * 86400))
  end)

  it("goes on as if it had not been saved", function()
    local p = parts.population()
    for i = 1, 500 do p:see("u" .. i * i % 83) end
    local q = assert(parts.population(p:save()))
    for i = 1, 20 do assert.equal(p:weight("u" .. i), q:weight("u" .. i)) end
    assert.equal(p:save(), q:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = parts.population():save()
    for _, size in ipairs { 0, 7, 200, #bytes - 1 } do
      local p, err = parts.population(bytes:sub(1, size))
      assert.is_nil(p)
      assert.equal("invalid", err.kind)
    end
  end)
end)

describe("runtime.model population: samples", function()
  it("leaves a few samples as they are", function()
    local samples = { { 20, 5, 1 }, { 10, 7, 1 }, { 20, 5, 1 } }
    assert.same(samples, parts.merge(samples, 300))
  end)

  it("joins near-duplicates of very many, and keeps their weight and mean", function()
    local samples, sum = {}, 0
    for i = 1, 12000 do
      samples[i] = { 1000 + i % 7 / 10, i % 40, 1 }
      sum = sum + i % 40
    end
    local merged, weight, total = parts.merge(samples, 300), 0, 0
    for _, sample in ipairs(merged) do
      weight = weight + sample[3]
      total = total + sample[2] * sample[3]
    end
    assert.equal(40, #merged)
    close(12000, weight, 1e-6)
    close(sum, total, 1e-3)
  end)
end)
