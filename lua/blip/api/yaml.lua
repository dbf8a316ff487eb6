--- An answer as YAML, for `?format=yaml`.
-- @module blip.api.yaml
local json = require "runtime.json"

local yaml = {}

local write

local function is_empty(value)
  return type(value) == "table" and next(value) == nil
end

local function scalar(value)
  if is_empty(value) then return json.is_array(value) and "[]" or "{}" end
  return json.encode(value)
end

local function nests(value)
  return type(value) == "table" and not is_empty(value)
end

local function write_array(out, array, indent)
  for _, each in ipairs(array) do
    local item = json.plain(each)
    if nests(item) then
      local first = #out + 1
      write(out, item, indent .. "  ")
      out[first] = indent .. "- " .. out[first]:sub(#indent + 3)
    else
      out[#out + 1] = indent .. "- " .. scalar(item)
    end
  end
end

local function write_object(out, object, indent)
  for _, name in ipairs(json.keys(object)) do
    local value = json.plain(object[name])
    local key = tostring(name)
    if not key:match("^[%a_][%w_.%-]*$") then key = json.quote(key) end
    if nests(value) then
      out[#out + 1] = ("%s%s:"):format(indent, key)
      write(out, value, json.is_array(value) and indent or indent .. "  ")
    else
      out[#out + 1] = ("%s%s: %s"):format(indent, key, scalar(value))
    end
  end
end

write = function(out, value, indent)
  if json.is_array(value) then write_array(out, value, indent) else write_object(out, value, indent) end
end

--- Writes a value as a YAML document.
-- @param value as for json.encode; `json.raw` parts are read first
-- @treturn string
function yaml.encode(value)
  value = json.plain(value)
  if not nests(value) then return "--- " .. scalar(value) .. "\n" end
  local out = { "---" }
  write(out, value, "")
  return table.concat(out, "\n") .. "\n"
end

return yaml
