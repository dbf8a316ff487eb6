--- Which parts of its source a hit shows: `_source` with its patterns.
-- @module blip.query.source_filter
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"

local source_filter = {}

--- A pattern of `*` as a Lua pattern.
local function to_pattern(text)
  return "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

--- Patterns with what they need to be compared with a path.
local function compile(list)
  local patterns = {}
  for i, text in ipairs(list) do
    local parts = {}
    for part in text:gmatch "[^.]+" do parts[#parts + 1] = part end
    patterns[i] = { exact = to_pattern(text), below = to_pattern(text .. ".*"), parts = parts, text = text }
  end
  return patterns
end

local function any_match(patterns, path)
  for _, pattern in ipairs(patterns) do
    if path:match(pattern.exact) or path:match(pattern.below) then return true end
  end
  return false
end

--- Whether something below a path may match.
local function leads_to(patterns, path)
  for _, pattern in ipairs(patterns) do
    local depth, fits = 0, true
    for part in path:gmatch "[^.]+" do
      depth = depth + 1
      local wanted = pattern.parts[depth]
      if not wanted then fits = false break end
      if wanted:find "*" and depth == #pattern.parts then break end
      if not part:match(to_pattern(wanted)) then fits = false break end
    end
    if fits then return true end
  end
  return false
end

--- Reads `_source`: true, false, a pattern, a list, or `{ includes =, excludes = }`.
-- @return `{ wanted = bool, includes =, excludes = }`, or nil and the dialect's error
function source_filter.read(value)
  if value == nil or value == true then return { wanted = true } end
  if value == false then return { wanted = false } end
  if type(value) == "string" then return { wanted = true, includes = compile { value } } end
  if type(value) == "table" then
    if json.is_array(value) then
      for _, text in ipairs(value) do
        if type(text) ~= "string" then
          return problem.parsing("Unknown key for a %s in [_source].", read.token(text))
        end
      end
      return { wanted = true, includes = #value > 0 and compile(value) or nil }
    end
    for _, key in ipairs(read.keys(value)) do
      if not (key == "includes" or key == "include" or key == "excludes" or key == "exclude") then
        return problem.parsing("Unknown key for a %s in [%s].", read.token(value[key]), key)
      end
    end
    local includes = read.list(value.includes or value.include)
    local excludes = read.list(value.excludes or value.exclude)
    return { wanted = true, includes = #includes > 0 and compile(includes) or nil,
             excludes = #excludes > 0 and compile(excludes) or nil }
  end
  return problem.parsing("Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [%s]", read.token(value))
end

local keep

local function keep_object(object, path, filter, inside)
  local out = {}
  for key, value in pairs(object) do
    local kept = keep(value, path == "" and key or path .. "." .. key, filter, inside)
    if kept ~= nil then out[key] = kept end
  end
  return out
end

--- A value with what the filter leaves of it; nil when that is nothing.
function keep(value, path, filter, inside)
  if filter.excludes and any_match(filter.excludes, path) then return nil end
  inside = inside or not filter.includes or any_match(filter.includes, path)
  if type(value) ~= "table" then
    if inside then return value end
    return nil
  end
  if not inside and not leads_to(filter.includes, path) then return nil end
  if not json.is_array(value) then
    local out = keep_object(value, path, filter, inside)
    return (inside or next(out)) and json.object(out) or nil
  end
  local list = {}
  for _, item in ipairs(value) do
    local kept
    if type(item) == "table" then kept = keep(item, path, filter, inside) elseif inside then kept = item end
    if kept ~= nil then list[#list + 1] = kept end
  end
  return (inside or #list > 0) and json.array(list) or nil
end

--- A document's source as a hit shows it.
-- @tparam string text its JSON
-- @return JSON text to splice, or a table
function source_filter.apply(filter, text)
  if not filter.includes and not filter.excludes then return json.raw(text) end
  local document = assert(json.decode(text))
  return json.object(keep_object(document, "", filter, not filter.includes))
end

return source_filter
