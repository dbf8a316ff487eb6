-- The vectors are those of elastic-model, chapter 13 ("less likely categories").
local parts = require "runtime.kind_parts"

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

--- A multinomial with these counts for "1", "2", ...
local function counted(...)
  local c = parts.category()
  for i, count in ipairs { ... } do c:learn(tostring(i), count) end
  return c
end

describe("runtime.model category", function()
  it("gives the probabilities of the vectors", function()
    local vectors = {
      { { 9000, 990, 12 }, { 1, 0.1057406, 0.00126048 } },
      { { 90, 9, 1 }, { 0.9986006, 0.1048681, 0.0110014 } },
      { { 2000, 2000, 1 }, { 1, 1, 3.62792e-4 } },
      { { 50, 50, 50, 1 }, { 0.9730546, 0.9730546, 0.9730546, 0.0124639 } },
    }
    for _, vector in ipairs(vectors) do
      local c = counted(table.unpack(vector[1]))
      for i, p in ipairs(vector[2]) do close(p, c:probability(tostring(i)), p * 5e-6) end
    end
  end)

  it("does not call a value impossible when it comes for the first time", function()
    local c = parts.category()
    for i = 1, 1000 do c:learn("usual" .. i % 2, 1) end
    c:learn("new", 1)
    local p = c:probability "new"
    assert.is_true(p > 1e-4 and p < 0.005, tostring(p))
  end)

  it("gives an unknown value the smallest probability that is known", function()
    local c = counted(90, 9, 1)
    assert.equal(c:probability "3", c:probability "nobody")
    assert.equal(0, c:share "nobody")
  end)

  it("is certain while there is no value, or only one", function()
    assert.equal(1, parts.category():probability "x")
    close(1, counted(50):probability "1", 1e-12)
  end)

  it("says which share a value has", function()
    close(0.09, counted(90, 9, 1):share "2", 1e-12)
  end)

  it("says how much rarer than the average a value is", function()
    close(100 / 3, counted(90, 9, 1):rarity "3", 1e-9)
    assert.equal(0, counted(90, 9, 1):rarity "nobody")
  end)

  it("forgets values whose count has fallen below 0.8", function()
    local c = counted(100, 1)
    c:age(0.85)
    assert.equal(2, c:count())
    c:age(0.9)
    assert.equal(1, c:count())
  end)

  it("takes counts away again", function()
    local c = counted(10, 5)
    c:learn("2", -5)
    c:age(1)
    assert.equal(1, c:count())
    assert.equal(1, c:share "1")
  end)

  it("finds the rarer of many values less probable", function()
    local c = parts.category()
    for i = 1, 200 do c:learn("v" .. i, i) end
    local before = 0
    for i = 1, 200, 9 do
      local p = c:probability("v" .. i)
      assert.is_true(p > before)
      before = p
    end
  end)

  it("does not depend on the order of learning", function()
    local c, d = parts.category(), parts.category()
    for i = 1, 50 do c:learn("v" .. i, i) end
    for i = 50, 1, -1 do d:learn("v" .. i, i) end
    for i = 1, 50 do assert.equal(c:probability("v" .. i), d:probability("v" .. i)) end
    assert.equal(c:save(), d:save())
  end)

  it("weighs what a person did often more", function()
    close(1 - 0.25 ^ 4, parts.category_weight(0.75, 4), 1e-12)
    assert.is_true(parts.category_weight(0.1, 4) < parts.category_weight(0.5, 4))
    assert.equal(1, parts.category_weight(1, 1))
  end)

  it("goes on as if it had not been saved", function()
    local c = parts.category()
    for i = 1, 300 do c:learn("v" .. i * i % 37, 1) end
    local d = assert(parts.category(c:save()))
    for i = 1, 50 do
      c:age(0.999)
      d:age(0.999)
      c:learn("w" .. i % 5, 1)
      d:learn("w" .. i % 5, 1)
      assert.equal(c:probability "w3", d:probability "w3")
    end
    assert.equal(c:save(), d:save())
  end)

  it("refuses bytes that are cut short", function()
    local bytes = counted(3, 4, 5):save()
    for size = 0, #bytes - 1 do
      local c, err = parts.category(bytes:sub(1, size))
      assert.is_nil(c)
      assert.equal("invalid", err.kind)
    end
  end)
end)
