--- What a value in a query means for a field's type, as SQL over the field's column.
--
--     value.equals(field, "f.x", "10", bind)           "f.x" = $1           bound: 10
--     value.compare(field, "f.x", "lt", "now/d", ...)  "f.x" < make_timestamp($1)
--
-- `field` is what @{blip.index.mapping} says of it; `x` is the SQL of one value, a column or
-- the variable of a lambda; `bind(value)` makes a value a parameter and returns its place.
-- @module blip.query.value
local date_math = require "blip.query.date_math"
local fail = require "blip.fail"
local json = require "runtime.json"

local value = {}

local NEVER = "FALSE"
local SIGN = { gt = ">", gte = ">=", lt = "<", lte = "<=" }

local function as_text(raw)
  if math.type(raw) == "float" and raw == math.floor(raw) and math.abs(raw) < 1e15 then
    return ("%.1f"):format(raw)
  end
  return tostring(raw)
end

--- A number from a number or its text; nil and the dialect's error otherwise.
local function number(raw)
  if type(raw) == "number" then return raw end
  local read = type(raw) == "string" and tonumber(raw)
  if read then return read end
  return fail.es { status = 400, type = "number_format_exception",
                   reason = ('For input string: "%s"'):format(as_text(raw)) }
end

local integer = {}

function integer.equals(_, x, raw, bind)
  local n, err = number(raw)
  if not n then return nil, err end
  local whole = math.tointeger(n)
  return whole and ("%s = %s"):format(x, bind(whole)) or NEVER
end

-- A bound between two integers moves to the one that lies inside of it.
function integer.compare(_, x, op, raw, bind)
  local n, err = number(raw)
  if not n then return nil, err end
  if math.type(n) == "float" then
    if n >= 2^63 or n < -2^63 then  -- beyond every value
      return (op == "lt" or op == "lte") == (n > 0) and x .. " IS NOT NULL" or NEVER
    end
    local up = op == "gte" or op == "lt"
    n = math.tointeger(up and math.ceil(n) or math.floor(n))
  end
  return ("%s %s %s"):format(x, SIGN[op], bind(n))
end

local real = {}

function real.equals(_, x, raw, bind)
  local n, err = number(raw)
  return n and ("%s = %s"):format(x, bind(n + 0.0)), err
end

function real.compare(_, x, op, raw, bind)
  local n, err = number(raw)
  return n and ("%s %s %s"):format(x, SIGN[op], bind(n + 0.0)), err
end

-- Single precision compares as such: 1.1 finds the float nearest to 1.1.
local single = {}

function single.equals(_, x, raw, bind)
  local n, err = number(raw)
  return n and ("%s::FLOAT = %s::FLOAT"):format(x, bind(n + 0.0)), err
end

function single.compare(_, x, op, raw, bind)
  local n, err = number(raw)
  return n and ("%s::FLOAT %s %s::FLOAT"):format(x, SIGN[op], bind(n + 0.0)), err
end

local boolean = {}
local TRUTH = { ["true"] = true, ["false"] = false, [""] = false }

function boolean.equals(_, x, raw, bind)
  local truth = TRUTH[tostring(raw)]
  if truth == nil then
    return fail.invalid("Can't parse boolean value [%s], expected [true] or [false]", as_text(raw))
  end
  return ("%s = %s"):format(x, bind(truth))
end

function boolean.compare(_, x, op, raw, bind)
  local equal, err = boolean.equals(nil, x, raw, bind)
  return equal and equal:gsub(" = ", " " .. SIGN[op] .. " "), err
end

local date = {}

--- An error of a date as the dialect words it.
local function parse_failure(err)
  local reason, cause = err.reason, nil
  if reason:find("failed to parse date field", 1, true) then
    cause = { type = "illegal_argument_exception", reason = reason, caused_by = {
      type = "date_time_parse_exception", reason = "Failed to parse with all enclosed parsers" } }
    reason = ("%s: [%s]"):format(reason, reason)
  end
  return fail.es { status = 400, type = "parse_exception", reason = reason, caused_by = cause }
end

--- Milliseconds of a date; of its last one where `op` looks beyond it.
local function milliseconds(op, raw, field, options)
  local ms, err = date_math.resolve(raw, {
    format = options.format or field.format, zone = options.time_zone,
    round_up = op == "gt" or op == "lte", now = options.now,
  })
  if not ms then return parse_failure(err) end
  return ms
end

local function timestamp(ms, bind)
  return ("make_timestamp(%s)"):format(bind(ms * 1000))
end

-- A date means all of what it leaves open: a day is a range of milliseconds.
function date.equals(field, x, raw, bind, options)
  options = options or {}
  local from, err = milliseconds("gte", raw, field, options)
  if not from then return nil, err end
  local to = milliseconds("lte", raw, field, options)
  if from == to then return ("%s = %s"):format(x, timestamp(from, bind)) end
  return ("(%s >= %s AND %s <= %s)"):format(x, timestamp(from, bind), x, timestamp(to, bind))
end

function date.compare(field, x, op, raw, bind, options)
  local ms, err = milliseconds(op, raw, field, options)
  return ms and ("%s %s %s"):format(x, SIGN[op], timestamp(ms, bind)), err
end

local keyword = {}

function keyword.equals(_, x, raw, bind, options)
  if options and options.case_insensitive then
    return ("lower(%s) = lower(%s)"):format(x, bind(as_text(raw)))
  end
  return ("%s = %s"):format(x, bind(as_text(raw)))
end

function keyword.compare(_, x, op, raw, bind)
  return ("%s %s %s"):format(x, SIGN[op], bind(as_text(raw)))
end

-- A term of a text field is one of its words, and words are held in lower case.
local text = {}

function text.equals(field, x, raw, bind, options)
  local term = as_text(raw)
  if options and options.case_insensitive then term = term:lower() end
  if term:find "%u" then return NEVER end
  return value.word(field, x, term, bind)
end

text.compare = keyword.compare

-- Addresses are text in the store; ranges compare version 4 addresses as numbers.
local ip = {}

--- A version 4 address as a number; nil when it is none.
function value.ip_number(address)
  local a, b, c, d = tostring(address):match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  if not a then return nil end
  local n = 0
  for _, part in ipairs { a, b, c, d } do
    if tonumber(part) > 255 then return nil end
    n = n * 256 + math.tointeger(tonumber(part))
  end
  return n
end

--- The address of a number.
function value.ip_text(n)
  return ("%d.%d.%d.%d"):format(n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255)
end

local function ip_number_sql(x)
  local parts = {}
  for i, scale in ipairs { 16777216, 65536, 256, 1 } do
    parts[i] = ("TRY_CAST(split_part(%s, '.', %d) AS BIGINT) * %d"):format(x, i, scale)
  end
  return "(" .. table.concat(parts, " + ") .. ")"
end

local function bad_ip(raw)
  return fail.invalid("'%s' is not an IP string literal.", as_text(raw))
end

--- First and last address of a block `10.0.0.0/8` as numbers; nil when it is none.
function value.ip_block(block)
  local base, bits = tostring(block):match "^([^/]+)/(%d+)$"
  local n = base and value.ip_number(base)
  bits = tonumber(bits)
  if not n or bits > 32 then return nil end
  local size = 1 << (32 - math.tointeger(bits))
  return n // size * size, n // size * size + size - 1
end

function ip.equals(_, x, raw, bind)
  if tostring(raw):find("/", 1, true) then
    local first, last = value.ip_block(raw)
    if not first then return bad_ip(raw) end
    return ("%s BETWEEN %s AND %s"):format(ip_number_sql(x), bind(first), bind(last))
  end
  if not value.ip_number(raw) and not tostring(raw):find ":" then return bad_ip(raw) end
  return ("%s = %s"):format(x, bind(tostring(raw)))
end

function ip.compare(_, x, op, raw, bind)
  local n = value.ip_number(raw)
  if not n then return bad_ip(raw) end
  return ("%s %s %s"):format(ip_number_sql(x), SIGN[op], bind(n))
end

local KINDS = {
  long = integer, integer = integer, short = integer, byte = integer, unsigned_long = integer,
  double = real, scaled_float = real, float = single, half_float = single,
  boolean = boolean, date = date, date_nanos = date,
  keyword = keyword, text = text, ip = ip,
}

local function kind_of(field)
  return KINDS[field.type] or keyword
end

local function check(field, raw)
  if raw == json.null or type(raw) == "table" then
    return fail.invalid("field of type [%s] cannot be compared with %s", field.type, json.encode(raw))
  end
  return true
end

--- SQL that holds where a value equals another.
function value.equals(field, x, raw, bind, options)
  local ok, err = check(field, raw)
  if not ok then return nil, err end
  return kind_of(field).equals(field, x, raw, bind, options)
end

--- SQL that holds where a value lies on one side of a bound (`gt`, `gte`, `lt`, `lte`).
function value.compare(field, x, op, raw, bind, options)
  local ok, err = check(field, raw)
  if not ok then return nil, err end
  return kind_of(field).compare(field, x, op, raw, bind, options or {})
end

--- SQL that holds where a value equals any of a list.
-- Equalities of one column are gathered into one IN: a list may have thousands of values.
function value.any_of(field, x, list, bind)
  if field.type == "text" then return value.any_word(x, list, bind) end
  local column, places, others = nil, {}, {}
  for _, raw in ipairs(list) do
    local sql, err = value.equals(field, x, raw, bind)
    if not sql then return nil, err end
    local left, right = sql:match "^(%S+) = (%S+)$"
    if left then
      column, places[#places + 1] = left, right
    elseif sql ~= NEVER then
      others[#others + 1] = sql
    end
  end
  if column then others[#others + 1] = ("%s IN (%s)"):format(column, table.concat(places, ", ")) end
  return #others == 0 and NEVER or "(" .. table.concat(others, " OR ") .. ")"
end

local function escape(word)
  return (word:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?{}|\\]", "\\%0"))
end

--- SQL that holds where a text has a word; `suffix` continues the word's regular expression.
function value.word(_, x, word, bind, suffix)
  local pattern = "(?i)(?:^|[^\\p{L}\\p{N}_])" .. escape(word) .. (suffix or "") .. "(?:[^\\p{L}\\p{N}_]|$)"
  local holds = ("regexp_matches(%s, %s)"):format(x, bind(pattern))
  if word:find "[\x80-\xff]" then return holds end
  -- A plain search is ten times quicker and leaves the expression few texts to look at.
  return ("(contains(lower(%s), %s) AND %s)"):format(x, bind(word:lower()), holds)
end

--- SQL that holds where a text has any of a list of words, which are in lower case in the text.
function value.any_word(x, list, bind)
  local words = {}
  for _, raw in ipairs(list) do
    local word = as_text(raw)
    if not word:find "%u" then words[#words + 1] = escape(word) end
  end
  if #words == 0 then return NEVER end
  local pattern = "(?i)(?:^|[^\\p{L}\\p{N}_])(?:" .. table.concat(words, "|") .. ")(?:[^\\p{L}\\p{N}_]|$)"
  return ("regexp_matches(%s, %s)"):format(x, bind(pattern))
end

--- SQL that holds where a text has words side by side, in this order.
function value.phrase(x, words, bind, suffix)
  local escaped = {}
  for i, word in ipairs(words) do escaped[i] = escape(word) end
  local pattern = "(?i)(?:^|[^\\p{L}\\p{N}_])" .. table.concat(escaped, "[^\\p{L}\\p{N}_]+") .. (suffix or "")
    .. "(?:[^\\p{L}\\p{N}_]|$)"
  return ("regexp_matches(%s, %s)"):format(x, bind(pattern))
end

--- The words of a text, in lower case, as the standard analyser cuts them.
function value.words(raw)
  local words = {}
  for word in as_text(raw):gmatch "[%w_\x80-\xff]+" do words[#words + 1] = word:lower() end
  return words
end

return value
