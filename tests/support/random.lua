--- Seeded random numbers for specs: the same on every machine, whatever else draws.
-- @module support.random
local random = {}
local Random = {}
Random.__index = Random

function random.new(seed)
  return setmetatable({ state = seed }, Random)
end

--- The next number in [0, 1). (xorshift64*, Vigna 2014)
function Random:uniform()
  local x = self.state ~ (self.state >> 12)
  x = x ~ (x << 25)
  x = x ~ (x >> 27)
  self.state = x
  return ((x * 0x2545F4914F6CDD1D) >> 11) * 2.0 ^ -53
end

--- The next normally distributed number: mean 0, deviation 1. (Box and Muller, 1958)
function Random:normal()
  return math.sqrt(-2 * math.log(1 - self:uniform())) * math.cos(2 * math.pi * self:uniform())
end

return random
