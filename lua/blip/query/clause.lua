--- The query clauses of the search dialect: JSON in, a filter out.
-- A clause is one entry of `clauses`; @{blip.query.dsl} finds it by its name and passes the
-- clause's body. What a clause does not know it refuses by name.
-- @module blip.query.clause
local filter = require "blip.query.filter"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local query_text = require "blip.query.query_text"
local read = require "blip.query.read"

local clauses = {}

--- A clause over one field: `{ field = value }` or `{ field = { options } }`.
-- @tparam string name of the clause
-- @tparam table options `value`: the option that the short form stands for; `known`: the set of
-- all options
-- @tparam function make `(field, value, options) -> filter | nil, err`
local function field_clause(name, options, make)
  return function(body)
    local field, value
    for _, key in ipairs(read.keys(body)) do
      if key == "boost" or key == "_name" then goto continue end
      if field then
        return problem.parsing("[%s] query doesn't support multiple fields, found [%s] and [%s]",
          name, field, key)
      end
      field, value = key, body[key]
      ::continue::
    end
    if not field then return problem.argument "field name is null or empty" end
    if type(value) == "table" and json.is_array(value) then
      return problem.parsing("[%s] query does not support array of values", name)
    end
    if not read.is_object(value) then return make(field, value, {}) end
    for _, key in ipairs(read.keys(value)) do
      if not options.known[key] then return problem.parsing("[%s] query does not support [%s]", name, key) end
      local ok, err = read.check_kind(name, value, key)
      if not ok then return nil, err end
    end
    return make(field, value[options.value], value)
  end
end

local function needs_value(name, make)
  return function(field, value, options)
    if value == nil or value == json.null then
      return problem.argument(name == "match" and "[match] requires query value" or "value cannot be null")
    end
    if type(value) == "table" then
      return problem.parsing("[%s] unknown token [%s] after [query]", name, read.token(value))
    end
    return make(field, value, options)
  end
end

function clauses.match_all() return filter.all() end
function clauses.match_none() return filter.none() end

clauses.term = field_clause("term",
  { value = "value", known = read.set "value boost _name case_insensitive" },
  needs_value("term", filter.term))

clauses.span_term = clauses.term

--- Takes the values of a path out of a document.
local function dig(node, path, out)
  if type(node) == "table" and json.is_array(node) then
    for _, item in ipairs(node) do dig(item, path, out) end
  elseif path == "" then
    if node ~= nil and node ~= json.null then out[#out + 1] = node end
  elseif read.is_object(node) then
    local first, rest = path:match "^([^.]*)%.?(.*)$"
    dig(node[first], rest, out)
  end
  return out
end

--- Whoever asks must be allowed to read that document, whatever the query is part of.
local LOOK = { action = "indices:data/read/get" }

--- The terms that a document of some index has in a field.
local function lookup(field, place)
  local ok, err = read.check_options("terms", place, read.set "index id path routing store")
  if not ok then return nil, err end
  if not (place.index and place.id and place.path) then
    return problem.argument "[terms] query lookup element requires specifying the [index], [id] and [path]."
  end
  local document
  document, err = require "blip.index.documents".get(place.index, tostring(place.id), LOOK)
  if not document and err.kind ~= "not_found" then return nil, err end
  return filter.terms(field, document and dig(document._source, place.path, {}) or {})
end

local MAX_TERMS = 65536

function clauses.terms(body)
  local field, values
  for _, key in ipairs(read.keys(body)) do
    if key ~= "boost" and key ~= "_name" and key ~= "value_type" then
      if field then
        return problem.parsing("[terms] query doesn't support multiple fields, found [%s] and [%s]",
          field, key)
      end
      field, values = key, body[key]
    end
  end
  if not field then
    return problem.parsing("[terms] query requires a field name, followed by array of terms or a document "
      .. "lookup specification")
  end
  if read.is_object(values) then return lookup(field, values) end
  if type(values) ~= "table" then return problem.parsing("[terms] query does not support [%s]", field) end
  if #values > MAX_TERMS then
    return problem.argument("The number of terms [%d] used in the Terms Query request has exceeded the "
      .. "allowed maximum of [%d].", #values, MAX_TERMS)
  end
  for _, value in ipairs(values) do
    if value == json.null then return problem.argument "No value specified for terms query" end
  end
  return filter.terms(field, values)
end

-- The old names of bounds, and the one that either stands for.
local function bounds_of(value)
  local bounds = { gt = value.gt, gte = value.gte, lt = value.lt, lte = value.lte,
                   format = value.format, time_zone = value.time_zone }
  if value.from ~= nil then
    bounds[read.boolean(value.include_lower) == false and "gt" or "gte"] = value.from
  end
  if value.to ~= nil then
    bounds[read.boolean(value.include_upper) == false and "lt" or "lte"] = value.to
  end
  for _, op in ipairs { "gt", "gte", "lt", "lte" } do
    if bounds[op] == json.null then bounds[op] = nil end
  end
  return bounds
end

local RELATIONS = { intersects = true, contains = true, within = true }

clauses.range = field_clause("range", {
  known = read.set "gt gte lt lte from to include_lower include_upper format time_zone relation boost _name",
}, function(field, value, options)
  if value ~= nil then return problem.parsing("[range] query does not support [%s]", field) end
  if next(options) and options.relation and not RELATIONS[tostring(options.relation):lower()] then
    return problem.argument("%s is not a valid relation", tostring(options.relation))
  end
  local bounds = bounds_of(options)
  if not (bounds.gt or bounds.gte or bounds.lt or bounds.lte) then return filter.exists(field) end
  return filter.range(field, bounds)
end)

function clauses.exists(body)
  for _, key in ipairs(read.keys(body)) do
    if key ~= "field" and key ~= "boost" and key ~= "_name" then
      return problem.parsing("[exists] query does not support [%s]", key)
    end
  end
  if type(body.field) ~= "string" then return problem.parsing "[exists] must be provided with a [field]" end
  return filter.exists(body.field)
end

function clauses.ids(body)
  local ok, err = read.check_options("ids", body, read.set "values type boost _name")
  if not ok then return nil, err end
  return filter.ids(read.list(body.values))
end

--- How many of `total` clauses "2", "-1", "75%" or "-25%" ask for.
local function minimum_of(text, total)
  local percent = tostring(text):match "^(%-?%d+)%%$"
  local n = percent and tonumber(percent) or math.tointeger(tonumber(text))
  if not n then return nil end
  if percent then
    local part = math.tointeger(math.abs(n) * total // 100)
    n = n < 0 and total - part or part
  elseif n < 0 then
    n = total + n
  end
  return math.max(0, n)
end

-- Those of the last line shape `fuzziness`, which nobody reads; stored queries have them written out.
local MATCH_OPTIONS = read.set [[query operator minimum_should_match analyzer boost _name lenient
  zero_terms_query auto_generate_synonyms_phrase_query cutoff_frequency
  prefix_length max_expansions fuzzy_transpositions]]

clauses.match = field_clause("match", { value = "query", known = MATCH_OPTIONS },
  needs_value("match", function(field, text, options)
    local words = query_text.words(text)
    if #words == 0 and options.zero_terms_query == "all" then return filter.all() end
    local operator = tostring(options.operator or "or"):lower()
    if operator ~= "or" and operator ~= "and" then
      return problem.argument("No enum constant org.opensearch.index.query.Operator.%s", operator:upper())
    end
    local least = options.minimum_should_match and minimum_of(options.minimum_should_match, #words)
    return filter.match(field, text, {
      all = operator == "and", at_least = least, lenient = read.boolean(options.lenient),
    })
  end))

clauses.match_phrase = field_clause("match_phrase",
  { value = "query", known = read.set "query analyzer boost _name zero_terms_query slop" },
  needs_value("match_phrase", function(field, text, options)
    local slop = options.slop and read.integer(options.slop) or 0
    if slop > 0 then return problem.parsing "[match_phrase] query does not support [slop]" end
    return filter.match(field, text, { phrase = true })
  end))

clauses.match_phrase_prefix = field_clause("match_phrase_prefix",
  { value = "query", known = read.set "query analyzer boost _name max_expansions zero_terms_query slop" },
  needs_value("match_phrase_prefix", function(field, text, options)
    if options.slop and read.integer(options.slop) ~= 0 then
      return problem.parsing "[match_phrase_prefix] query does not support [slop]"
    end
    return filter.match(field, text, { phrase = true, prefix = true })
  end))

clauses.match_bool_prefix = field_clause("match_bool_prefix",
  { value = "query",
    known = read.set [[query analyzer boost _name operator prefix_length max_expansions
      fuzzy_transpositions]] },
  needs_value("match_bool_prefix", function(field, text, options)
    return filter.match(field, text, { prefix = true, all = tostring(options.operator):lower() == "and" })
  end))

local function pattern_clause(name, alias, make)
  local known = read.set [[value boost _name rewrite case_insensitive flags flags_value
    max_determinized_states]]
  known[alias] = true
  return field_clause(name, { value = "value", known = known }, function(field, value, options)
    value = value or options[alias]
    if value == nil or value == json.null then return problem.argument "value cannot be null" end
    if type(value) == "table" then
      return problem.parsing("[%s] query does not support %s", name, read.token(value))
    end
    return make(field, tostring(value), { case_insensitive = read.boolean(options.case_insensitive) })
  end)
end

clauses.prefix = pattern_clause("prefix", "prefix", filter.prefix)
clauses.wildcard = pattern_clause("wildcard", "wildcard", filter.wildcard)
clauses.regexp = pattern_clause("regexp", "regexp", filter.regexp)

--- Reads a list of queries, or one alone.
local function queries(value, parse)
  local list = {}
  for i, body in ipairs(read.list(value)) do
    local node, err = parse(body)
    if not node then return nil, err end
    list[i] = node
  end
  return list
end

local BOOL_OPTIONS = read.set [[must filter should must_not minimum_should_match adjust_pure_negative boost
  _name]]

function clauses.bool(body, parse)
  local parts = {}
  for _, key in ipairs(read.keys(body)) do
    if not BOOL_OPTIONS[key] then return problem.parsing("[bool] query does not support [%s]", key) end
  end
  for _, key in ipairs { "must", "filter", "should", "must_not" } do
    local list, err = queries(body[key], parse)
    if not list then return nil, err end
    parts[key] = list
  end
  local needed = {}
  table.move(parts.must, 1, #parts.must, 1, needed)
  table.move(parts.filter, 1, #parts.filter, #needed + 1, needed)
  for _, node in ipairs(parts.must_not) do needed[#needed + 1] = ~node end
  if #parts.should > 0 then
    local least = #parts.must + #parts.filter == 0 and 1 or 0
    if body.minimum_should_match ~= nil then
      least = minimum_of(body.minimum_should_match, #parts.should)
      if not least then return read.integer(body.minimum_should_match) end
    end
    if least > 0 then needed[#needed + 1] = filter.at_least(least, parts.should) end
  end
  return filter.all_of(needed)
end

function clauses.constant_score(body, parse)
  for _, key in ipairs(read.keys(body)) do
    if key ~= "filter" and key ~= "boost" and key ~= "_name" then
      return problem.parsing("[constant_score] query does not support [%s]", key)
    end
  end
  if body.filter == nil then return problem.parsing "[constant_score] requires a 'filter' element" end
  return parse(body.filter)
end

function clauses.dis_max(body, parse)
  local ok, err = read.check_options("dis_max", body, read.set "queries tie_breaker boost _name")
  if not ok then return nil, err end
  local list
  list, err = queries(body.queries, parse)
  if not list then return nil, err end
  if #list == 0 then return problem.parsing "[dis_max] requires 'queries' field with at least one clause" end
  return filter.any_of(list)
end

function clauses.nested(body, parse)
  local known = read.set "path query score_mode ignore_unmapped boost _name"
  local ok, err = read.check_options("nested", body, known)
  if not ok then return nil, err end
  if type(body.path) ~= "string" then return problem.argument "[nested] requires 'path' field" end
  if body.query == nil then return problem.argument "[nested] requires 'query' field" end
  local inner
  inner, err = parse(body.query)
  return inner and filter.nested(body.path, inner), err
end

local MULTI_OPTIONS = read.set [[query fields type operator minimum_should_match analyzer boost _name lenient
  tie_breaker zero_terms_query]]

function clauses.multi_match(body)
  local ok, err = read.check_options("multi_match", body, MULTI_OPTIONS)
  if not ok then return nil, err end
  if body.query == nil then return problem.parsing "No text specified for multi_match query" end
  local options = {
    phrase = body.type == "phrase" or body.type == "phrase_prefix", prefix = body.type == "phrase_prefix",
    all = tostring(body.operator):lower() == "and",
  }
  local list = {}
  for i, field in ipairs(read.list(body.fields)) do
    if type(field) ~= "string" then
      return problem.parsing("[multi_match] query does not support fields of [%s]", read.token(field))
    end
    list[i] = filter.match(field:gsub("%^.*$", ""), body.query, options)
  end
  return filter.any_of(list)
end

function clauses.query_string(body)
  local known = read.set [[query default_field fields default_operator analyze_wildcard allow_leading_wildcard
    boost _name lenient time_zone analyzer]]
  for _, key in ipairs(read.keys(body)) do
    if not known[key] then return problem.parsing("[query_string] query does not support [%s]", key) end
  end
  if body.query == nil then return problem.parsing "query_string must be provided with a [query]" end
  return query_text.parse(tostring(body.query), {
    fields = body.fields or body.default_field and { body.default_field },
    all = tostring(body.default_operator):lower() == "and", lenient = read.boolean(body.lenient),
  })
end

--- A clause is refused as a whole when its body is no object.
for name, clause in pairs(clauses) do
  clauses[name] = function(body, parse)
    if not read.is_object(body) then
      return problem.parsing("[%s] query malformed, no start_object after query name", name)
    end
    return clause(body, parse)
  end
end

return clauses
