--- How well a hit fits its query: BM25, as the dialect's servers work it out.
--
--     score of a word = boost · idf · tf / (tf + k1 · (1 - b + b · length / average length))
--     idf             = ln(1 + (N - n + 0.5) / (n + 0.5))      n of N documents have the word
--
-- A query is a sum of parts; filters add nothing, and what has no words adds its boost.
-- Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
-- @module blip.query.score
local dsl = require "blip.query.dsl"
local filter = require "blip.query.filter"
local read = require "blip.query.read"
local rows = require "blip.query.rows"
local value = require "blip.query.value"

local score = {}

local K1, B = 1.2, 0.75

-- Documents that the average length of a text is taken from.
local SAMPLE = 10000

local parts_of  -- query, boost, out

local function boost_of(clause, boost)
  return boost * (read.is_object(clause) and tonumber(clause.boost) or 1)
end

--- The one field of a clause, its value and its boost.
local function one_field(clause, option, boost)
  for field, options in pairs(clause) do
    if field ~= "boost" and field ~= "_name" then
      if not read.is_object(options) then return field, options, boost end
      return field, options[option], boost_of(options, boost)
    end
  end
end

local function add_words(option)
  return function(clause, boost, out)
    local field, text, own = one_field(clause, option, boost)
    local words = option == "query" and value.words(text) or { text }
    for _, word in ipairs(words) do out[#out + 1] = { field = field, word = word, boost = own } end
  end
end

local function add_list(list, boost, out)
  for _, query in ipairs(read.list(list)) do parts_of(query, boost, out) end
end

--- What each clause adds to the parts; one that is not listed adds its boost.
local CLAUSES = {
  term = add_words "value",
  match = add_words "query",
  match_phrase = add_words "query",
  bool = function(clause, boost, out)
    boost = boost_of(clause, boost)
    add_list(clause.must, boost, out)
    add_list(clause.should, boost, out)
  end,
  dis_max = function(clause, boost, out) add_list(clause.queries, boost_of(clause, boost), out) end,
}

function parts_of(query, boost, out)
  local name, clause = next(query)
  if CLAUSES[name] then return CLAUSES[name](clause, boost, out) end
  local own = boost_of(clause, boost)
  if name ~= "match_all" and name ~= "constant_score" then
    local _, inner = next(clause)
    own = boost_of(inner, own)
  end
  out[#out + 1] = { filter = assert(dsl.query(query)), boost = own }
end

--- The parts of a query that was read before, so nothing in it is wrong.
-- @return a list of `{ field =, word =, boost = }` and `{ filter =, boost = }`
function score.parts(query)
  local out = {}
  parts_of(query or { match_all = {} }, 1.0, out)
  return out
end

local WORDS = { text = true, match_only_text = true }

--- The score that every hit has; nil when hits differ.
-- Filters alone score 0, a lone part its boost unless it asks for a word of a text: values that
-- are compared whole are no rarer for being words.
function score.constant(parts, indices)
  if #parts == 0 then return 0.0 end
  local part = parts[2] == nil and parts[1]
  if not part or part.word and WORDS[rows.new(indices):type(part.field)] then return nil end
  return part.boost + 0.0
end

local function tokens(x)
  return ("list_filter(string_split_regex(lower(%s), '[^\\p{L}\\p{N}_]+'), lambda t: t <> '')"):format(x)
end

--- How many documents have the field, and how many the word.
local function frequencies(connection, indices, part)
  local from = rows.new(indices)
  local field = from:field(part.field)
  local has = from:condition(filter.match(part.field, part.word, { lenient = true }))
  local source, err = from:sql()
  if not source then return nil, err end
  local sql = "SELECT count(%s) AS documents, count(*) FILTER (WHERE %s) AS found FROM %s"
  return connection:query(sql:format(field.sql, has, source), from.params)
end

local function average_length(connection, indices, name)
  local from = rows.new(indices)
  local field = from:field(name)
  local source, err = from:sql()
  if not source then return nil, err end
  local sql = "SELECT avg(len(%s)) AS length FROM (SELECT * FROM %s WHERE %s IS NOT NULL LIMIT %d)"
  local frame
  frame, err = connection:query(sql:format(tokens(field.sql), source, field.sql, SAMPLE), from.params)
  return frame and (frame:get(1, "length") or 1), err
end

--- SQL of what one word adds.
local function word_sql(connection, indices, part, from)
  local field = from:field(part.field)
  local holds = from:condition(filter.match(part.field, part.word, { lenient = true }))
  if not WORDS[field.type] then
    return ("CASE WHEN %s THEN %.9g ELSE 0 END"):format(holds, part.boost)
  end
  local counted, err = frequencies(connection, indices, part)
  if not counted then return nil, err end
  local documents, found = counted:get(1, "documents"), counted:get(1, "found")
  local weight = part.boost * math.log(1 + (documents - found + 0.5) / (found + 0.5))
  local length
  length, err = average_length(connection, indices, part.field)
  if not length then return nil, err end
  local words = tokens(field.sql)
  local frequency = ("len(list_filter(%s, lambda t: t = %s))"):format(words, from:bind(part.word))
  return ("CASE WHEN %s THEN %.9g * %s / (%s + %.9g + %.9g * len(%s)) ELSE 0 END"):format(holds, weight,
    frequency, frequency, K1 * (1 - B), K1 * B / length, words)
end

--- SQL of a hit's score.
-- @param connection of the store
-- @tparam table indices a list of `{ name =, mapping = }`
-- @tparam table parts from @{parts}
-- @param from the @{blip.query.rows} of the hits
-- @return SQL of a number, or nil and an error
function score.sql(connection, indices, parts, from)
  local terms = {}
  for i, part in ipairs(parts) do
    if part.word then
      local sql, err = word_sql(connection, indices, part, from)
      if not sql then return nil, err end
      terms[i] = sql
    else
      terms[i] = ("CASE WHEN %s THEN %.9g ELSE 0 END"):format(from:condition(part.filter), part.boost)
    end
  end
  return "(" .. table.concat(terms, " + ") .. ")::FLOAT::DOUBLE"
end

return score
