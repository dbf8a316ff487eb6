--- Filters as SQL over one index's table.
-- @module blip.query.predicate
local fail = require "blip.fail"
local value = require "blip.query.value"

local predicate = {}

local compile  -- filter, target -> SQL

local function each(node, first, target, joined)
  local parts = {}
  for i = first, #node do
    local sql, err = compile(node[i], target)
    if not sql then return nil, err end
    parts[#parts + 1] = sql
  end
  return "(" .. table.concat(parts, joined) .. ")"
end

--- What `make(x)` says of any value of a field: of its column, or of one in its list.
local function any_value(field, make)
  local sql, err = make(field.column)
  if not sql or not field.list then return sql, err end
  return ("(%s OR coalesce(len(list_filter(%s, lambda v: %s)) > 0, FALSE))"):format(sql, field.list, make "v")
end

--- A compiler of filters `{ op, field, ... }`: `make(field, x, node, target)` is the SQL over
-- one value x of the field. No row has a value in a field that the index does not know.
local function over_field(make)
  return function(node, target)
    local field = target.field(node[1])
    if not field then return "FALSE" end
    return any_value(field, function(x) return make(field, x, node, target) end)
  end
end

--- As @{over_field}; the field `*` stands for all fields of words.
local function over_fields(make)
  local over_one = over_field(make)
  return function(node, target)
    if node[1] ~= "*" then return over_one(node, target) end
    local tests = {}
    for _, field in ipairs(target.word_fields()) do
      local sql, err = any_value(field, function(x) return make(field, x, node, target) end)
      if not sql then return nil, err end
      tests[#tests + 1] = sql
    end
    return #tests == 0 and "FALSE" or "(" .. table.concat(tests, " OR ") .. ")"
  end
end

--- LIKE's pattern of a pattern of `*` and `?`.
local function like_pattern(pattern)
  return (pattern:gsub("[%%_\\]", "\\%0"):gsub("%*", "%%"):gsub("%?", "_"))
end

local function is_text(field) return field.type == "text" end

local WORDS = { text = true, keyword = true, wildcard = true, match_only_text = true, flat_object = true }

--- A compiler of patterns, which only fields of words can have.
local function over_words(name, make)
  return over_field(function(field, x, node, target)
    if WORDS[field.type] then return make(field, x, node, target) end
    return fail.es { status = 400, type = "query_shard_exception", reason =
      ("Can only use %s queries on keyword and text fields - not on [%s] which is of type [%s]"):format(
        name, node[1], field.type) }
  end)
end

local function match_words(field, x, text, options, bind)
  local words = value.words(text)
  if #words == 0 then return "FALSE" end
  if options.phrase then return value.phrase(x, words, bind, options.prefix and "[\\p{L}\\p{N}_]*") end
  local tests = {}
  for i, word in ipairs(words) do
    local open = options.prefix and i == #words
    tests[i] = value.word(field, x, word, bind, open and "[\\p{L}\\p{N}_]*" or nil)
  end
  if options.all then return "(" .. table.concat(tests, " AND ") .. ")" end
  local least = options.at_least or 1
  if least <= 1 then return "(" .. table.concat(tests, " OR ") .. ")" end
  for i, test in ipairs(tests) do tests[i] = "(" .. test .. ")::INT" end
  return ("(%s >= %s)"):format(table.concat(tests, " + "), bind(least))
end

--- How each filter compiles: `(node, target) -> SQL | nil, err`.
local OPS = {
  all = function() return "TRUE" end,
  none = function() return "FALSE" end,
  ["and"] = function(node, target) return each(node, 1, target, " AND ") end,
  ["or"] = function(node, target) return each(node, 1, target, " OR ") end,

  ["not"] = function(node, target)
    local sql, err = compile(node[1], target)
    return sql and ("(%s) IS NOT TRUE"):format(sql), err  -- unknown is no match, so its negation is one
  end,

  at_least = function(node, target)
    local tests = {}
    for i = 2, #node do
      local sql, err = compile(node[i], target)
      if not sql then return nil, err end
      tests[#tests + 1] = ("coalesce(%s, FALSE)::INT"):format(sql)
    end
    return ("(%s >= %s)"):format(table.concat(tests, " + "), target.bind(node[1]))
  end,

  term = over_field(function(field, x, node, target)
    return value.equals(field, x, node[2], target.bind, node[3])
  end),

  terms = over_field(function(field, x, node, target)
    return value.any_of(field, x, node[2], target.bind)
  end),

  range = over_field(function(field, x, node, target)
    local tests, bounds = {}, node[2]
    for _, op in ipairs { "gt", "gte", "lt", "lte" } do
      if bounds[op] ~= nil then
        local sql, err = value.compare(field, x, op, bounds[op], target.bind, bounds)
        if not sql then return nil, err end
        tests[#tests + 1] = sql
      end
    end
    return "(" .. table.concat(tests, " AND ") .. ")"
  end),

  exists = function(node, target)
    local tests = {}
    for _, field in ipairs(target.fields_below(node[1])) do
      tests[#tests + 1] = field.column .. " IS NOT NULL"
    end
    return #tests == 0 and "FALSE" or "(" .. table.concat(tests, " OR ") .. ")"
  end,

  match = over_fields(function(field, x, node, target)
    if is_text(field) then return match_words(field, x, node[2], node[3], target.bind) end
    if node[3].prefix then
      return ("starts_with(%s::VARCHAR, %s)"):format(x, target.bind(tostring(node[2])))
    end
    local sql, err = value.equals(field, x, node[2], target.bind)
    if not sql and node[3].lenient then return "FALSE" end
    return sql, err
  end),

  prefix = over_words("prefix", function(field, x, node, target)
    local fold = node[3] and node[3].case_insensitive
    if is_text(field) then return value.word(field, x, node[2], target.bind, "[\\p{L}\\p{N}_]*") end
    if fold then return ("starts_with(lower(%s), lower(%s))"):format(x, target.bind(node[2])) end
    return ("starts_with(%s::VARCHAR, %s)"):format(x, target.bind(node[2]))
  end),

  wildcard = over_words("wildcard", function(field, x, node, target)
    if is_text(field) then
      local pattern = node[2]:gsub("[%^%$%(%)%.%[%]%+{}|\\]", "\\%0"):gsub("%*", "[\\p{L}\\p{N}_]*")
        :gsub("%?", "[\\p{L}\\p{N}_]")
      pattern = "(?i)(?:^|[^\\p{L}\\p{N}_])" .. pattern .. "(?:[^\\p{L}\\p{N}_]|$)"
      return ("regexp_matches(%s, %s)"):format(x, target.bind(pattern))
    end
    local like = node[3] and node[3].case_insensitive and "ILIKE" or "LIKE"
    return ("%s::VARCHAR %s %s ESCAPE '\\'"):format(x, like, target.bind(like_pattern(node[2])))
  end),

  regexp = over_words("regexp", function(field, x, node, target)
    local fold = (is_text(field) or node[3] and node[3].case_insensitive) and "(?i)" or ""
    if is_text(field) then
      local pattern = "(?i)(?:^|[^\\p{L}\\p{N}_])(?:" .. node[2] .. ")(?:[^\\p{L}\\p{N}_]|$)"
      return ("regexp_matches(%s, %s)"):format(x, target.bind(pattern))
    end
    return ("regexp_full_match(%s::VARCHAR, %s)"):format(x, target.bind(fold .. node[2]))
  end),

  ids = function(node, target)
    local places = {}
    for i, id in ipairs(node[1]) do places[i] = target.bind(tostring(id)) end
    return #places == 0 and "FALSE" or ("\"_id\" IN (%s)"):format(table.concat(places, ", "))
  end,

  nested = function(node, target)
    local inner, err = target.nested(node[1])
    if not inner then return nil, err end
    local sql
    sql, err = compile(node[2], inner.target)
    return sql and ("len(list_filter(%s, lambda o: %s)) > 0"):format(inner.objects, sql), err
  end,
}

function compile(node, target)
  local op = OPS[node.op]
  if not op then return fail.invalid("unknown filter '%s'", tostring(node.op)) end
  return op(node, target)
end

--- SQL that holds for the rows of an index for which a filter holds.
-- @param node a filter
-- @tparam table target `field(name)` gives what the mapping says of a field or nil,
-- `fields_below(name)` a list of the field and those below it, `word_fields()` a list of all
-- fields of words, `nested(path)` a target within each of an object's parts, `bind(value)` a place
-- for a value
-- @return SQL, or nil and an error: a value that does not fit its field
function predicate.sql(node, target)
  return compile(node, target)
end

return predicate
