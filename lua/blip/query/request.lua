--- A search's body, checked: JSON in, what @{blip.query.search} works on out.
-- @module blip.query.request
local aggregation = require "blip.query.aggregation"
local dsl = require "blip.query.dsl"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local score = require "blip.query.score"
local sort = require "blip.query.sort"
local source_filter = require "blip.query.source_filter"

local request = {}

--- Hits that one search may look past and show.
local MAX_WINDOW = 10000

local function not_negative(name, default)
  return function(value, out)
    local n, err = read.integer(value == nil and default or value)
    if not n then return nil, err end
    if n < 0 then return problem.argument("[%s] parameter cannot be negative, found [%d]", name, n) end
    out[name] = n
    return true
  end
end

local function truth(name)
  return function(value, out)
    if value == nil then return true end
    out[name] = read.boolean(value)
    if out[name] == nil then
      return problem.argument("Failed to parse value [%s] as only [true] or [false] are allowed.",
        tostring(value))
    end
    return true
  end
end

--- Options that say how to work, not what to answer.
local function ignored() return true end

local function refused(name)
  return function(value)
    if value == nil or type(value) == "table" and not next(value) then return true end
    return problem.argument("[%s] is not supported", name)
  end
end

--- An option that is refused unless it is off.
local function must_be_off(name)
  return function(value)
    if value == nil or read.boolean(value) == false then return true end
    return problem.argument("[%s] is not supported", name)
  end
end

local function store(name, reader)
  return function(value, out)
    local result, err = reader(value)
    out[name] = result
    if err then return nil, err end
    return true
  end
end

local function track_total_hits(value, out)
  local flag = read.boolean(value)
  if value == nil then
    out.track = MAX_WINDOW
  elseif flag ~= nil then
    out.track = flag and math.huge or false
  else
    local n, err = read.integer(value)
    if not n then return nil, err end
    if n < 0 then
      return problem.late("totalHitsThreshold must be >= 0, got %d", n)
    end
    out.track = n
  end
  return true
end

--- `docvalue_fields` and `fields`: names, or `{ field =, format = }`.
local function field_list(value)
  local list = {}
  for i, one in ipairs(read.list(value)) do
    list[i] = read.is_object(one) and { field = one.field, format = one.format } or { field = one }
    if type(list[i].field) ~= "string" then return problem.parsing "[docvalue_fields] needs a [field]" end
  end
  return list
end

local function stored_fields(value, out, source)
  if value == nil then return true end
  if value == "_none_" then
    out.bare = true
    return true
  end
  local wanted = source ~= nil
  for _, name in ipairs(read.list(value)) do wanted = wanted or name == "_source" end
  if not wanted then out.source = { wanted = false } end
  return true
end

--- How each key of a body is read: `(value, out) -> true | nil, err`; called for every key, with
-- nil for those that are not there.
local KEYS = {
  query = store("filter", dsl.query),
  post_filter = store("post_filter", function(value) return value and dsl.query(value) end),
  from = not_negative("from", 0),
  size = not_negative("size", 10),
  sort = store("sort", sort.read),
  search_after = store("search_after", function(value) return value end),
  track_total_hits = track_total_hits,
  docvalue_fields = store("docvalue_fields", field_list),
  fields = store("fields", field_list),
  version = truth "version", seq_no_primary_term = truth "seq_no_primary_term",
  track_scores = truth "track_scores",
  aggs = ignored, aggregations = ignored, _source = ignored, stored_fields = ignored,
  timeout = ignored, stats = ignored, batched_reduce_size = ignored, ext = ignored,
  terminate_after = must_be_off "terminate_after", min_score = refused "min_score",
  explain = must_be_off "explain", profile = must_be_off "profile",
  highlight = refused "highlight", collapse = refused "collapse", rescore = refused "rescore",
  suggest = refused "suggest", script_fields = refused "script_fields", slice = refused "slice",
  indices_boost = refused "indices_boost", pit = refused "pit", derived = refused "derived",
  include_named_queries_score = must_be_off "include_named_queries_score",
}

local function unknown(body)
  for _, key in ipairs(read.keys(body)) do
    local is_object = key == "query" or key == "aggs" or key == "aggregations" or key == "post_filter"
    if not KEYS[key] or is_object and not read.is_object(body[key]) then
      return problem.parsing("Unknown key for a %s in [%s].", read.token(body[key]), key)
    end
  end
  return true
end

--- Refuses a page that ends too far from the first hit.
-- @tparam table out has `from` and `size`
-- @return true; or nil and an error
function request.check_window(out)
  if out.from + out.size <= MAX_WINDOW then return true end
  return problem.late("Result window is too large, from + size must be less than or equal to: [%d] but "
    .. "was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be "
    .. "set by changing the [index.max_result_window] index level setting.", MAX_WINDOW, out.from + out.size)
end

local function check_search_after(out)
  if out.search_after == nil then return true end
  if not json.is_array(out.search_after) then
    return problem.argument "Values cannot be null."
  end
  if not out.sort then
    return problem.late "Sort must contain at least one field."
  end
  if #out.search_after ~= #out.sort then
    return problem.late("search_after has %d value(s) but sort has %d.", #out.search_after, #out.sort)
  end
  if out.from > 0 then
    return problem.late "`from` parameter must be set to 0 when `search_after` is used."
  end
  return true
end

--- Reads a search's body.
-- @tparam table body decoded JSON
-- @return `{ filter, from, size, sort, source, aggregations, track, ... }`, or nil and the
-- dialect's error
function request.read(body)
  if not read.is_object(body) then
    return problem.parsing("Expected [START_OBJECT] but found [%s]", read.token(body))
  end
  local ok, err = unknown(body)
  if not ok then return nil, err end
  local out = {}
  out.source, err = source_filter.read(body._source)
  if not out.source then return nil, err end
  for key, reader in pairs(KEYS) do
    ok, err = reader(body[key], out)
    if not ok then return nil, err end
  end
  ok, err = stored_fields(body.stored_fields, out, body._source)
  if not ok then return nil, err end
  out.aggregations, err = aggregation.read(body.aggregations or body.aggs)
  if not out.aggregations then return nil, err end
  out.has_aggregations = body.aggregations ~= nil or body.aggs ~= nil
  out.score_parts = score.parts(body.query)
  ok, err = request.check_window(out)
  if not ok then return nil, err end
  ok, err = check_search_after(out)
  if not ok then return nil, err end
  return out
end

return request
