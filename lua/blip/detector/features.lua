--- The features of a detector as columns of a frame.
-- Feature i is the column `f<i>`, whatever its name is, so that names never meet those of other
-- columns. A function's inputs are columns of their own, `f<i>.<key>`.
-- @module blip.detector.features
local features = {}

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The columns of the vector, in its order.
-- @treturn {string,...}
function features.columns(d)
  local names = {}
  for i = 1, #d.features do names[i] = "f" .. i end
  return names
end

local function input_columns(i, feature)
  local columns = {}
  for key in pairs(feature.inputs) do columns[key] = ("f%d.%s"):format(i, key) end
  return columns
end

--- What a plan has to scan.
-- @treturn table list of `{ name = column, expr = aggregate }`
function features.scanned(d)
  local list = {}
  for i, feature in ipairs(d.features) do
    if feature.expr then
      list[#list + 1] = { name = "f" .. i, expr = feature.expr }
    else
      local columns = input_columns(i, feature)
      for _, key in ipairs(sorted_keys(columns)) do
        list[#list + 1] = { name = columns[key], expr = feature.inputs[key] }
      end
    end
  end
  return list
end

local arithmetic = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) if b ~= 0 then return a / b end end,
}

local ZERO_WHEN_EMPTY = { count = true, sum = true, value_count = true, cardinality = true }

--- What an aggregate comes to over no rows at all; nil when it has no value then.
function features.when_empty(expr)
  if expr.op == "constant" then return expr.value end
  if ZERO_WHEN_EMPTY[expr.op] then return 0.0 end
  local combine = arithmetic[expr.op]
  if not combine then return nil end
  local a, b = features.when_empty(expr[1]), features.when_empty(expr[2])
  return a and b and combine(a, b)
end

--- Values of scanned columns in an interval without rows.
-- @treturn table list of `{ column, number }`; the others have no value
function features.empty_values(d)
  local values = {}
  for _, scanned in ipairs(d.empty == "value" and features.scanned(d) or {}) do
    local value = features.when_empty(scanned.expr)
    if value then values[#values + 1] = { scanned.name, value } end
  end
  return values
end

-- One bucket after the other, in Lua.
local function compute_rows(frame, feature, columns, out)
  local values, time = {}, frame:column "time"
  local inputs = {}
  for key, column in pairs(columns) do inputs[key] = frame:column(column) end
  for row = 1, #frame do
    local bucket = { time = time[row] }
    for key, list in pairs(inputs) do
      local value = list[row]
      if value == value then bucket[key] = value end -- NaN: no value
    end
    values[row] = feature.compute(bucket)
  end
  frame:set_column(out, values)
end

--- Adds the columns of the features that are Lua functions.
-- @return true; or nil and an error
function features.compute(d, frame)
  for i, feature in ipairs(d.features) do
    if feature.compute_frame then
      local ok, err = feature.compute_frame(frame, input_columns(i, feature), "f" .. i)
      if not ok then return nil, err end
    elseif feature.compute then
      compute_rows(frame, feature, input_columns(i, feature), "f" .. i)
    end
  end
  return true
end

return features
