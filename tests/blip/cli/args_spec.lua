local args = require "blip.cli.args"

describe("blip.cli.args", function()
  local OPTIONS = {
    json = { kind = "flag" }, top = { kind = "count" }, column = { kind = "text", many = true },
    every = { kind = "duration" }, model = { kind = "choice", choices = { "a", "b" } },
  }

  it("reads options with their values, and the rest in order", function()
    local line = { "x", "--top", "5", "--json", "--column=a=b", "--column", "c", "-", "--", "--y" }
    local values, words = args.read(line, OPTIONS)
    assert.same({ top = 5, json = true, column = { "a=b", "c" } }, values)
    assert.same({ "x", "-", "--y" }, words)
  end)

  it("reads durations in their units", function()
    local durations = { ["250ms"] = 250, ["30s"] = 30000, ["5m"] = 300000, ["1h"] = 3600000 }
    for given, ms in pairs(durations) do
      assert.same({ every = ms }, (args.read({ "--every", given }, OPTIONS)))
    end
  end)

  it("says what is wrong", function()
    local wrong = {
      { { "--nope" }, "unknown option '--nope'" },
      { { "-x" }, "unknown option '-x'" },
      { { "--top" }, "--top needs a value" },
      { { "--top", "1.5" }, "--top needs a whole number above 0, not '1.5'" },
      { { "--json=1" }, "--json takes no value" },
      { { "--every", "5" }, "--every needs a duration such as 30s, 5m, 1h or 1d, not '5'" },
      { { "--model", "c" }, "--model is one of a, b, not 'c'" },
    }
    for _, case in ipairs(wrong) do
      local values, err = args.read(case[1], OPTIONS)
      assert.is_nil(values)
      assert.equal(case[2], err.reason)
    end
  end)
end)
