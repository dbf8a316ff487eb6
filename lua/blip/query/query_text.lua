--- Lucene's query syntax, as `?q=` and `query_string` take it: a text in, a filter out.
--
--     category:bike AND price:[20 TO 50] -title:"red fox" (a OR b*)
--
-- @module blip.query.query_text
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local value = require "blip.query.value"

local query_text = {}

--- The words of a text, in lower case.
query_text.words = value.words

-- Brackets inside of brackets.
local MAX_DEPTH = 100

local Parser = {}
Parser.__index = Parser

function Parser:blank()
  self.at = self.text:match("^%s*()", self.at)
end

--- Takes a literal or pattern; returns what was taken.
function Parser:take(pattern)
  local found, after = self.text:match("^(" .. pattern .. ")()", self.at)
  if found then self.at = after end
  return found
end

local function refuse(self)
  return fail.es { status = 400, type = "query_shard_exception",
                   reason = ("Failed to parse query [%s]"):format(self.text) }
end

--- A filter over the field that was named, or over any of those searched by default.
function Parser:over(field, make)
  if field then return make(field) end
  local list = {}
  for i, name in ipairs(self.options.fields or { "*" }) do list[i] = make((name:gsub("%^.*$", ""))) end
  return filter.any_of(list)
end

local function unescape(word)
  return (word:gsub("\\(.)", "%1"))
end

local function bound(text)
  return text ~= "*" and unescape(text) or nil
end

function Parser:range(field, open)
  self:blank()
  local from = self:take '"[^"]*"' or self:take "[^%s%]}]+"
  self:blank()
  if not self:take "TO" then return refuse(self) end
  self:blank()
  local to = self:take '"[^"]*"' or self:take "[^%s%]}]+"
  self:blank()
  local close = self:take "[%]}]"
  if not (from and to and close) then return refuse(self) end
  from, to = from:gsub('"', ""), to:gsub('"', "")
  local bounds = {}
  bounds[open == "[" and "gte" or "gt"] = bound(from)
  bounds[close == "]" and "lte" or "lt"] = bound(to)
  return self:over(field, function(name)
    return next(bounds) and filter.range(name, bounds) or filter.exists(name)
  end)
end

local function word_filter(word, lenient)
  return function(field)
    if word == "*" then return field == "*" and filter.all() or filter.exists(field) end
    if word:find "[*?]" then return filter.wildcard(field, word) end
    return filter.match(field, unescape(word), { lenient = lenient })
  end
end

--- What stands after `field:`, or alone.
function Parser:operand(field)
  local quoted = self:take '"[^"]*"'
  if quoted then
    self:take "~%d*"
    return self:over(field, function(name)
      return filter.match(name, quoted:sub(2, -2), { phrase = true })
    end)
  end
  if self:take "%(" then
    self.depth = self.depth + 1
    if self.depth > MAX_DEPTH then return refuse(self) end
    local inner, err = self:either(field)
    if not inner then return nil, err end
    self:blank()
    if not self:take "%)" then return refuse(self) end
    self.depth = self.depth - 1
    return inner
  end
  local open = self:take "[%[{]"
  if open then return self:range(field, open) end
  local sign = self:take "[<>]=?"
  local word = self:read_word()
  if not word then return refuse(self) end
  if sign then
    local op = ({ [">"] = "gt", [">="] = "gte", ["<"] = "lt", ["<="] = "lte" })[sign]
    return self:over(field, function(name) return filter.range(name, { [op] = word }) end)
  end
  return self:over(field, word_filter(word, self.options.lenient))
end

function Parser:read_word()
  local start = self.at
  while self:take "\\." or self:take "[^%s:()\"%[%]{}^~\\]+" do end
  return self.at > start and self.text:sub(start, self.at - 1) or nil
end

--- One clause with its sign: +required, -prohibited, NOT, field: and boost.
function Parser:clause(field)
  self:blank()
  local sign = self:take "[+%-!]" or (self:take "NOT%s+" and "-")
  self:blank()
  local before, named = self.at, self:read_word()
  local node, err
  if named and self:take ":" then
    self:blank()
    if named == "_exists_" then
      node = filter.exists(self:read_word() or "")
    else
      node, err = self:operand(unescape(named))
    end
  else
    self.at = before
    node, err = self:operand(field)
  end
  if not node then return nil, err end
  self:take "%^[%d.]+"
  self:take "~[%d.]*"
  return node, nil, sign
end

local function ends(self)
  self:blank()
  return self.at > #self.text or self.text:sub(self.at, self.at) == ")"
end

--- Joins clauses: needed ones all hold; of the others at least one when none is needed.
local function joined(needed, wanted)
  if #needed == 0 then return filter.any_of(wanted) end
  return filter.all_of(needed)
end

--- A row of clauses with AND, OR and signs between them.
function Parser:either(field)
  local needed, wanted, any = {}, {}, {}
  local previous
  while not ends(self) do
    local word = self:take "AND%s+" or self:take "&&%s*" or self:take "OR%s+" or self:take "||%s*"
    local both = word and (word:find "AND" or word:find "&")
    local node, err, sign = self:clause(field)
    if not node then return nil, err end
    if both and previous then
      needed[#needed + 1] = table.remove(wanted)
      any.positive = true
    end
    if sign == "-" or sign == "!" then
      needed[#needed + 1] = ~node
      previous = nil
    elseif sign == "+" or both or (not word and self.options.all) then
      needed[#needed + 1] = node
      any.positive, previous = true, nil
    else
      wanted[#wanted + 1] = node
      previous = true
    end
  end
  if #wanted > 0 and not any.positive then needed[#needed + 1] = filter.any_of(wanted) end
  return joined(needed, wanted)
end

--- Reads a query.
-- @tparam string text
-- @tparam[opt] table options `fields` searched where none is named (default all), `all` clauses
-- are needed unless OR stands between them, `lenient` a word that does not fit its field matches
-- nothing instead of being an error
-- @return a filter, or nil and the dialect's error
function query_text.parse(text, options)
  local parser = setmetatable({ text = text, at = 1, depth = 0, options = options or {} }, Parser)
  local node, err = parser:either(nil)
  if not node then return nil, err end
  if parser.at <= #text then return refuse(parser) end
  return node
end

return query_text
