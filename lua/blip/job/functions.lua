--- The functions that a detector of a job may have (elastic-ml.md 4.1 and 4.2).
-- A function is a table:
--     name         the full name, which is the one that is stored and shown
--     field, by, over   "required", "forbidden" or nil, where it is free
--     description  the `function_description` of its records; nil where the value decides (metric)
--     side         "low", "high" or "both": which deviations count
--     summarised   whether the input may be summed up already
--     conditions   "any", or "time" where rules may only look at the time
-- @module blip.job.functions
local functions = {}

local ALL = {}
local SHORT = { nzc = "non_zero_count", dc = "distinct_count" }

local SIDES = { both = "", low = "low_", high = "high_" }

local function define(name, properties, side)
  local f = { name = name, side = side or "both", summarised = true, conditions = "any" }
  for key, value in pairs(properties) do f[key] = value end
  ALL[name] = f
end

-- A function with its one-sided variants.
local function family(name, properties)
  for side, prefix in pairs(SIDES) do define(prefix .. name, properties, side) end
end

local COUNTED = { field = "forbidden", description = "count" }
local PRESENT = { field = "forbidden", over = "forbidden", description = "count" }

family("count", COUNTED)
family("non_zero_count", PRESENT)
family("distinct_count", { field = "required", description = "distinct_count" })
family("info_content", { field = "required", description = "info_content" })
for _, name in ipairs { "mean", "median", "varp", "sum" } do
  family(name, { field = "required", description = name })
end
family("avg", { field = "required", description = "mean" })
family("non_null_sum", { field = "required", description = "sum" })
define("min", { field = "required", description = "min" })
define("max", { field = "required", description = "max" })
define("metric", { field = "required", summarised = false, conditions = "time" })
define("rare", { field = "forbidden", by = "required", description = "rare", conditions = "time" })
define("freq_rare", {
  field = "forbidden", by = "required", over = "required", description = "rare", conditions = "time",
})
define("time_of_day", { field = "forbidden", description = "time" })
define("time_of_week", { field = "forbidden", description = "time" })
define("lat_long", { field = "required", description = "lat_long", conditions = "time" })

for short, name in pairs(SHORT) do
  for _, prefix in pairs(SIDES) do ALL[prefix .. short] = ALL[prefix .. name] end
end

--- The function of a name or of its short form; nil when there is none.
-- @tparam string name in lower case
function functions.find(name)
  return ALL[name]
end

return functions
