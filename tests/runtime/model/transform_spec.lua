local model = require "runtime.model"
local parts = require "runtime.model_parts"

local methods = {
  NONE = "none", SUBTRACT_MA = "subtract_mean", NORMALIZE = "normalize", DIFFERENCE = "difference",
  NORMALIZE_DIFFERENCE = "normalize_difference",
}

local function assert_near(want, got, tolerance, what)
  if math.abs(want - got) > tolerance * math.max(1, math.abs(want)) then
    error(("%s: expected %.9g, got %.9g"):format(what, want, got), 2)
  end
end

describe("runtime.model transform", function()
  it("gives the coordinates, shifts and scales of the Java library", function()
    local transforms, count = {}, 0
    for line in io.lines "tests/runtime/model/golden/forest_transforms.csv" do
      local method, value, coordinate, shift, scale = line:match "^([^,]+),([^,]+),([^,]*),([^,]+),([^,]+)$"
      if methods[method] then
        local t = transforms[method] or parts.transform { transform = methods[method] }
        transforms[method] = t
        if coordinate ~= "" then -- the first ten rows are held back
          local got, got_shift, got_scale = t:ask(tonumber(value))
          assert_near(tonumber(coordinate), got, 1e-6, line)
          assert_near(tonumber(shift), got_shift, 1e-9, line)
          assert_near(tonumber(scale), got_scale, 1e-9, line)
          count = count + 1
        end
        t:learn(tonumber(value))
      end
    end
    assert.equal(600, count)
  end)

  it("lets rows that stand in for a gap change no shift and no scale", function()
    local models, count = {}, 0
    for line in io.lines "tests/runtime/model/golden/forest_gaps.csv" do
      local method, seconds, value, coordinate, shift, scale =
        line:match "^([^,]+),([^,]+),([^,]+),([^,]*),([^,]+),([^,]+)$"
      if methods[method] then
        models[method] = models[method] or assert(model.new {
          kind = "forest", features = 1, interval_ms = 60000, transform = methods[method],
        })
        if coordinate ~= "" then
          local got_shift, got_scale = parts.scales(models[method])
          assert_near(tonumber(shift), got_shift[1], 1e-9, line)
          assert_near(tonumber(scale), got_scale[1], 1e-9, line)
          count = count + 1
        end
        assert(models[method]:push(tonumber(seconds) * 1000, { tonumber(value) }))
      end
    end
    assert.equal(600, count)
  end)

  it("keeps a deviation of 1 beside a mean of 1e9", function()
    local t = parts.transform { transform = "normalize" }
    for i = 1, 1000 do t:learn(1e9 + (-1) ^ i) end
    local _, _, scale = t:ask(1e9)
    assert_near(2, scale, 0.01, "scale")
  end)

  it("keeps coordinates within reach of the forest", function()
    local t = parts.transform { transform = "normalize" }
    t:learn(1)
    assert.equal(100, (t:ask(1e300)))
    assert.equal(-100, (t:ask(-1e300)))
    local raw = parts.transform { transform = "none" }
    assert_near(1e30, (raw:ask(1e300)), 1e-6, "largest coordinate")
  end)
end)
