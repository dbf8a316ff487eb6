--- Proves that a binding leaves nothing behind when memory runs out, wherever that happens.
--     memory.exhaust(function() json.encode(value) end)
-- Every allocation that Lua makes for the function fails in turn; what C had in its hands then
-- must be found by the collector, and the address sanitizer tells when it was not.
-- @module support.memory
local runtime = require "runtime.memory"

local memory = {}

--- Calls a function with ever more memory until it gets through.
-- @tparam function run
-- @treturn integer how many allocations it took; raises when it never gets through
function memory.exhaust(run)
  for n = 1, 100000 do
    local ok, refused = runtime.try(n, run)
    if ok and not refused then
      collectgarbage()
      return n - 1
    elseif not refused then
      error("it fails without a lack of memory", 2)
    end
  end
  error("it never gets through", 2)
end

return memory
