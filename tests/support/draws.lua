--- Seeded random numbers of named distributions.
-- @module support.draws
local random = require "support.random"

local draws = {}

local function list(seed, count, draw)
  local source, values = random.new(seed * 0x9E3779B97F4A7C15), {}
  for i = 1, count do values[i] = draw(source) end
  return values
end

--- Numbers in (0, 1).
function draws.uniform(seed, count)
  return list(seed, count, function(r) return 1 - r:uniform() end)
end

function draws.normal(seed, count, mean, deviation)
  return list(seed, count, function(r) return mean + deviation * r:normal() end)
end

--- exp of a normal.
function draws.log_normal(seed, count, mean, deviation)
  return list(seed, count, function(r) return math.exp(mean + deviation * r:normal()) end)
end

--- A gamma of shape 2.
function draws.gamma2(seed, count, scale)
  return list(seed, count, function(r)
    return -scale * math.log((1 - r:uniform()) * (1 - r:uniform()))
  end)
end

function draws.poisson(seed, count, rate)
  return list(seed, count, function(r)
    local product, n = 1 - r:uniform(), 0
    while product > math.exp(-rate) do
      product, n = product * (1 - r:uniform()), n + 1
    end
    return n
  end)
end

--- Integers from 0 to most.
function draws.integer(seed, count, most)
  return list(seed, count, function(r) return math.floor(r:uniform() * (most + 1)) end)
end

return draws
