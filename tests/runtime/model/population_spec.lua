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
  it("leaves a few samples as they are, sorted", function()
    local samples = parts.merge({ { 20, 5, 1 }, { 10, 7, 1 }, { 20, 5, 1 } }, 300)
    assert.same({ { 10, 7, 1 }, { 20, 5, 1 }, { 20, 5, 1 } }, samples)
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

describe("runtime.model population: a person", function()
  it("has the joint probability of its attributes", function()
    local p = parts.person({ 0.01, 0.01 }, false)
    close(0.00131371, p, 1e-8)
  end)

  it("has the probability of its only attribute", function()
    assert.equal(0.003, (parts.person({ 0.003 }, false)))
    assert.equal(0.003, (parts.person({ 0.003 }, true)))
  end)

  it("is judged by the extreme too when the attributes are metrics", function()
    local attributes = { 1e-8 }
    for i = 2, 30 do attributes[i] = 0.9 end
    local joint, extreme = parts.person(attributes, false), parts.person(attributes, true)
    assert.is_true(extreme < joint)
    close(3e-7, extreme, 1e-8)
  end)

  it("names the attributes that are the cause", function()
    local _, causes = parts.person({ 1e-6, 0.04, 0.2 }, false)
    assert.same({ true, true, false }, causes)
    _, causes = parts.person({ 0.2, 0.21, 0.5 }, false)
    assert.same({ true, true, false }, causes)
  end)

  it("is certain of nothing without attributes", function()
    assert.equal(1, (parts.person({}, true)))
  end)
end)
