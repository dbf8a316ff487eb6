--- Queries in the form in which a detector stores them: every option written out (opensearch-ad.md 1.5).
--     {"term":{"host":"a"}}  -->  {"term":{"host":{"value":"a","boost":1.0}}}
-- The queries come checked (`blip.query.dsl` has read them); a new query is one line of `QUERIES`.
-- @module blip.api.opensearch.canonical
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"
local tokens = require "blip.api.opensearch.tokens"

local canonical = {}

local function is_object(value)
  return tokens.keys(value) ~= nil
end

--- Writes options in their order: what was sent, else the default, else nothing.
-- @tparam table sent name -> value
-- @tparam {string|{string,default[,function]},...} options a name alone has no default; the
-- function shapes a value
-- @return an ordered object
function canonical.options(sent, options)
  if type(sent) ~= "table" then
    refuse.content(1, 1, "expected an object of options but found [%s]", tostring(sent))
  end
  local written, keys = {}, {}
  for _, option in ipairs(options) do
    local name, default, shape = option, nil, nil
    if type(option) == "table" then
      name, default, shape = option[1], option[2], option[3]
    end
    local value = sent[name]
    if value == nil or value == json.null then
      value = default
    elseif shape then
      value = shape(value)
    end
    if value ~= nil then
      keys[#keys + 1], written[name] = name, value
    end
  end
  return json.ordered(written, keys)
end

function canonical.double(value)
  return (tonumber(value) or 0) + 0.0
end

local function upper(value)
  return tostring(value):upper()
end

local function lower(value)
  return tostring(value):lower()
end

local function list(value)
  return (is_object(value) or type(value) ~= "table") and { value } or value
end

local function each_query(value)
  local queries = {}
  for i, query in ipairs(list(value)) do
    queries[i] = canonical.query(query)
  end
  return #queries > 0 and json.array(queries) or nil
end

local BOOST = { "boost", 1.0, canonical.double }

-- The options with boost and name, which every query has, behind them.
local function with_boost(options)
  options[#options + 1] = BOOST
  options[#options + 1] = "_name"
  return options
end

-- A query whose options stand in its body.
local function plain(options)
  local all = with_boost(options)
  return function(body)
    return canonical.options(body, all)
  end
end

-- The field that a query is about, and what it says of it; boost and name may stand beside it.
local function field_of(body)
  for _, name in ipairs(tokens.keys(body)) do
    if name ~= "boost" and name ~= "_name" then
      return name, body[name]
    end
  end
end

-- What is said of a field, as a table that may be changed.
local function options_of(body, value, short)
  local sent = { boost = body.boost, _name = body._name }
  if not is_object(value) then
    sent[short] = value
    return sent
  end
  for name, each in pairs(value) do
    sent[name] = each
  end
  return sent
end

-- A query over one field, written `{"field":value}` or `{"field":{options}}`; `short` is the option
-- that a value means.
local function over_field(short, options, aliases)
  local all = with_boost(options)
  return function(body)
    local field, value = field_of(body)
    local sent = options_of(body, value, short)
    for alias, name in pairs(aliases or {}) do
      sent[name] = sent[name] == nil and sent[alias] or sent[name]
    end
    return json.ordered({ [field] = canonical.options(sent, all) }, { field })
  end
end

local RANGE = with_boost {
  { "from", json.null },
  { "to", json.null },
  { "include_lower", true },
  { "include_upper", true },
  "time_zone",
  "format",
  { "relation", nil, upper },
}

-- Bounds have many spellings; the stored one has from, to and whether each belongs to the range.
local function range(body)
  local field, value = field_of(body)
  local sent = options_of(body, value)
  if sent.gte ~= nil or sent.gt ~= nil then
    sent.from, sent.include_lower = sent.gte ~= nil and sent.gte or sent.gt, sent.gt == nil
  end
  if sent.lte ~= nil or sent.lt ~= nil then
    sent.to, sent.include_upper = sent.lte ~= nil and sent.lte or sent.lt, sent.lt == nil
  end
  return json.ordered({ [field] = canonical.options(sent, RANGE) }, { field })
end

-- The field stands beside boost and name.
local function terms(body)
  local keys, written = {}, { boost = canonical.double(body.boost or 1), _name = body._name }
  for _, name in ipairs(tokens.keys(body)) do
    if name ~= "boost" and name ~= "_name" then
      keys[#keys + 1], written[name] = name, body[name]
    end
  end
  keys[#keys + 1] = "boost"
  keys[#keys + 1] = "_name"
  return json.ordered(written, keys)
end

local FUZZY = {
  { "prefix_length", 0 },
  { "max_expansions", 50 },
}

local QUERIES = {
  match_all = plain {},
  match_none = plain {},
  exists = plain { "field" },
  ids = plain { { "values", json.array {}, list } },
  term = over_field("value", { "value", "case_insensitive" }),
  terms = terms,
  range = range,
  prefix = over_field("value", { "value", "case_insensitive", "rewrite" }),
  wildcard = over_field("wildcard", { "wildcard", "rewrite", "case_insensitive" }, { value = "wildcard" }),
  regexp = over_field("value", {
    "value",
    { "flags_value", 255 },
    "case_insensitive",
    { "max_determinized_states", 10000 },
    "rewrite",
  }),
  fuzzy = over_field("value", {
    "value",
    { "fuzziness", "AUTO" },
    FUZZY[1],
    FUZZY[2],
    { "transpositions", true },
    "rewrite",
  }),
  match = over_field("query", {
    "query",
    { "operator", "OR", upper },
    "analyzer",
    "fuzziness",
    FUZZY[1],
    FUZZY[2],
    "minimum_should_match",
    "fuzzy_rewrite",
    { "fuzzy_transpositions", true },
    { "lenient", false },
    { "zero_terms_query", "NONE", upper },
    { "auto_generate_synonyms_phrase_query", true },
  }),
  match_phrase = over_field("query", {
    "query",
    "analyzer",
    { "slop", 0 },
    { "zero_terms_query", "NONE", upper },
  }),
  match_phrase_prefix = over_field("query", {
    "query",
    "analyzer",
    { "slop", 0 },
    { "max_expansions", 50 },
    { "zero_terms_query", "NONE", upper },
  }),
  match_bool_prefix = over_field("query", {
    "query",
    "analyzer",
    { "operator", "OR", upper },
    "minimum_should_match",
    "fuzziness",
    FUZZY[1],
    FUZZY[2],
    { "fuzzy_transpositions", true },
  }),
  multi_match = plain {
    "query",
    { "fields", json.array {} },
    { "type", "best_fields", lower },
    { "operator", "OR", upper },
    "analyzer",
    { "slop", 0 },
    "fuzziness",
    FUZZY[1],
    FUZZY[2],
    "minimum_should_match",
    { "zero_terms_query", "NONE", upper },
    { "auto_generate_synonyms_phrase_query", true },
    { "fuzzy_transpositions", true },
  },
  bool = plain {
    { "must", nil, each_query },
    { "filter", nil, each_query },
    { "must_not", nil, each_query },
    { "should", nil, each_query },
    { "adjust_pure_negative", true },
    { "minimum_should_match", nil, tostring },
  },
  constant_score = plain {
    {
      "filter",
      nil,
      function(query)
        return canonical.query(query)
      end,
    },
  },
  dis_max = plain { { "tie_breaker", 0.0, canonical.double }, { "queries", nil, each_query } },
  nested = plain {
    {
      "query",
      nil,
      function(query)
        return canonical.query(query)
      end,
    },
    "path",
    { "ignore_unmapped", false },
    { "score_mode", "avg" },
  },
}

--- Rewrites a query; one that is not in the table stays as it was sent.
-- @tparam table query made by `Reader:tree`: `{"term":{...}}`
function canonical.query(query)
  local name = tokens.keys(query)[1]
  if not name then
    return canonical.match_all()
  end
  local rewrite = QUERIES[name]
  return rewrite and json.ordered({ [name] = rewrite(query[name]) }, { name }) or query
end

--- The filter of a detector that names none.
function canonical.match_all()
  return { match_all = { boost = 1.0 } }
end

return canonical
