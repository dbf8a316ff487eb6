--- Strict readers of the objects in bodies (elastic-ml.md 1.2).
--     local condition = object.new("rule_condition", {
--       applies_to = object.word { "actual", "typical", "diff_from_typical", "time" },
--       value = object.double,
--     }, { required = { "applies_to", "value" } })
--     local sent = condition:parse(text)       -- { applies_to = "actual", value = 3.0 }
-- What no field is called, and what does not fit its field, is refused with the place where it stands:
--     [1:17] [rule_condition] unknown field [aplies_to] did you mean [applies_to]?
--     [1:30] [rule_condition] failed to parse field [value]      and the reason as its cause
-- A field that is null is as one that was not sent.
--
-- A field is a function(reader, name, parser) that takes the value at which the reader stands.
-- @module blip.api.elastic.object
local fail = require "blip.fail"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local refuse = require "blip.api.opensearch.refuse"
local tokens = require "blip.api.opensearch.tokens"

local Parser = {}
Parser.__index = Parser

local object = {}

--- A reader of objects.
-- @tparam string name what refusals call the object
-- @tparam table fields name to field
-- @tparam[opt] table options `required` (names that must be there), `aliases` (name to the field that
-- it stands for)
function object.new(name, fields, options)
  options = options or {}
  return setmetatable({
    name = name, fields = fields, required = options.required or {}, aliases = options.aliases or {},
  }, Parser)
end

-- --- fields ---------------------------------------------------------------------------------

local function expect(reader, name, parser, accepted)
  if accepted[reader.token] then return end
  local line, column = reader:place()
  refuse.content(line, column, "[%s] %s doesn't support values of type: %s", parser.name, name,
    reader:token_name())
end

local STRING = { VALUE_STRING = true }
local SCALAR = { VALUE_STRING = true, VALUE_NUMBER = true }
local BOOLEAN = { VALUE_STRING = true, VALUE_BOOLEAN = true }
local OBJECT = { START_OBJECT = true }

-- A field of one of some tokens, read by one of the reader's methods.
local function plain(accepted, method)
  return function(reader, name, parser)
    expect(reader, name, parser, accepted)
    return reader[method](reader)
  end
end

--- A text.
object.text = plain(STRING, "text")
--- A text, or a number as a text.
object.scalar_text = plain(SCALAR, "text")
--- A 32-bit whole number, or a text of one.
object.integer = plain(SCALAR, "integer")
--- A 64-bit whole number, or a text of one.
object.long = plain(SCALAR, "long")
--- A number, or a text of one.
object.double = plain(SCALAR, "double")
--- True or false, or one of these words.
object.boolean = plain(BOOLEAN, "boolean")
--- An object whose content nobody looks into; its fields keep their order.
object.any = plain(OBJECT, "tree")

--- One of some words, in any case.
-- @tparam {string,...} words in lower case
function object.word(words)
  local known = {}
  for _, word in ipairs(words) do known[word] = true end
  return function(reader, name, parser)
    expect(reader, name, parser, STRING)
    local word = reader:text():lower()
    if not known[word] then
      refuse.argument("Unknown value [%s]; must be one of [%s]", reader:text(), table.concat(words, ", "))
    end
    return word
  end
end

--- Another object.
-- @tparam table parser made by @{new}
function object.nested(parser)
  return function(reader, name, outer)
    expect(reader, name, outer, OBJECT)
    return parser:read(reader)
  end
end

--- An object as `field` takes it, from a field or a text: whatever is there.
function object.tree(reader)
  return reader:tree()
end

--- A list of values; one value stands for a list of one.
-- @tparam function field of each value
function object.list(field)
  return function(reader, name, parser)
    local list = {}
    if reader.token ~= "START_ARRAY" then
      list[1] = field(reader, name, parser)
      return json.array(list)
    end
    while reader:next() ~= "END_ARRAY" do
      list[#list + 1] = field(reader, name, parser)
    end
    return json.array(list)
  end
end

--- An object with names of any kind, each with a value of one kind.
-- @tparam function field of each value
function object.map(field)
  return function(reader, name, parser)
    expect(reader, name, parser, OBJECT)
    local map, keys = {}, {}
    reader:each(function(key)
      keys[#keys + 1] = key
      map[key] = field(reader, key, parser)
    end)
    return json.ordered(map, keys)
  end
end

-- --- reading --------------------------------------------------------------------------------

-- Line and column of a byte. They are counted from the beginning, so only for refusals.
local function place_of(reader, at)
  reader.start = at
  return reader:place()
end

local SYNTAX = { json_parse_exception = true, json_e_o_f_exception = true }

local function cause_of(err)
  return { type = err.type or fail.kinds[err.kind].type, reason = err.reason, caused_by = err.caused_by }
end

-- Reads one field; what it refuses becomes the cause of this object's refusal.
local function read_field(self, reader, name, at)
  local ok, value = pcall(self.fields[name], reader, name, self)
  if ok then return value end
  if not fail.is(value) or SYNTAX[value.type] then error(value, 0) end
  if value.type == "x_content_parse_exception" and value.reason:find "doesn't support values" then
    error(value, 0)
  end
  local line, column = place_of(reader, at)
  local _, err = fail.es {
    status = 400, type = "x_content_parse_exception",
    reason = ("[%d:%d] [%s] failed to parse field [%s]"):format(line, column, self.name, name),
    caused_by = cause_of(value),
  }
  error(err, 0)
end

local function check_required(self, sent)
  for _, name in ipairs(self.required) do
    if sent[name] == nil then refuse.argument("Required [%s]", name) end
  end
end

--- Reads the object at whose opening brace the reader stands.
-- @tparam tokens.Reader reader
-- @treturn table name to value; raises the dialect's error
function Parser:read(reader)
  local sent = {}
  while reader:next() ~= "END_OBJECT" do
    local name, at = reader.value, reader.start
    reader:next()
    local field = self.aliases[name] or name
    if not self.fields[field] then
      local line, column = place_of(reader, at)
      refuse.content(line, column, "[%s] unknown field [%s]%s", self.name, name,
        problem.suggestion(name, self.fields))
    elseif reader.token ~= "VALUE_NULL" then
      sent[field] = read_field(self, reader, field, at)
    end
  end
  check_required(self, sent)
  return sent
end

--- Reads a text that is one object.
function Parser:parse(text)
  local reader = tokens.new(text)
  reader:next()
  if reader.token ~= "START_OBJECT" then
    local line, column = reader:place()
    refuse.content(line, column, "[%s] Expected START_OBJECT but was: %s", self.name,
      reader.token and reader:token_name() or "null")
  end
  return self:read(reader)
end

return object
