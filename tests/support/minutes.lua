--- Seeded series with planted anomalies in an index, for specs of detectors.
--
--     minutes.load("spec-cpu", { minutes = 600, hosts = 3, plant = { [540] = 40 } })
--
-- A document a minute and host: `{ ts =, host = "h1", cpu = <a daily curve with noise> }`.
-- @module support.minutes
local catalog = require "blip.index.catalog"
local store = require "runtime.store"

local minutes = {}

--- The first minute, 2026-01-05T00:00:00Z.
minutes.START = 1767571200000
minutes.MINUTE = 60000

-- Noise from -1 to 1 that is the same in every run.
local function noise(seed)
  local state = seed
  return function()
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 1073741824 - 1
  end
end

--- The value of a host in a minute, without noise and anomalies.
function minutes.curve(minute, host)
  return 50 + 10 * math.sin(minute / 1440 * 2 * math.pi + host)
end

--- Writes a series into an index, made anew.
-- @tparam string index
-- @tparam table options `minutes`; `[first]` minute, default 0; `[hosts]`, default 1; `[plant]`
-- minute -> what is added to every host; `[gaps]` minute -> true: no documents; `[start]` ms
function minutes.load(index, options)
  if not options.first and catalog.find(index) then assert(catalog.delete(index)) end
  if not catalog.find(index) then
    assert(catalog.create(index, { mapping = { properties = {
      ts = { type = "date" }, host = { type = "keyword" }, cpu = { type = "double" },
    } } }))
  end
  local random, lines = noise(42 + (options.first or 0)), {}
  local start = options.start or minutes.START
  for minute = options.first or 0, (options.first or 0) + options.minutes - 1 do
    for host = 1, options.hosts or 1 do
      local planted = options.plant and options.plant[minute] or 0
      local value = minutes.curve(minute, host) + random() * 2 + planted
      if not (options.gaps and options.gaps[minute]) then
        lines[#lines + 1] = ('{"ts":%d,"host":"h%d","cpu":%.3f}'):format(
          start + minute * minutes.MINUTE, host, value)
      end
    end
  end
  lines[#lines + 1] = ""
  assert(store.connection():append_documents(index, table.concat(lines, "\n")))
end

return minutes
