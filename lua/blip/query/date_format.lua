--- Dates as text: the named formats of the search dialect and patterns such as
-- `yyyy-MM-dd HH:mm:ss`, several of them joined by `||`.
-- @module blip.query.date_format
local calendar = require "blip.query.calendar"
local fail = require "blip.fail"

local date_format = {}

--- The format of date fields that name none.
date_format.DEFAULT = "strict_date_optional_time||epoch_millis"

--- How far from 1970 a date may lie: its microseconds are 64-bit integers.
date_format.FURTHEST_MS = 9.2e15

local NAMED = {
  date = "yyyy-MM-dd", date_hour = "yyyy-MM-dd'T'HH", date_hour_minute = "yyyy-MM-dd'T'HH:mm",
  date_hour_minute_second = "yyyy-MM-dd'T'HH:mm:ss",
  date_hour_minute_second_millis = "yyyy-MM-dd'T'HH:mm:ss.SSS",
  date_hour_minute_second_fraction = "yyyy-MM-dd'T'HH:mm:ss.SSS",
  date_time = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", date_time_no_millis = "yyyy-MM-dd'T'HH:mm:ssXXX",
  basic_date = "yyyyMMdd", basic_date_time = "yyyyMMdd'T'HHmmss.SSSXX",
  basic_date_time_no_millis = "yyyyMMdd'T'HHmmssXX",
  year = "yyyy", year_month = "yyyy-MM", year_month_day = "yyyy-MM-dd",
  hour = "HH", hour_minute = "HH:mm", hour_minute_second = "HH:mm:ss", time = "HH:mm:ss.SSSXXX",
}

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local LONG_MONTHS = { "January", "February", "March", "April", "May", "June", "July", "August",
                      "September", "October", "November", "December" }
local WEEKDAYS = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" }
local LONG_WEEKDAYS = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }

local function index_of(list, text)
  for i, item in ipairs(list) do
    if item:lower() == text:lower() then return i end
  end
end

--- "+02:00" of an offset in minutes; `zero` is what stands for none.
local function offset_text(minutes, colon, zero)
  if minutes == 0 and zero then return zero end
  local sign, size = minutes < 0 and "-" or "+", math.abs(minutes)
  return ("%s%02d%s%02d"):format(sign, size // 60, colon, size % 60)
end

--- Milliseconds of an offset "Z", "+02", "+0200" or "+02:00"; nil when it is none.
function date_format.offset_ms(text)
  if text == "Z" or text == "UTC" or text == "GMT" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d?):?(%d?%d?)$"
  if not sign then return nil end
  local ms = (tonumber(hours) * 60 + (tonumber(minutes) or 0)) * 60000
  return sign == "-" and -ms or ms
end

local function read_digits(name, least, most)
  return function(text, at, t)
    local digits = text:match("^%d" .. ("%d?"):rep(most - 1), at)
    if not digits or #digits < least then return nil end
    t[name] = math.tointeger(tonumber(digits))
    return at + #digits
  end
end

local function read_word(name, list)
  return function(text, at, t)
    local word = text:match("^%a+", at)
    t[name] = word and index_of(list, word)
    return t[name] and at + #word
  end
end

local function read_fraction(text, at, t)
  local digits = text:match("^%d+", at)
  if not digits or #digits > 9 then return nil end
  t.ms = math.tointeger(tonumber((digits .. "000"):sub(1, 3)))
  return at + #digits
end

local function read_offset(text, at, t)
  local offset = text:match("^Z", at) or text:match("^[+-]%d%d:?%d%d", at) or text:match("^[+-]%d%d", at)
  t.offset_ms = offset and date_format.offset_ms(offset)
  return t.offset_ms and at + #offset
end

local function read_half(text, at, t)
  local half = text:match("^%a%a", at)
  t.afternoon = half and half:lower() == "pm"
  return half and at + 2
end

local function padded(name)
  return function(t, width) return ("%0" .. width .. "d"):format(t[name]) end
end

--- What each pattern letter reads and writes: `read(width)` gives a reader
-- `(text, at, parts) -> next position | nil`, `write(parts, width)` the text.
local LETTERS = {
  M = {
    read = function(width)
      if width >= 4 then return read_word("month", LONG_MONTHS) end
      return width == 3 and read_word("month", MONTHS) or read_digits("month", width, 2)
    end,
    write = function(t, width)
      if width >= 4 then return LONG_MONTHS[t.month] end
      return width == 3 and MONTHS[t.month] or padded "month"(t, width)
    end,
  },
  E = {
    read = function(width) return read_word("weekday", width >= 4 and LONG_WEEKDAYS or WEEKDAYS) end,
    write = function(t, width) return (width >= 4 and LONG_WEEKDAYS or WEEKDAYS)[t.weekday] end,
  },
  S = {
    read = function() return read_fraction end,
    write = function(t, width) return (("%03d"):format(t.ms) .. ("0"):rep(width)):sub(1, width) end,
  },
  a = {
    read = function() return read_half end,
    write = function(t) return t.hour < 12 and "AM" or "PM" end,
  },
  h = {
    read = function(width) return read_digits("half_hour", width, 2) end,
    write = function(t, width) return ("%0" .. width .. "d"):format((t.hour - 1) % 12 + 1) end,
  },
  X = {
    read = function() return read_offset end,
    write = function(t, width) return offset_text(t.offset, width >= 3 and ":" or "", "Z") end,
  },
  Z = {
    read = function() return read_offset end,
    write = function(t, width) return offset_text(t.offset, width >= 5 and ":" or "") end,
  },
}
LETTERS.L, LETTERS.x, LETTERS.z = LETTERS.M, LETTERS.Z, LETTERS.X
for letter, name in pairs { d = "day", H = "hour", m = "minute", s = "second" } do
  LETTERS[letter] = {
    read = function(width) return read_digits(name, width, 2) end,
    write = padded(name),
  }
end
for _, letter in ipairs { "y", "u" } do
  LETTERS[letter] = {
    read = function(width)
      return width == 2 and function(text, at, t)
        local next_at = read_digits("year", 2, 2)(text, at, t)
        if next_at then t.year = t.year + 2000 end
        return next_at
      end or read_digits("year", math.min(width, 4), 4)
    end,
    write = function(t, width)
      return width == 2 and ("%02d"):format(t.year % 100) or padded "year"(t, width)
    end,
  }
end

--- A pattern as a list of readers and writers; nil and an error for an unknown letter.
local function compile(pattern)
  local steps, at = {}, 1
  while at <= #pattern do
    local literal = pattern:match("^'([^']*)'", at)
    local run = pattern:match("^(%a)", at)
    if literal then
      at = at + #literal + 2
      steps[#steps + 1] = { literal = literal == "" and "'" or literal }
    elseif run then
      local letters = pattern:match("^" .. run .. "+", at)
      local letter = LETTERS[run]
      if not letter then
        return fail.invalid("Invalid format: [%s]: Unknown pattern letter: %s", pattern, run)
      end
      steps[#steps + 1] = { read = letter.read(#letters), write = letter.write, width = #letters }
      at = at + #letters
    else
      steps[#steps + 1] = { literal = pattern:sub(at, at) }
      at = at + 1
    end
  end
  return steps
end

local compiled = {}

local function steps_of(pattern)
  if not compiled[pattern] then
    local steps, err = compile(pattern)
    if not steps then return nil, err end
    compiled[pattern] = steps
  end
  return compiled[pattern]
end

local function read_pattern(steps, text)
  local at, t = 1, {}
  for _, step in ipairs(steps) do
    if step.literal then
      if text:sub(at, at + #step.literal - 1) ~= step.literal then return nil end
      at = at + #step.literal
    else
      at = step.read(text, at, t)
      if not at then return nil end
    end
  end
  if at ~= #text + 1 then return nil end
  if t.half_hour then t.hour = t.half_hour % 12 + (t.afternoon and 12 or 0) end
  return t
end

--- Year with optional parts down to the fraction: `2026`, `2026-01-05T10:30Z`, ...
local function read_optional_time(text)
  local year, rest = text:match "^(%d%d%d%d)(.*)$"
  if not year then return nil end
  local t = { year = math.tointeger(tonumber(year)) }
  local function take(name, pattern)
    local digits, after = rest:match(pattern)
    if digits then t[name], rest = math.tointeger(tonumber(digits)), after end
    return digits
  end
  if take("month", "^%-(%d%d)(.*)$") and take("day", "^%-(%d%d)(.*)$") and take("hour", "^T(%d%d)(.*)$")
     and take("minute", "^:(%d%d)(.*)$") and take("second", "^:(%d%d)(.*)$") then
    local fraction, after = rest:match "^[.,](%d+)(.*)$"
    if fraction and #fraction <= 9 then
      t.ms, rest = math.tointeger(tonumber((fraction .. "00"):sub(1, 3))), after
    end
  end
  if rest == "T" and t.day and not t.hour then rest = "" end
  if t.hour and rest ~= "" then
    t.offset_ms = date_format.offset_ms(rest)
    if t.offset_ms then rest = "" end
  end
  return rest == "" and t or nil
end

local function read_epoch(scale)
  return function(text)
    local number = text:match "^%-?%d+$" or text:match "^%-?%d+%.%d+$"
    if not number then return nil end
    local ms = tonumber(number) * scale
    return math.abs(ms) < date_format.FURTHEST_MS and { epoch_ms = math.floor(ms) } or nil
  end
end

local READERS = {
  epoch_millis = read_epoch(1), epoch_second = read_epoch(1000),
  date_optional_time = read_optional_time, date_optional_time_nanos = read_optional_time,
}

local function bare_name(format)
  return (format:gsub("^strict_", ""))
end

local function in_range(t)
  if t.epoch_ms then return true end
  t.year = t.year or 1970
  local month = t.month or 1
  if month < 1 or month > 12 then return false end
  if t.day and (t.day < 1 or t.day > calendar.month_days(t.year, month)) then return false end
  return (t.hour or 0) < 24 and (t.minute or 0) < 60 and (t.second or 0) < 60
end

--- Reads a date.
-- @tparam string text
-- @tparam[opt] string format one or several joined by `||`
-- @treturn table the parts that the text names, as @{blip.query.calendar.time} takes them, with
-- `offset_ms` when it names a zone; or `epoch_ms` alone
-- @return or nil and an `invalid` error
function date_format.read(text, format)
  format = format or date_format.DEFAULT
  for one in (format .. "||"):gmatch "(.-)||" do
    local name = bare_name(one)
    local t
    if READERS[name] then
      t = READERS[name](text)
    else
      local steps, err = steps_of(NAMED[name] or one)
      if not steps then return nil, err end
      t = read_pattern(steps, text)
    end
    if t and in_range(t) then return t end
  end
  return fail.invalid("failed to parse date field [%s] with format [%s]", text, format)
end

--- Checks a format. Returns true, or nil and an `invalid` error.
function date_format.check(format)
  for one in (format .. "||"):gmatch "(.-)||" do
    local name = bare_name(one)
    if not READERS[name] then
      local steps, err = steps_of(NAMED[name] or one)
      if not steps then return nil, err end
    end
  end
  return true
end

local last_day, last_day_text

--- The default form, which histograms write thousands of times: the day is remembered.
local function write_default(ms)
  local day = ms // 86400000
  if day ~= last_day then
    last_day, last_day_text = day, ("%04d-%02d-%02dT"):format(calendar.date(day))
  end
  local of_day = ms % 86400000
  return ("%s%02d:%02d:%02d.%03dZ"):format(last_day_text, of_day // 3600000, of_day // 60000 % 60,
    of_day // 1000 % 60, of_day % 1000)
end

--- Writes a date in the first of its formats.
-- @tparam integer ms since 1970, UTC
-- @tparam[opt] string format
-- @tparam[opt=0] integer offset_ms of the zone it is written in
-- @return text, or nil and an `invalid` error
function date_format.write(ms, format, offset_ms)
  if not format and (offset_ms or 0) == 0 then return write_default(ms) end
  local first = (format or date_format.DEFAULT):match "^(.-)||" or format
  local name = bare_name(first)
  if name == "epoch_millis" then return tostring(ms) end
  if name == "epoch_second" then return tostring(ms // 1000) end
  local steps, err = steps_of(NAMED[READERS[name] and "date_time" or name] or first)
  if not steps then return nil, err end
  local t = calendar.parts(ms + (offset_ms or 0))
  t.offset = (offset_ms or 0) // 60000
  local out = {}
  for i, step in ipairs(steps) do out[i] = step.literal or step.write(t, step.width) end
  return table.concat(out)
end

return date_format
