local replay = require "support.replay"
local series = require "support.series"

local function logins(seed)
  return series.steady {
    minutes = 3 * 1440, per_minute = 4, seed = seed, event = "login",
    outcome = function(random) return random() < 0.1 and "failure" or "success" end,
    user = function(random) return "user" .. math.floor(random() * 50) end,
  }
end

describe("detectors/login_failures", function()
  it("sees somebody try a list of accounts", function()
    local rows = logins(3)
    series.plant(rows, {
      at = 4000, minutes = 30, outcome = "failure",
      user = function(random) return "guess" .. math.floor(random() * 1000) end,
    })
    local worst, _, logged = replay("detectors/login_failures.lua", rows)
    assert.is_true(worst.minute >= 4000 and worst.minute < 4060, worst.minute)
    assert.is_true(worst.grade > 0.5)
    assert.equal("warn", logged[#logged].level)
    assert.matches("unusual login failures", logged[#logged].message)
  end)

  it("keeps quiet over days like each other", function()
    local worst = replay("detectors/login_failures.lua", logins(4))
    assert.is_true(worst == nil or worst.grade < 0.5)
  end)
end)
