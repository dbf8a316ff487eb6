--- A whole search: a body in, the dialect's answer out.
-- @module blip.query.search
local aggregation = require "blip.query.aggregation"
local hits = require "blip.query.hits"
local filter = require "blip.query.filter"
local json = require "runtime.json"
local problem = require "blip.query.problem"
local request_of = require "blip.query.request".read
local scroll = require "blip.query.scroll"
local store = require "runtime.store"
local time = require "runtime.time"

local search = {}

--- How many documents a filter holds for.
-- @tparam table indices a list of `{ name =, mapping = }`
-- @return integer, or nil and an error
function search.count(indices, where)
  local count, err = aggregation.run(store.connection(), indices, where, {})
  if not count then return problem.shards(err, indices[1] and indices[1].name) end
  return count
end

--- `hits.total`: exact up to the number that was asked for.
local function show_total(count, track, as_int)
  if track == false then return as_int and -1 or nil end
  if as_int then return count end
  if count > track then return { value = math.tointeger(track), relation = "gte" } end
  return { value = count, relation = "eq" }
end

local function shards(indices)
  return { total = #indices, successful = #indices, skipped = 0, failed = 0 }
end

local function total_of(connection, request, indices, count)
  if not request.post_filter then return count end
  return aggregation.run(connection, indices, filter.all_of { request.filter, request.post_filter }, {})
end

--- Reads a body; what the dialect would only notice while it searches is reported that way.
local function read(body, indices, options)
  local request, err = request_of(body)
  if request then return request end
  if err.late then return problem.shards(err, indices[1] and indices[1].name) end
  return nil, options.text and problem.locate(err, options.text) or err
end

--- Searches indices.
-- @tparam table indices a list of `{ name =, mapping = }`, already resolved
-- @tparam table body decoded JSON of the search
-- @tparam[opt] table options `total_as_int`, `typed_keys`, `filter` beside the body's query,
-- `text` of the body, for the places of errors, `scroll` the place of a @{blip.query.scroll}
-- @return the answer, or nil and an error
function search.run(indices, body, options)
  options = options or {}
  local started = time.monotonic_ns()
  local request, err = read(body, indices, options)
  if not request then return nil, err end
  if options.total_as_int and math.type(request.track) == "integer" and body.track_total_hits ~= nil then
    return problem.argument("[rest_total_hits_as_int] cannot be used if the tracking of total hits is not "
      .. "accurate, got %d", request.track)
  end
  if options.filter then request.filter = filter.all_of { request.filter, options.filter } end
  local place = options.scroll
  if place then
    request.from = place.from
    request.filter = filter.all_of { request.filter, scroll.filter(place) }
  end
  local connection, where = store.connection(), indices[1] and indices[1].name
  local count, aggregations = aggregation.run(connection, indices, request.filter, request.aggregations,
    options)
  if not count then return problem.shards(aggregations, where) end
  local total
  total, err = total_of(connection, request, indices, count)
  if not total then return problem.shards(err, where) end
  local list, max_score = hits.read(connection, request, indices)
  if not list then return problem.shards(max_score, where) end
  return {
    _scroll_id = place and scroll.next_id(place, #list) or nil,
    took = (time.monotonic_ns() - started) // 1000000,
    timed_out = false,
    _shards = shards(indices),
    hits = json.ordered({
      total = show_total(total, request.track, options.total_as_int), max_score = max_score, hits = list,
    }, { "total", "max_score", "hits" }),
    aggregations = request.has_aggregations and json.object(aggregations) or nil,
  }
end

search.shards = shards

--- Checks a body without running it. Returns true, or nil and the dialect's error.
function search.check(body, text)
  local request, err = read(body, {}, { text = text })
  return request and true, err
end

return search
