local replay = require "support.replay"
local series = require "support.series"

-- A volume that gains about a megabyte every ten minutes, measured each minute.
local function volume(host, seed)
  local used = 1e9
  return series.steady {
    minutes = 3000, every = 1, seed = seed, host = host, volume = "/var",
    used_bytes = function(random)
      used = used + 1e5 * (0.5 + random())
      return math.floor(used)
    end,
  }
end

describe("detectors/disk_growth", function()
  it("sees the volume that starts to fill", function()
    local rows, more = volume("db1", 5), 0
    for _, row in ipairs(rows) do
      if row.minute >= 2500 and row.minute < 2530 then more = more + 5e7 end
      row.used_bytes = row.used_bytes + more
    end
    series.add(rows, volume("db2", 6))
    local worst = replay("detectors/disk_growth.lua", rows)
    assert.equal("db1", worst.entity.host)
    assert.equal("/var", worst.entity.volume)
    assert.is_true(worst.minute >= 2500 and worst.minute < 2540, worst.minute)
    assert.equal("growth_bytes", worst.cause)
  end)
end)
