--- What the words of a detector script need to say what is wrong: problems, near misses, and
-- checkers of values; and the words of the model seasonal. The first half of what runs inside the
-- sandbox before the script (see @{blip.detector.dsl}).
-- @module blip.detector.dsl_check
local host = ... or { here = function() return 0 end }
local here = host.here

local sort, floor, min, format = table.sort, math.floor, math.min, string.format

local problems = {}

--- Notes what is wrong at the script's current line; `key` is the detector's key it is about.
local function problem(key, ...)
  problems[#problems + 1] = { line = here(), key = key, message = format(...) }
end

--- A value as the script wrote it, near enough to be recognised.
local function shown(value)
  if type(value) == "string" then
    return '"' .. (#value > 40 and value:sub(1, 40) .. "..." or value):gsub("%c", " ") .. '"'
  end
  if type(value) == "table" and value.kind then
    return (value.kind == "aggregation" and "an " or "a ") .. tostring(value.kind)
  end
  return (type(value) == "table" or type(value) == "function") and "a " .. type(value)
    or tostring(value)
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- Edits (insert, delete, replace, swap neighbours) that make one word of another.
local function distance(a, b)
  local before, last = {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local change = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

--- " (did you mean 'x'?)" when one of the known words is close, else "".
local function suggestion(word, known)
  if type(word) ~= "string" or #word > 40 then return "" end
  local best, best_distance = nil, min(3, floor(#word / 2) + 1)
  for _, candidate in ipairs(sorted_keys(known)) do
    local d = distance(word, tostring(candidate))
    if d < best_distance then best, best_distance = candidate, d end
  end
  return best and format(" (did you mean '%s'?)", best) or ""
end

--- Is the value one of the language's own: a "filter", an "aggregation", a "feature", ...?
local function is(value, kind) return type(value) == "table" and value.kind == kind end

local units = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000, w = 604800000 }

--- "90s" -> 90000; nil and what is wrong with it
local function duration(value)
  if type(value) == "number" then
    return nil, format("needs a unit, as \"%gs\"", value)
  end
  local number, unit
  if type(value) == "string" then number, unit = value:match("^(%d+%.?%d*)(%a+)$") end
  if not number then return nil, "is no duration such as \"30s\", \"10m\" or \"1h\"" end
  if not units[unit] then
    return nil, format("has the unit '%s'; there are ms, s, m, h, d and w", unit)
  end
  local milliseconds = tonumber(number) * units[unit]
  if milliseconds > 31536000000 then return nil, "is longer than a year" end
  return floor(milliseconds + 0.5)
end

-- Each checker takes a value and returns what it means, or nil and what is wrong with it.
local check = {}

function check.text(value)
  if type(value) ~= "string" or value == "" then return nil, "is no text" end
  return value
end

function check.texts(value)
  local list = type(value) == "table" and value or { value }
  if #list == 0 or list.kind then return nil, "is no text and no list of texts" end
  for _, item in ipairs(list) do
    if type(item) ~= "string" or item == "" then return nil, "holds " .. shown(item) .. ", no text" end
  end
  return list
end

function check.filter(value)
  if not is(value, "filter") then return nil, "is no filter such as term(\"env\", \"prod\")" end
  return value
end

function check.interval(value)
  local interval, wrong = duration(value)
  if interval and interval < 1000 then return nil, "is shorter than a second" end
  return interval, wrong
end

check.delay = duration

function check.on_anomaly(value)
  if type(value) ~= "function" then return nil, "is no function" end
  return value
end

function check.model(value)
  if not is(value, "model") then
    return nil, "is no model such as ensemble { }, forest { shingle = 8 } or seasonal { by = \"host\" }"
  end
  return value
end

function check.features(value)
  if is(value, "feature") then value = { value } end
  if type(value) ~= "table" or #value == 0 then return nil, "is no list of features" end
  local seen = {}
  for i, item in ipairs(value) do
    if not is(item, "feature") then
      return nil, format("holds %s at %d, no feature(name, ...)", shown(item), i)
    end
    if seen[item.name] then return nil, format("names '%s' twice", item.name) end
    seen[item.name] = true
  end
  return value
end

--- A checker of whole numbers in a range.
function check.whole(low, high)
  return function(value)
    if type(value) ~= "number" or value ~= floor(value) or value < low or value > high then
      return nil, format("is no whole number from %d to %d", low, high)
    end
    return floor(value)
  end
end

--- A checker of numbers in a range.
function check.number(low, high)
  return function(value)
    if type(value) ~= "number" or not (value >= low and value <= high) then
      return nil, format("is no number from %g to %g", low, high)
    end
    return value
  end
end

local levels = { low = true, medium = true, high = true }

function check.sensitivity(value)
  if levels[value] or check.number(0.01, 100)(value) then return value end
  return nil, "is no \"low\", \"medium\", \"high\" and no factor"
end

--- Checks every value of a table against its key's checker; returns the values that pass.
local function check_keys(what, given, checkers, is_detector)
  local passed = {}
  for _, key in ipairs(sorted_keys(given)) do
    local about = is_detector and tostring(key) or nil
    if not checkers[key] then
      problem(about, "%s has no key '%s'%s", what, tostring(key), suggestion(key, checkers))
    else
      local value, wrong = checkers[key](given[key])
      if wrong then problem(about, "%s = %s %s", key, shown(given[key]), wrong) end
      passed[key] = value
    end
  end
  return passed
end

-- What a rule and a calendar may say -----------------------------------------------------------------

local comparisons = { gt = true, gte = true, lt = true, lte = true }

--- Bounds of a rule, as { lt = 5 }.
local function check_bounds(value)
  if type(value) ~= "table" or next(value) == nil then return nil, "has no bound, as { lt = 5 }" end
  for _, key in ipairs(sorted_keys(value)) do
    if not comparisons[key] then
      return nil, format("has the bound '%s'; there are gt, gte, lt and lte", tostring(key))
    elseif type(value[key]) ~= "number" then
      return nil, format("has %s = %s, no number", key, shown(value[key]))
    end
  end
  return value
end

--- Fields with the values that a rule is about, as { host = filter { "a*" } }.
local function check_scope(value)
  if type(value) ~= "table" or next(value) == nil then
    return nil, "names no field, as { host = filter { \"test-*\" } }"
  end
  local scope = {}
  for _, field in ipairs(sorted_keys(value)) do
    if not is(value[field], "filter_list") then
      return nil, format("has %s = %s, no filter { ... }", tostring(field), shown(value[field]))
    end
    scope[field] = value[field].values
  end
  return scope
end

local skips = { result = true, learning = true, both = true }

local function check_skip(value)
  if skips[value] then return value end
  return nil, "is none of \"result\", \"learning\" and \"both\""
end

check.rule_keys = {
  skip = check_skip, actual = check_bounds, typical = check_bounds, diff_from_typical = check_bounds,
  time = check_bounds, only = check_scope, except = check_scope,
}

local function check_all(value, kind, example)
  local list = is(value, kind) and { value } or value
  if type(list) ~= "table" or list.kind or #list == 0 then return nil, "is no list of " .. example end
  for _, item in ipairs(list) do
    if not is(item, kind) then return nil, "holds " .. shown(item) .. ", no " .. example end
  end
  return list
end

function check.rules(value) return check_all(value, "rule", "rule { ... }") end
function check.calendars(value) return check_all(value, "calendar", "calendar \"id\"") end

--- Names of functions by features.
function check.functions(value)
  if type(value) ~= "table" or value.kind then return nil, "is no table, as { took = \"high_mean\" }" end
  for _, key in ipairs(sorted_keys(value)) do
    if type(key) ~= "string" or type(value[key]) ~= "string" then
      return nil, format("holds %s = %s, no feature = \"function\"", tostring(key), shown(value[key]))
    end
  end
  return value
end

-- The model seasonal, and the words that go with it ----------------------------------------------

local seasonal = {}

local function check_name(name)
  if type(name) == "string" and name ~= "" then return end
  problem("model", "calendar needs a name, got %s", shown(name))
end

local function check_values(values)
  if type(values) ~= "table" or values.kind or #values == 0 then
    problem("model", "filter needs a list of texts or the id of a filter, got %s", shown(values))
  end
end

local seasonal_options = {
  check.text, functions = check.functions, partition = check.text, by = check.text, over = check.text,
  influencers = check.texts, rules = check.rules, calendars = check.calendars,
}

--- The engine of jobs: trend, seasons and distributions for every series. What it looks at is a
-- function's name for all features, or `functions` by feature; category fields split the series.
--     model = seasonal { "high_mean", by = "host", influencers = { "host" } }
function seasonal.seasonal(given)
  if given ~= nil and type(given) ~= "table" then
    problem("model", "seasonal takes a table of options, got %s", shown(given))
    given = nil
  end
  local options = check_keys("seasonal", given or {}, seasonal_options)
  options.functions = options.functions or options[1]
  options[1] = nil
  return { kind = "model", name = "seasonal", options = options }
end

--- When a result is not written, or a value not learnt.
--     rule { skip = "result", actual = { lt = 5 }, only = { host = filter { "test-*" } } }
function seasonal.rule(given)
  local made = type(given) == "table" and check_keys("a rule", given, check.rule_keys) or {}
  made.kind, made.skip = "rule", made.skip or "result"
  return made
end

--- Values that a rule looks for: spelled out, or the id of a filter that the server keeps.
function seasonal.filter(values)
  if type(values) ~= "string" then check_values(values) end
  return { kind = "filter_list", values = values }
end

--- When nothing is strange: the id of a calendar that the server keeps, or one event.
--     calendar "holidays"      calendar("deploy", "2026-01-05T10:00Z", "2026-01-05T11:00Z")
function seasonal.calendar(name, from, to)
  check_name(name)
  if from == nil then return { kind = "calendar", id = name } end
  if type(from) ~= "string" or type(to) ~= "string" then
    problem("model", "calendar needs two times as texts, got %s and %s", shown(from), shown(to))
  end
  return { kind = "calendar", description = name, from = from, to = to }
end

return {
  here = here, problem = problem, problems = problems, shown = shown, sorted_keys = sorted_keys,
  suggestion = suggestion, is = is, check = check, check_keys = check_keys,
  seasonal = seasonal,
}
