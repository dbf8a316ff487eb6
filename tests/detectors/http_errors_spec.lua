local replay = require "support.replay"
local series = require "support.series"

local function quiet(service)
  return series.steady {
    minutes = 600, env = "prod", path = "/pay", service = service, region = "eu", status = 200, retries = 0,
    took_ms = function(random) return 20 + math.floor(random() * 30) end,
  }
end

describe("detectors/http_errors", function()
  it("grades three minutes of 503 above ten quiet hours", function()
    local rows = quiet "cart"
    series.plant(rows, { at = 540, minutes = 3, status = 503 })
    local worst = replay("detectors/http_errors.lua", rows)
    assert.is_true(worst.minute >= 540 and worst.minute < 543, worst.minute)
    assert.equal("error_rate", worst.cause)
  end)

  it("blames the service that fails, not its neighbour", function()
    local rows = quiet "cart"
    series.plant(rows, { at = 540, minutes = 3, status = 503 })
    series.add(rows, quiet "search")
    local worst, all = replay("detectors/http_errors.lua", rows)
    assert.equal("cart", worst.entity.service)
    assert.equal("eu", worst.entity.region)
    for _, found in ipairs(all) do
      assert.is_true(found.entity.service == "cart" or found.grade < 0.5)
    end
  end)

  it("looks past health checks and other environments", function()
    local rows = quiet "cart"
    local noise = quiet "cart"
    series.plant(noise, { at = 0, minutes = 600, path = "/healthz" })
    series.plant(noise, { at = 540, minutes = 3, status = 503 })
    series.add(rows, noise)
    local worst = replay("detectors/http_errors.lua", rows)
    assert.is_true(worst == nil or worst.grade < 0.5)
  end)
end)
