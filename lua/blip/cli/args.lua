--- Reads a command line: options by a table, the rest in order.
-- @module blip.cli.args
local fail = require "blip.fail"

local args = {}

local readers = {}

function readers.flag() return true end

function readers.text(_, value) return value end

function readers.count(name, value)
  local number = math.tointeger(tonumber(value))
  if not number or number < 1 then
    return fail.invalid("--%s needs a whole number above 0, not '%s'", name, value)
  end
  return number
end

function readers.choice(name, value, option)
  for _, word in ipairs(option.choices) do
    if word == value then return value end
  end
  return fail.invalid("--%s is one of %s, not '%s'", name, table.concat(option.choices, ", "), value)
end

local UNIT_MS = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }

function readers.duration(name, value)
  local number, unit = value:match "^(%d+)(%a+)$"
  local ms = number and UNIT_MS[unit] and tonumber(number) * UNIT_MS[unit]
  if not ms or ms < 1 then
    return fail.invalid("--%s needs a duration such as 30s, 5m, 1h or 1d, not '%s'", name, value)
  end
  return ms
end

--- Splits "--name=value"; a value may be the next word instead.
local function take(argv, at, options)
  local name, value = argv[at]:match "^%-%-([%w-]+)=(.*)$"
  name = name or argv[at]:match "^%-%-([%w-]+)$"
  local option = options[name]
  if not option then return fail.invalid("unknown option '%s'", argv[at]) end
  if option.kind == "flag" then
    if value then return fail.invalid("--%s takes no value", name) end
  elseif not value then
    at, value = at + 1, argv[at + 1]
    if not value then return fail.invalid("--%s needs a value", name) end
  end
  local read, err = readers[option.kind](name, value, option)
  if read == nil then return nil, err end
  return { name = name, value = read, many = option.many }, at
end

--- Reads a command line.
-- @tparam {string,...} argv
-- @tparam table options by name: `kind` "flag", "text", "count", "duration" (to milliseconds) or
--   "choice" (of `choices`), `many` = may be repeated and becomes a list
-- @return the options' values by name, and the other words in order; or nil and an `invalid` error
function args.read(argv, options)
  local values, words, at = {}, {}, 1
  while at <= #argv do
    local word = argv[at]
    if word == "--" then
      table.move(argv, at + 1, #argv, #words + 1, words)
      break
    elseif word:sub(1, 1) ~= "-" or word == "-" then
      words[#words + 1] = word
    else
      local found, after = take(argv, at, options)
      if not found then return nil, after end
      if found.many then
        values[found.name] = values[found.name] or {}
        table.insert(values[found.name], found.value)
      else
        values[found.name] = found.value
      end
      at = after
    end
    at = at + 1
  end
  return values, words
end

return args
