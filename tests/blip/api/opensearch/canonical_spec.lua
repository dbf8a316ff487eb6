-- luacheck: no max line length
local json = require "runtime.json"
local aggregations = require "blip.api.opensearch.aggregations"
local canonical = require "blip.api.opensearch.canonical"
local dsl = require "blip.query.dsl"
local tokens = require "blip.api.opensearch.tokens"

local tree = tokens.decode

describe("blip.api.opensearch.canonical writes out", function()
  local cases = {
    { "match_all", "{}", '{"boost":1.0}' },
    { "exists", '{"field":"a"}', '{"field":"a","boost":1.0}' },
    { "ids", '{"values":"1"}', '{"values":["1"],"boost":1.0}' },
    { "term", '{"a":true}', '{"a":{"value":true,"boost":1.0}}' },
    { "term", '{"a":{"value":"x","boost":2}}', '{"a":{"value":"x","boost":2.0}}' },
    { "term", '{"boost":2,"a":1}', '{"a":{"value":1,"boost":2.0}}' },
    { "terms", '{"a":["x"]}', '{"a":["x"],"boost":1.0}' },
    { "terms", '{"boost":3,"a":["x"]}', '{"a":["x"],"boost":3.0}' },
    {
      "range",
      '{"a":{"gte":0}}',
      '{"a":{"from":0,"to":null,"include_lower":true,"include_upper":true,"boost":1.0}}',
    },
    {
      "range",
      '{"a":{"gt":1,"lt":"now-1d","format":"x"}}',
      '{"a":{"from":1,"to":"now-1d","include_lower":false,"include_upper":false,"format":"x","boost":1.0}}',
    },
    { "prefix", '{"a":"x"}', '{"a":{"value":"x","boost":1.0}}' },
    { "wildcard", '{"a":{"value":"x*"}}', '{"a":{"wildcard":"x*","boost":1.0}}' },
    {
      "match",
      '{"a":{"query":"x","operator":"and"}}',
      '{"a":{"query":"x","operator":"AND","prefix_length":0,"max_expansions":50,"fuzzy_transpositions":true,'
        .. '"lenient":false,"zero_terms_query":"NONE","auto_generate_synonyms_phrase_query":true,"boost":1.0}}',
    },
    {
      "match_phrase",
      '{"a":"x y"}',
      '{"a":{"query":"x y","slop":0,"zero_terms_query":"NONE","boost":1.0}}',
    },
    {
      "match_phrase_prefix",
      '{"a":"x y"}',
      '{"a":{"query":"x y","slop":0,"max_expansions":50,"zero_terms_query":"NONE","boost":1.0}}',
    },
    {
      "match_bool_prefix",
      '{"a":"x y"}',
      '{"a":{"query":"x y","operator":"OR","prefix_length":0,"max_expansions":50,"fuzzy_transpositions":true,"boost":1.0}}',
    },
    {
      "bool",
      '{"should":[{"term":{"a":1}}],"must":{"exists":{"field":"b"}},"filter":[],"minimum_should_match":1}',
      '{"must":[{"exists":{"field":"b","boost":1.0}}],"should":[{"term":{"a":{"value":1,"boost":1.0}}}],'
        .. '"adjust_pure_negative":true,"minimum_should_match":"1","boost":1.0}',
    },
    {
      "nested",
      '{"path":"p","query":{"term":{"p.a":1}}}',
      '{"query":{"term":{"p.a":{"value":1,"boost":1.0}}},"path":"p","ignore_unmapped":false,"score_mode":"avg","boost":1.0}',
    },
  }
  for _, case in ipairs(cases) do
    it(("%s %s"):format(case[1], case[2]), function()
      local query = canonical.query(tree(('{"%s":%s}'):format(case[1], case[2])))
      assert.equal(('{"%s":%s}'):format(case[1], case[3]), json.encode(query))
    end)
  end

  -- What is stored is read again when the detector runs.
  for _, case in ipairs(cases) do
    it(("a form of %s %s that the search reads"):format(case[1], case[2]), function()
      local stored = json.encode(canonical.query(tree(('{"%s":%s}'):format(case[1], case[2]))))
      assert(dsl.query(json.decode(stored)))
    end)
  end
end)

describe("blip.api.opensearch.aggregations", function()
  local cases = {
    { "keeps a plain metric", '{"avg":{"field":"a"}}', '{"avg":{"field":"a"}}' },
    {
      "writes out percentiles",
      '{"percentiles":{"field":"a","percents":[95]}}',
      '{"percentiles":{"field":"a","percents":[95.0],"keyed":true,"tdigest":{"compression":100.0}}}',
    },
    {
      "writes out the query and the inner aggregation of a filter",
      '{"filter":{"term":{"a":1}},"aggs":{"v":{"sum":{"field":"b"}}}}',
      '{"filter":{"term":{"a":{"value":1,"boost":1.0}}},"aggregations":{"v":{"sum":{"field":"b"}}}}',
    },
    {
      "writes out a script",
      '{"avg":{"script":"doc[0]"}}',
      '{"avg":{"script":{"source":"doc[0]","lang":"painless"}}}',
    },
    {
      "puts the weight before the value",
      '{"weighted_avg":{"value":{"field":"a"},"weight":{"field":"b"}}}',
      '{"weighted_avg":{"weight":{"field":"b"},"value":{"field":"a"}}}',
    },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local first = aggregations.first(tree(('{"x":%s,"y":{}}'):format(case[2])))
      assert.equal(('{"x":%s}'):format(case[3]), json.encode(first))
    end)
  end

  it("tells a number from what is none", function()
    local function number(text)
      return aggregations.number(aggregations.first(tree(text)))
    end
    assert.equal("avg", (number '{"a":{"avg":{"field":"x"}}}'))
    assert.equal("sum", (number '{"a":{"filter":{"match_all":{}},"aggs":{"b":{"sum":{"field":"x"}}}}}'))
    assert.is_nil((number '{"a":{"stats":{"field":"x"}}}'))
    assert.is_nil((number '{"a":{"filter":{"match_all":{}}}}'))
    assert.is_true(select(2, number '{"a":{"avg":{"script":"1"}}}'))
  end)
end)
