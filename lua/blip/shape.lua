--- Shapes: what a table from outside must look like, said once and checked in one call.
--     local query = shape { min_grade = shape.number(0, 1), size = shape.integer(1, 10000):default(10) }
--     local wanted = assert(query:check(request.query))     -- invalid: 400
-- A check returns a new table of converted values, so "10" in a query string comes out as 10.
-- Fields are optional unless `:required()`; a field that no shape names is an error.
-- @module blip.shape
local fail = require "blip.fail"
local json = require "runtime.json"

local Rule = { __name = "blip.shape.rule" }
Rule.__index = Rule

local function rule(convert)
  return setmetatable({ convert = convert }, Rule)
end

--- Makes the field one that must be there.
function Rule:required()
  self.is_required = true
  return self
end

--- Gives the field a value for when it is not there.
function Rule:default(value)
  self.default_value = value
  return self
end

local shape = {}

local function outside(number, low, high)
  return (low and number < low) or (high and number > high)
end

local function range_text(low, high)
  if low and high then return (" from %s to %s"):format(low, high) end
  if low then return (" of at least %s"):format(low) end
  if high then return (" of at most %s"):format(high) end
  return ""
end

local function numeric(kind, convert)
  return function(low, high)
    return rule(function(value, name)
      local number = convert(value)
      if not number or number ~= number or outside(number, low, high) then
        return fail.invalid("'%s' must be %s%s, got %s", name, kind, range_text(low, high), shape.show(value))
      end
      return number
    end)
  end
end

--- A value as an error shows it: JSON, cut after 100 characters.
function shape.show(value)
  local ok, text = pcall(json.encode, value)
  if not ok then text = type(value) end
  return #text > 100 and text:sub(1, 100) .. "..." or text
end

--- A number, or a string that reads as one; bounds are included.
-- @function shape.number
-- @tparam[opt] number low
-- @tparam[opt] number high
shape.number = numeric("a number", tonumber)

--- A whole number, or a string that reads as one; bounds are included.
-- @function shape.integer
shape.integer = numeric("a whole number", function(value)
  return math.tointeger(tonumber(value))
end)

local truths = { ["true"] = true, [""] = true, ["false"] = false, [true] = true, [false] = false }

--- true or false; in a query string also the words, and the empty string for true.
function shape.boolean()
  return rule(function(value, name)
    local truth = truths[value]
    if truth == nil then
      return fail.invalid("'%s' must be true or false, got %s", name, shape.show(value))
    end
    return truth, nil
  end)
end

--- A string, by choice of at most `longest` bytes.
function shape.string(longest)
  return rule(function(value, name)
    if type(value) ~= "string" then
      return fail.invalid("'%s' must be a string, got %s", name, shape.show(value))
    elseif longest and #value > longest then
      return fail.invalid("'%s' is longer than %d bytes", name, longest)
    end
    return value
  end)
end

--- One of some words.
function shape.one_of(...)
  local words, known = { ... }, {}
  for _, word in ipairs(words) do known[word] = true end
  return rule(function(value, name)
    if not known[value] then
      local choice = table.concat(words, ", ")
      return fail.invalid("'%s' must be one of %s, got %s", name, choice, shape.show(value))
    end
    return value
  end)
end

local units = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }

--- A span of time such as "500ms", "30s", "1m", "2h", "1d"; comes out in milliseconds.
function shape.duration()
  return rule(function(value, name)
    local count, unit = tostring(value):match("^(%d+)(%a+)$")
    if not units[unit] then
      return fail.invalid("'%s' must be a span of time such as 30s or 1m, got %s", name, shape.show(value))
    end
    return tonumber(count) * units[unit]
  end)
end

local sizes = { b = 1, kb = 1 << 10, mb = 1 << 20, gb = 1 << 30 }

--- A size such as 4096, "64kb", "100mb", "2gb"; comes out in bytes.
function shape.size()
  return rule(function(value, name)
    local count, unit = tostring(value):lower():match("^(%d+)(%a*)$")
    local factor = sizes[unit == "" and "b" or unit]
    if not factor then
      return fail.invalid("'%s' must be a size such as 64kb or 100mb, got %s", name, shape.show(value))
    end
    return tonumber(count) * factor
  end)
end

--- A list whose items have one rule.
function shape.list(item)
  return rule(function(value, name)
    if type(value) ~= "table" or (next(value) ~= nil and #value == 0) then
      return fail.invalid("'%s' must be a list, got %s", name, shape.show(value))
    end
    local items = {}
    for i, each in ipairs(value) do
      local converted, err = item.convert(each, ("%s[%d]"):format(name, i))
      if err then return nil, err end
      items[i] = converted
    end
    return items
  end)
end

local Shape = { __name = "blip.shape" }
Shape.__index = Shape

local function unknown_field(self, value, prefix)
  for name in pairs(value) do
    if not self.rules[name] then
      return fail.invalid("unknown field '%s%s'", prefix, tostring(name))
    end
  end
  return true
end

local function check_field(each, value, name)
  if value == nil or value == json.null then
    if each.is_required then
      return fail.invalid("'%s' is missing", name)
    end
    return each.default_value
  end
  return each.convert(value, name)
end

--- Checks a table against the shape.
-- @tparam table value
-- @tparam[opt] string prefix what to put before field names in errors
-- @return a new table with converted values and defaults, or nil and an `invalid` error
function Shape:check(value, prefix)
  prefix = prefix or ""
  if type(value) ~= "table" then
    return fail.invalid("expected an object, got %s", shape.show(value))
  end
  local known, err = unknown_field(self, value, prefix)
  if not known then return nil, err end
  local checked = {}
  for name, each in pairs(self.rules) do
    local converted
    converted, err = check_field(each, value[name], prefix .. name)
    if err then return nil, err end
    checked[name] = converted
  end
  return checked
end

--- A shape as a field of another one.
function shape.object(inner)
  return rule(function(value, name)
    return inner:check(value, name .. ".")
  end)
end

return setmetatable(shape, {
  __call = function(_, rules)
    return setmetatable({ rules = rules }, Shape)
  end,
})
