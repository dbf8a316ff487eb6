--- Routes that ask questions: _search, _count, _msearch.
-- @module blip.api.search
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local problem = require "blip.query.problem"
local query_text = require "blip.query.query_text"
local read = require "blip.query.read"
local reply = require "blip.api.reply"
local request_module = require "blip.api.request"
local scroll = require "blip.query.scroll"
local search = require "blip.query.search"
local sort = require "blip.query.sort"

local routes = {}

--- Parameters that say which indices are meant.
local INDEX_PARAMETERS = { "ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled" }

--- Parameters of `?q=`.
local TEXT_PARAMETERS = { "q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient" }

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

local SEARCH_PARAMETERS = joined(INDEX_PARAMETERS, TEXT_PARAMETERS, {
  "from", "size", "sort", "_source", "_source_includes", "_source_excludes", "track_total_hits",
  "track_scores", "rest_total_hits_as_int", "typed_keys",
  "timeout", "preference", "routing", "search_type", "version", "seq_no_primary_term", "request_cache",
  "batched_reduce_size", "max_concurrent_shard_requests",
  "pre_filter_shard_size", "allow_partial_search_results", "ccs_minimize_roundtrips", "stored_fields",
  "docvalue_fields", "explain", "stats", "terminate_after", "cancel_after_time_interval", "search_pipeline",
  "phase_took", "scroll",
})

--- The indices that a request means, `{ name =, mapping = }` each.
local function resolve(expression, request)
  return assert(names.resolve(expression or "_all", {
    ignore_unavailable = request:flag "ignore_unavailable",
    allow_no_indices = request:flag("allow_no_indices", true),
    expand_wildcards = request.query.expand_wildcards,
  }))
end

local function split(text)
  local list = {}
  for part in text:gmatch "[^,]+" do list[#list + 1] = part end
  return json.array(list)
end

--- The filter of `?q=`; nil when there is none.
local function text_filter(query)
  if query.q == nil then return nil end
  return assert(query_text.parse(query.q, {
    fields = query.df and { query.df } or nil,
    all = (query.default_operator or "or"):lower() == "and",
    lenient = query.lenient == "true" or query.lenient == "",
  }))
end

--- How each parameter of the query string changes a body.
local APPLY = {
  from = function(body, value) body.from = value end,
  size = function(body, value) body.size = value end,
  sort = function(body, value) body.sort = sort.body_of_text(value) end,
  track_total_hits = function(body, value) body.track_total_hits = value end,
  track_scores = function(body, value) body.track_scores = value end,
  version = function(body, value) body.version = value end,
  seq_no_primary_term = function(body, value) body.seq_no_primary_term = value end,
  explain = function(body, value) body.explain = value end,
  terminate_after = function(body, value) body.terminate_after = value end,
  stored_fields = function(body, value) body.stored_fields = value == "_none_" and value or split(value) end,
  docvalue_fields = function(body, value) body.docvalue_fields = split(value) end,
  _source = function(body, value)
    body._source = split(value)
    if value == "true" or value == "false" then body._source = value == "true" end
  end,
}

local function apply_parameters(body, query)
  for name, apply in pairs(APPLY) do
    if query[name] ~= nil then apply(body, query[name]) end
  end
  if query._source_includes or query._source_excludes then
    body._source = { includes = query._source_includes and split(query._source_includes) or nil,
                     excludes = query._source_excludes and split(query._source_excludes) or nil }
  end
  return body
end

local function options_of(request)
  return { total_as_int = request:flag "rest_total_hits_as_int", typed_keys = request:flag "typed_keys",
           filter = text_filter(request.query), text = request:text() }
end

local SEARCH_TYPES = { query_then_fetch = true, dfs_query_then_fetch = true }

--- Checks parameters that say how a cluster would go about it; here they change nothing.
local function check_parameters(request)
  local query = request.query
  if query.search_type and not SEARCH_TYPES[query.search_type] then
    assert(problem.argument("No search type for [%s]", query.search_type))
  end
  if request:integer("pre_filter_shard_size", 1) < 1 then
    assert(problem.argument "preFilterShardSize must be >= 1")
  end
end

--- Answers a search over an expression of index names.
local function answer_search(request, expression)
  request:allow(SEARCH_PARAMETERS)
  check_parameters(request)
  local body = request:json { optional = true }
  if body == nil then body = {} end
  if type(body) == "table" and not json.is_array(body) then apply_parameters(body, request.query) end
  local indices, options = resolve(expression, request), options_of(request)
  if request.query.scroll then
    local keep_ms = assert(scroll.keep_alive(request.query.scroll))
    options.scroll = assert(scroll.begin(indices, body, keep_ms, {
      expression = expression or "_all", expand_wildcards = request.query.expand_wildcards,
    }))
  end
  return reply.ok(assert(search.run(indices, body, options)))
end

--- Answers the next page of a scroll.
local function answer_scroll(request)
  request:allow { "scroll", "scroll_id", "rest_total_hits_as_int" }
  local body = request:json { optional = true } or {}
  local id = body.scroll_id or request.params.id or request.query.scroll_id
  local keep = body.scroll or request.query.scroll
  local place = assert(scroll.resume(id, keep and assert(scroll.keep_alive(keep))))
  local indices = assert(names.resolve(place.asked.expression, {
    ignore_unavailable = true, expand_wildcards = place.asked.expand_wildcards,
  }))
  local options = { scroll = place, total_as_int = request:flag "rest_total_hits_as_int" }
  return reply.ok(assert(search.run(indices, place.body, options)))
end

--- Scrolls keep nothing that would have to be freed.
local function answer_clear_scroll(request)
  request:allow { "scroll_id" }
  local body = request:json { optional = true } or {}
  local ids = read.list(body.scroll_id or request.params.id or request.query.scroll_id)
  return reply.ok { succeeded = true, num_freed = #ids }
end

for _, path in ipairs { "/_search/scroll", "/_search/scroll/{id}" } do
  routes["GET " .. path] = needs("indices:data/read/scroll", answer_scroll)
  routes["POST " .. path] = routes["GET " .. path]
  routes["DELETE " .. path] = needs("indices:data/read/scroll/clear", answer_clear_scroll)
end

--- Answers how many documents a query finds.
local function answer_count(request, expression)
  request:allow(joined(INDEX_PARAMETERS, TEXT_PARAMETERS, { "preference", "routing" }))
  local body = request:json { optional = true } or {}
  for key in pairs(body) do
    if key ~= "query" then
      local _, err = problem.parsing("request does not support [%s]", key)
      error(problem.locate(err, request:text()), 0)
    end
  end
  local where = text_filter(request.query) or assert(dsl.query(body.query))
  local indices = resolve(expression, request)
  local count = assert(search.count(indices, where))
  return reply.ok { count = count, _shards = search.shards(indices) }
end

--- One handler under GET and POST, with and without an index in the path.
local function add(path, action, handler)
  for _, method in ipairs { "GET", "POST" } do
    routes[("%s /%s"):format(method, path)] = needs(action, handler)
    routes[("%s /{index}/%s"):format(method, path)] = needs(action, function(request)
      return handler(request, request.params.index)
    end)
  end
end

add("_search", "indices:data/read/search", answer_search)
add("_count", "indices:data/read/search", answer_count)

--- The lines of an NDJSON body; the last must end.
local function lines_of(request)
  local text = request:text()
  if text == nil or text == "" then
    assert(fail.es { status = 400, type = "parse_exception",
                     reason = "request body or source parameter is required" })
  end
  if text:sub(-1) ~= "\n" then
    assert(problem.argument "The msearch request must be terminated by a newline [\n]")
  end
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

local HEADER_KEYS = { index = true, indices = true, search_type = true, preference = true, routing = true,
                      ignore_unavailable = true, allow_no_indices = true, expand_wildcards = true,
                      request_cache = true, ccs_minimize_roundtrips = true,
                      allow_partial_search_results = true, cancel_after_time_interval = true }

local function read_header(line)
  if line:match "^%s*$" then return {} end
  local header = assert(request_module.decode(line))
  for key in pairs(header) do
    if not HEADER_KEYS[key] then
      assert(problem.argument("key [%s] is not supported in the metadata section", key))
    end
  end
  return header
end

--- One search of many: its answer, or the error in its place.
local function answer_one(one, expression, options)
  expression = one.header.index or one.header.indices or expression or "_all"
  if type(expression) == "table" then expression = table.concat(expression, ",") end
  local indices, err = names.resolve(expression, {
    ignore_unavailable = one.header.ignore_unavailable,
    allow_no_indices = one.header.allow_no_indices ~= false,
    expand_wildcards = one.header.expand_wildcards,
  })
  local answer
  if indices then answer, err = search.run(indices, one.body, options) end
  if not answer then
    return reply.failure(err).body
  end
  answer.status = 200
  return answer
end

local MSEARCH_PARAMETERS = joined(INDEX_PARAMETERS, {
  "max_concurrent_searches", "typed_keys", "rest_total_hits_as_int", "search_type", "pre_filter_shard_size",
  "max_concurrent_shard_requests", "ccs_minimize_roundtrips",
})

local function answer_msearch(request, expression)
  request:allow(MSEARCH_PARAMETERS)
  local lines, searches = lines_of(request), {}
  for i = 1, #lines - 1, 2 do
    local body = assert(request_module.decode(lines[i + 1]))
    searches[#searches + 1] = { header = read_header(lines[i]), body = body, text = lines[i + 1] }
  end
  if #searches == 0 then
    assert(fail.es { status = 400, type = "action_request_validation_exception",
                     reason = "Validation Failed: 1: no requests added;" })
  end
  for _, one in ipairs(searches) do assert(search.check(one.body, one.text)) end
  local options, responses, took = options_of(request), {}, 0
  for i, one in ipairs(searches) do
    responses[i] = answer_one(one, expression, options)
    took = took + (responses[i].took or 0)
  end
  return reply.ok { took = took, responses = json.array(responses) }
end

add("_msearch", "indices:data/read/msearch", answer_msearch)

--- Says whether a query is one, without running it.
local function answer_validate(request, expression)
  request:allow(joined(INDEX_PARAMETERS, TEXT_PARAMETERS, { "explain", "rewrite", "all_shards" }))
  local indices = resolve(expression, request)
  local body = request:json { optional = true } or {}
  local where, err = filter.all(), nil
  if request.query.q then
    where, err = query_text.parse(request.query.q, {})
  elseif body.query then
    where, err = dsl.query(body.query)
  end
  local answer = { valid = where ~= nil, _shards = { total = #indices, successful = #indices, failed = 0 } }
  if err and request:flag "explain" then answer.error = err.reason end
  return reply.ok(answer)
end

add("_validate/query", "indices:admin/validate/query", answer_validate)

return routes
