local number_format = require "blip.query.number_format"

describe("blip.query.number_format", function()
  for _, case in ipairs {
    { 0, "Value is ##0.0", "Value is 0.0" }, { 50, "##0.0", "50.0" },
    { 1234567.891, "#,##0.00", "1,234,567.89" },
    { 0.5, "#.0", ".5" }, { 1, "#.0", "1.0" }, { 3, "000", "003" }, { -2.5, "0.##", "-2.5" },
    { 7, "0.##", "7" },
    { 12, "$0", "$12" }, { 0.25, "0.00%", "0.25%" },
  } do
    it(("writes %s by '%s'"):format(case[1], case[2]), function()
      assert.equal(case[3], number_format.write(case[1], case[2]))
    end)
  end
end)
