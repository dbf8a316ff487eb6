--- The search dialect's errors: their types, and how a failure inside a search is wrapped.
-- Each function returns nil and the error, for `return problem.parsing(...)`.
-- @module blip.query.problem
local fail = require "blip.fail"

local problem = {}

local function of_type(type)
  return function(format, ...)
    return fail.es { status = 400, type = type, reason = format:format(...) }
  end
end

--- A body that is not what the dialect's reader expects.
problem.parsing = of_type "parsing_exception"
--- An option that its object does not have, or a value that does not fit its option.
problem.content = of_type "x_content_parse_exception"
--- A value out of range, options that contradict each other.
problem.argument = of_type "illegal_argument_exception"

--- What failed within an option: the outer error names the option, the inner one the reason.
function problem.option(object, option, cause)
  return fail.es {
    status = 400, type = "x_content_parse_exception",
    reason = ("[1:1] [%s] failed to parse field [%s]"):format(object, option),
    caused_by = { type = cause.type or "illegal_argument_exception", reason = cause.reason },
  }
end

--- An option that nobody reads.
function problem.unknown_option(object, option)
  return problem.content("[1:1] [%s] unknown field [%s]", object, option)
end

--- An argument that the dialect only looks at when the search runs; see @{shards}.
function problem.late(format, ...)
  return problem.shards(select(2, problem.argument(format, ...)))
end

--- Number of edits between two words, at most `limit` + 1.
local function distance(a, b, limit)
  if math.abs(#a - #b) > limit then return limit + 1 end
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

--- " did you mean [match]?" for a name that is nearly one of those that exist; else "".
function problem.suggestion(name, known)
  local best, best_distance = nil, math.max(1, #name // 4) + 1
  for candidate in pairs(known) do
    local edits = distance(name, candidate, 3)
    if edits < best_distance or (edits == best_distance and best and candidate < best) then
      best, best_distance = candidate, edits
    end
  end
  return best and (" did you mean [%s]?"):format(best) or ""
end

-- Errors of values are wrapped once more, with the index they happened in.
local WRAPPED = { number_format_exception = true, illegal_argument_exception = true }

--- An error that only showed when the search ran, as the dialect reports it: every shard failed.
-- @tparam table err
-- @tparam[opt] string index where it happened; with it the query itself could not be built
function problem.shards(err, index)
  if err.kind ~= "invalid" or err.type == "search_phase_execution_exception" then return nil, err end
  local cause = { type = err.type or "illegal_argument_exception", reason = err.reason,
                  caused_by = err.caused_by }
  if index and WRAPPED[cause.type] then
    cause = { type = "query_shard_exception", reason = "failed to create query: " .. cause.reason,
              index = index, index_uuid = index, caused_by = cause }
  end
  local root = {}
  for key, value in pairs(cause) do
    if key ~= "caused_by" then root[key] = value end
  end
  return fail.es {
    status = 400, type = "search_phase_execution_exception", reason = "all shards failed",
    phase = "query", grouped = true, root_cause = { root }, caused_by = cause,
    failed_shards = { { shard = 0, index = index, node = "blip", reason = cause } },
  }
end

return problem
