--- A pull parser over one JSON text that knows where it stands.
-- What a detector body is refused for depends on the order of its fields, and the refusal names
-- line and column; a decoded table has lost both. The parser stops at the end of the first value:
-- what follows it is not looked at.
--     local reader = tokens.new '{"name": "x"}'
--     reader:next()  --> "START_OBJECT"
--     reader:next()  --> "FIELD_NAME", reader.value == "name"
--     reader:next()  --> "VALUE_STRING", reader:text() == "x"
-- @module blip.api.opensearch.tokens
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"

local MAX_DEPTH = 1000
local VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local LITERALS = { ["true"] = true, ["false"] = false, ["null"] = json.null }
local CLOSERS = { Object = "}", Array = "]" }

-- The fields of each object that `Reader:tree` made, in the order of the text.
local ORDER = setmetatable({}, { __mode = "k" })

local Reader = {}
Reader.__index = Reader

local tokens = {}

--- The fields of an object made by `Reader:tree`, in the order of the text.
function tokens.keys(object)
  return ORDER[object]
end

--- Starts before the first token.
-- @tparam string text UTF-8
function tokens.new(text)
  local reader = setmetatable({ source = text, at = 1, start = 1, open = {} }, Reader)
  local _, broken = utf8.len(text)
  if broken then
    reader.start = broken
    reader:malformed(("Invalid UTF-8 start byte 0x%02x"):format(text:byte(broken)))
  end
  return reader
end

--- Line and column, both from one, of the current token.
function Reader:place()
  local _, lines = self.source:sub(1, self.start - 1):gsub("\n", "")
  local line_start = self.source:sub(1, self.start - 1):match(".*\n()") or 1
  return lines + 1, self.start - line_start + 1
end

function Reader:malformed(text)
  local line, column = self:place()
  refuse.json("json_parse_exception", line, column, text)
end

function Reader:ended(text)
  self.start = #self.source + 1
  local line, column = self:place()
  refuse.json("json_e_o_f_exception", line, column, "Unexpected end-of-input" .. text)
end

local function character(source, at)
  local code = utf8.codepoint(source, at)
  return ("('%s' (code %d))"):format(utf8.char(code), code)
end

function Reader:unexpected(text)
  self.start = self.at
  self:malformed(("Unexpected character %s: %s"):format(character(self.source, self.at), text))
end

-- Moves to the next character that is not white space and returns it, nil at the end.
function Reader:peek()
  self.at = self.source:find("[^ \t\r\n]", self.at) or #self.source + 1
  self.start = self.at
  return self.at <= #self.source and self.source:sub(self.at, self.at) or nil
end

-- Moves past one code unit of a surrogate pair or a plain character: "\uXXXX" at `at`.
function Reader:code_unit(at)
  local digits = self.source:match("^\\u(%x%x%x%x)", at)
  return digits and tonumber(digits, 16)
end

-- The character of the escape at `at`, and where the text goes on.
function Reader:escape(at)
  local plain = ESCAPES[self.source:sub(at + 1, at + 1)]
  if plain then
    return plain, at + 2
  end
  local unit = self:code_unit(at)
  if not unit then
    self.start = at + 1
    self:malformed(("Unrecognized character escape %s"):format(character(self.source, at + 1):sub(2, -2)))
  end
  local low = unit >= 0xD800 and unit < 0xDC00 and self:code_unit(at + 6)
  if low and low >= 0xDC00 and low < 0xE000 then
    return utf8.char(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00), at + 12
  end
  local lone = unit >= 0xD800 and unit < 0xE000
  return utf8.char(lone and 0xFFFD or unit), at + 6
end

-- Reads the string that begins at `at`; `where` names it in the error of a text that ends inside it.
function Reader:string(where)
  local parts, from = {}, self.at + 1
  while true do
    local stop = self.source:find('["\\%c]', from)
    if not stop or (self.source:sub(stop, stop) == "\\" and stop == #self.source) then
      self:ended(where)
    end
    parts[#parts + 1] = self.source:sub(from, stop - 1)
    local mark = self.source:sub(stop, stop)
    if mark == '"' then
      self.at = stop + 1
      return table.concat(parts)
    elseif mark == "\\" then
      parts[#parts + 1], from = self:escape(stop)
    elseif mark == "\127" then
      parts[#parts + 1], from = mark, stop + 1
    else
      self.start = stop
      self:malformed(
        ("Illegal unquoted character ((CTRL-CHAR, code %d)): "
          .. "has to be escaped using backslash to be included in string value"):format(mark:byte())
      )
    end
  end
end

function Reader:number()
  local source, from = self.source, self.at
  local stop = source:match("^-?%d+()", from)
  if not stop then
    self.at = from + 1
    if self.at > #source then
      self:ended(": No digit following sign")
    end
    self:unexpected("expected digit (0-9) to follow minus sign, for valid numeric value")
  end
  if source:find("^-?0%d", from) then
    self:malformed("Invalid numeric value: Leading zeroes not allowed")
  end
  stop = source:match("^%.%d+()", stop) or stop
  stop = source:match("^[eE][+-]?%d+()", stop) or stop
  self.at = stop
  self.raw = source:sub(from, stop - 1)
  self.value = tonumber(self.raw)
  return "VALUE_NUMBER"
end

function Reader:literal()
  local word = self.source:match("^[%a_$][%w_$]*", self.at)
  if not word then
    self:unexpected("expected a valid value " .. VALUES)
  end
  local value = LITERALS[word]
  if value == nil then
    self:malformed(("Unrecognized token '%s': was expecting %s"):format(word, VALUES))
  end
  self.at, self.value = self.at + #word, value
  return value == json.null and "VALUE_NULL" or "VALUE_BOOLEAN"
end

function Reader:push(kind, token)
  if #self.open >= MAX_DEPTH then
    local text = "Document nesting depth (%d) exceeds the maximum allowed (%d)"
    self:malformed(text:format(MAX_DEPTH + 1, MAX_DEPTH))
  end
  self.open[#self.open + 1] = { kind = kind, seen = {}, count = 0 }
  self.at = self.at + 1
  return token
end

function Reader:pop(top)
  self.open[#self.open] = nil
  self.at = self.at + 1
  return top.kind == "Object" and "END_OBJECT" or "END_ARRAY"
end

-- The token of the value that begins with the character `first`.
function Reader:value_token(first)
  if first == "{" then
    return self:push("Object", "START_OBJECT")
  elseif first == "[" then
    return self:push("Array", "START_ARRAY")
  elseif first == '"' then
    self.value = self:string " in VALUE_STRING"
    return "VALUE_STRING"
  elseif first:find "[%d-]" then
    return self:number()
  end
  return self:literal()
end

-- Past the comma before the second and every later entry; returns the first character of the entry
-- or of the end.
function Reader:entry(top)
  local first = self:peek()
  if not first then
    self:ended((": expected close marker for %s"):format(top.kind))
  end
  if first == CLOSERS[top.kind] then
    return first, true
  end
  if top.count > 0 then
    if first ~= "," then
      self:unexpected(("was expecting comma to separate %s entries"):format(top.kind))
    end
    self.at = self.at + 1
    first = self:peek()
    if not first then
      self:malformed(("Unexpected end-of-input within/between %s entries"):format(top.kind))
    end
  end
  top.count = top.count + 1
  return first, false
end

function Reader:field(top)
  local first, ends = self:entry(top)
  if ends then
    return self:pop(top)
  elseif first ~= '"' then
    self:unexpected "was expecting double-quote to start field name"
  end
  local name = self:string " in field name"
  if top.seen[name] then
    self:malformed(("Duplicate field '%s'"):format(name))
  end
  top.seen[name] = true
  self.value = name
  return "FIELD_NAME"
end

function Reader:field_value()
  if self:peek() == ":" then
    self.at = self.at + 1
  elseif self.at <= #self.source then
    self:unexpected "was expecting a colon to separate field name and value"
  end
  local first = self:peek()
  if not first then
    self:ended " within/between Object entries"
  end
  return self:value_token(first)
end

function Reader:element(top)
  local first, ends = self:entry(top)
  return ends and self:pop(top) or self:value_token(first)
end

--- Moves to the next token and returns its name; nil after the end of the text's first value.
function Reader:next()
  local top = self.open[#self.open]
  if top then
    if top.kind == "Array" then
      self.token = self:element(top)
    elseif self.token == "FIELD_NAME" then
      self.token = self:field_value()
    else
      self.token = self:field(top)
    end
  else
    local first = not self.token and self:peek()
    self.token = first and self:value_token(first) or nil
  end
  return self.token
end

--- Refuses the current token when it is not the one that the grammar wants here.
function Reader:expect(token)
  if self.token ~= token then
    local line, column = self:place()
    refuse.parsing(
      line,
      column,
      "Failed to parse object: expecting token of type [%s] but found [%s]",
      token,
      self.token or "null"
    )
  end
end

-- The parser's own name of the token, which tells true from false.
function Reader:token_name()
  if self.token == "VALUE_BOOLEAN" then
    return self.value and "VALUE_TRUE" or "VALUE_FALSE"
  end
  return self.token
end

--- The current value as text: numbers and booleans become text too.
function Reader:text()
  if self.token == "VALUE_STRING" then
    return self.value
  elseif self.token == "VALUE_NUMBER" then
    return self.raw
  elseif self.token == "VALUE_BOOLEAN" then
    return tostring(self.value)
  end
  local line, column = self:place()
  refuse.no_text(line, column, self.token)
end

-- The current value as a number of any size; numbers in strings count.
function Reader:numeric()
  if self.token == "VALUE_STRING" then
    local number = tonumber(self.value)
    if not number or self.value:find "[xX]" then
      refuse.number_format(self.value)
    end
    return number
  elseif self.token ~= "VALUE_NUMBER" then
    self.start = self.at
    local text = "Current token (%s) not numeric, can not use numeric value accessors"
    self:malformed(text:format(self:token_name()))
  end
  return self.value
end

-- The current value cut to a whole number between two bounds.
function Reader:whole(low, high, name)
  local number = self:numeric()
  if number ~= number or number < low or number > high then
    self:malformed(("Numeric value (%s) out of range of `%s` (%d - %d)"):format(self:text(), name, low, high))
  end
  return math.tointeger(number < 0 and math.ceil(number) or math.floor(number))
end

--- The current value as a 32-bit integer: fractions are cut off.
function Reader:integer()
  return self:whole(-0x80000000, 0x7FFFFFFF, "int")
end

--- The current value as a 64-bit integer: fractions are cut off.
function Reader:long()
  if self.token == "VALUE_STRING" and not tonumber(self.value) then
    refuse.argument('For input string: "%s"', self.value)
  end
  return self:whole(math.mininteger, math.maxinteger, "long")
end

--- The current value as a point of time in milliseconds; nil when it is null.
function Reader:instant()
  return self.token ~= "VALUE_NULL" and self:long() or nil
end

--- The current value as a float.
function Reader:double()
  return self:numeric() + 0.0
end

--- The current value as true or false; the words count too.
function Reader:boolean()
  if self.token == "VALUE_BOOLEAN" then
    return self.value
  elseif self.token == "VALUE_STRING" then
    if self.value ~= "true" and self.value ~= "false" then
      refuse.argument("Failed to parse value [%s] as only [true] or [false] are allowed.", self.value)
    end
    return self.value == "true"
  end
  self.start = self.at
  self:malformed(("Current token (%s) not of boolean type"):format(self:token_name()))
end

--- Leaves the current object or array behind; a plain value stays where it is.
function Reader:skip()
  if self.token ~= "START_OBJECT" and self.token ~= "START_ARRAY" then
    return
  end
  local depth = #self.open
  while #self.open >= depth do
    self:next()
  end
end

--- Calls `field(name)` for each field of the current object, with the reader at the field's value.
function Reader:each(field)
  while self:next() ~= "END_OBJECT" do
    local name = self.value
    self:next()
    field(name)
  end
end

--- The current value and all below it: objects keep the order of their fields (see `tokens.keys`).
function Reader:tree()
  if self.token == "START_OBJECT" then
    local object, keys = {}, {}
    self:each(function(name)
      keys[#keys + 1] = name
      object[name] = self:tree()
    end)
    ORDER[object] = keys
    return json.ordered(object, keys)
  elseif self.token == "START_ARRAY" then
    local list = {}
    while self:next() ~= "END_ARRAY" do
      list[#list + 1] = self:tree()
    end
    return json.array(list)
  end
  return self.value
end

--- The value of a JSON text, its objects in the order of the text.
function tokens.decode(text)
  local reader = tokens.new(text)
  reader:next()
  return reader:tree()
end

return tokens
