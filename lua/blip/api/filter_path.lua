--- `?filter_path`: the parts of an answer that a client wants to see.
--     filter_path=took,hits.hits._id     these fields alone
--     filter_path=*.status,**.error      * is any text within one name, ** any number of levels
--     filter_path=-aggregations          without this one
-- A backslash before a dot makes it part of a name. Arrays are looked through.
-- @module blip.api.filter_path
local json = require "runtime.json"

local filter_path = {}

-- A segment as a Lua pattern; ** stays as it is.
local function compile_segment(text)
  if text == "**" then return text end
  return "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*+", ".*") .. "$"
end

local function compile_path(text)
  local path = {}
  for segment in text:gsub("\\%.", "\0"):gmatch("[^.]+") do
    path[#path + 1] = compile_segment((segment:gsub("%z", ".")))
  end
  return path
end

--- Reads the parameter's text.
-- @return a filter for `apply`
function filter_path.compile(text)
  local filter = { include = {}, exclude = {} }
  for item in text:gmatch("[^,]+") do
    local minus, path = item:match("^%s*(%-?)(.-)%s*$")
    local list = minus == "-" and filter.exclude or filter.include
    list[#list + 1] = compile_path(path)
  end
  return filter
end

-- One step down: the places of paths that go on below `name`, and whether one of them ends there.
local function step(places, name)
  local below, ends = {}, false
  local function visit(path, at)
    local segment = path[at]
    if segment == "**" then
      if at == #path then ends = true end
      below[#below + 1] = { path, at }
      if at < #path then visit(path, at + 1) end
    elseif segment and name:match(segment) then
      if at == #path then ends = true else below[#below + 1] = { path, at + 1 } end
    end
  end
  for _, place in ipairs(places) do visit(place[1], place[2]) end
  return below, ends
end

local function starts(paths)
  local places = {}
  for i, path in ipairs(paths) do places[i] = { path, 1 } end
  return places
end

local function walk_array(array, visit)
  local kept = json.array()
  for _, item in ipairs(array) do
    local value = visit(item)
    if value ~= nil then kept[#kept + 1] = value end
  end
  return kept
end

-- keep(value, name) answers the part of a field that stays, or nil.
local function walk(object, keep)
  local kept = {}
  for name, value in pairs(object) do
    kept[name] = keep(json.plain(value), tostring(name))
  end
  return setmetatable(kept, getmetatable(object))
end

local function include(value, places)
  if type(value) ~= "table" then return nil end
  if json.is_array(value) then
    local kept = walk_array(value, function(item) return include(json.plain(item), places) end)
    return #kept > 0 and kept or nil
  end
  local kept = walk(value, function(field, name)
    local below, ends = step(places, name)
    if ends then return field end
    if #below > 0 then return include(field, below) end
  end)
  return next(kept) ~= nil and kept or nil
end

local function exclude(value, places)
  if type(value) ~= "table" then return value end
  if json.is_array(value) then
    return walk_array(value, function(item) return exclude(json.plain(item), places) end)
  end
  return walk(value, function(field, name)
    local below, ends = step(places, name)
    if ends then return nil end
    return #below > 0 and exclude(field, below) or field
  end)
end

--- The part of a value that a filter lets through; an empty object when nothing is left.
function filter_path.apply(filter, value)
  value = json.plain(value)
  if #filter.include > 0 then value = include(value, starts(filter.include)) or json.object {} end
  if #filter.exclude > 0 then value = exclude(value, starts(filter.exclude)) end
  return value
end

return filter_path
