local parts = require "runtime.model_parts"

-- What the cases of the reference file were computed with.
local settings = {
  ["0"] = { shingle = 8 },
  ["1"] = { shingle = 1 },
  ["2"] = { shingle = 8, transform = "none" },
  ["3"] = { shingle = 8 },
}

local function new_threshold(case)
  local options = { auto_adjust = false }
  for name, value in pairs(settings[case]) do options[name] = value end
  return parts.threshold(options)
end

describe("runtime.model threshold", function()
  it("gives the thresholds and grades of the Java library", function()
    local thresholds, count = {}, 0
    for line in io.lines "tests/runtime/model/golden/forest_thresholds.csv" do
      local case, score, corrected, last, want, grade =
        line:match "^(%d),([^,]+),([^,]+),([^,]+),([^,]+),([^,]+)$"
      if case then
        thresholds[case] = thresholds[case] or new_threshold(case)
        local threshold, got = thresholds[case]:ask(tonumber(score))
        assert.is_true(math.abs(threshold - tonumber(want)) < 1e-10, line)
        assert.is_true(math.abs(got - tonumber(grade)) < 1e-5, line)
        thresholds[case]:learn(tonumber(score), tonumber(corrected), tonumber(last))
        count = count + 1
      end
    end
    assert.equal(640, count)
  end)

  it("lowers its floor under low scores when it adjusts itself", function()
    local fixed, adjusted = parts.threshold { auto_adjust = false }, parts.threshold {}
    for _ = 1, 100 do
      fixed:learn(0.4, 0.4, 0.4)
      adjusted:learn(0.4, 0.4, 0.4)
    end
    assert.equal(0.8, (fixed:ask(0.1)))
    assert.is_true((adjusted:ask(0.1)) < 0.41)
  end)

  it("grades in sixteenths", function()
    local t = parts.threshold {}
    for i = 1, 200 do t:learn(1 + 0.1 * (i % 3), 1 + 0.1 * (i % 3), 1) end
    for score = 1, 3, 0.01 do
      local _, grade = t:ask(score)
      assert.equal(0, grade * 16 % 1)
    end
  end)
end)
