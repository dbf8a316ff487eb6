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
-- Its place is filled in by @{locate}.
function problem.parsing(format, ...)
  return fail.es { status = 400, type = "parsing_exception", reason = format:format(...), line = 1, col = 1 }
end

--- A name for which the dialect has no query or aggregation.
function problem.unknown_name(format, name, known)
  return fail.es {
    status = 400, type = "parsing_exception", line = 1, col = 1,
    reason = format:format(name, problem.suggestion(name, known)),
    caused_by = { type = "named_object_not_found_exception",
                  reason = ("[1:1] unknown field [%s]"):format(name) },
  }
end

--- Fills in where a parsing error's last named key stands in the body's text.
function problem.locate(err, text)
  local cause = err.caused_by and err.caused_by.reason
  local name = err.col and (cause or err.reason):match "^.*%[([^%[%]]+)%]"
  local at = name and text:match(('"%s"%%s*:%%s*()'):format(name:gsub("%p", "%%%0")))
  if at then
    local before = text:sub(1, at - 1)
    err.line = select(2, before:gsub("\n", "")) + 1
    err.col = #before:match "[^\n]*$" + 1
    if cause then err.caused_by.reason = cause:gsub("^%[1:1%]", ("[%d:%d]"):format(err.line, err.col)) end
  end
  return err
end

--- An option that its object does not have, or a value that does not fit its option.
problem.content = of_type "x_content_parse_exception"
--- A value out of range, options that contradict each other.
problem.argument = of_type "illegal_argument_exception"

--- An error as the cause of another.
function problem.cause(err)
  return { type = err.type or "illegal_argument_exception", reason = err.reason, caused_by = err.caused_by,
           line = err.line, col = err.col }
end

--- What failed within an option: the outer error names the option, the inner one the reason.
function problem.option(object, option, cause)
  return fail.es {
    status = 400, type = "x_content_parse_exception",
    reason = ("[1:1] [%s] failed to parse field [%s]"):format(object, option),
    caused_by = problem.cause(cause),
    root_cause = cause.type == "parsing_exception" and { problem.cause(cause) } or nil,
  }
end

--- An option that nobody reads.
function problem.unknown_option(object, option)
  return problem.content("[1:1] [%s] unknown field [%s]", object, option)
end

--- An argument that the dialect only looks at when the search runs; see @{shards}.
function problem.late(format, ...)
  local _, err = problem.argument(format, ...)
  err.late = true
  return nil, err
end

--- Marks an error as one of a value in a query.
function problem.of_query(err)
  err.in_query = true
  return nil, err
end

--- How many edits a name may be away from the one that was meant.
local MAX_EDITS = 3

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
  local best, best_distance = nil, math.min(MAX_EDITS, math.max(1, #name // 4)) + 1
  for candidate in pairs(known) do
    local edits = distance(name, candidate, MAX_EDITS)
    if edits < best_distance or (edits == best_distance and best and candidate < best) then
      best, best_distance = candidate, edits
    end
  end
  return best and (" did you mean [%s]?"):format(best) or ""
end

-- Errors of values in a query are wrapped once more, with the index they happened in.
local WRAPPED = {
  number_format_exception = true, illegal_argument_exception = true, illegal_state_exception = true,
}

--- What failed on a shard, and what the search reports as its cause.
local function shard_causes(err, index)
  local cause = problem.cause(err)
  if err.in_query and WRAPPED[cause.type] then
    cause = { type = "query_shard_exception", reason = "failed to create query: " .. cause.reason,
              index = index, index_uuid = index, caused_by = cause }
  elseif cause.type == "query_shard_exception" then
    cause.index, cause.index_uuid = index, index
  elseif not err.in_query then
    return cause, { type = cause.type, reason = cause.reason, caused_by = cause }
  end
  return cause, cause
end

--- An error that only showed when the search ran, as the dialect reports it: every shard failed.
-- @tparam table err
-- @tparam[opt] string index where it happened
function problem.shards(err, index)
  if err.kind ~= "invalid" or err.phase then return nil, err end
  local on_shard, cause = shard_causes(err, index)
  local root = {}
  for key, value in pairs(on_shard) do
    if key ~= "caused_by" then root[key] = value end
  end
  return fail.es {
    status = 400, type = "search_phase_execution_exception", reason = "all shards failed",
    phase = "query", grouped = true, root_cause = { root }, caused_by = cause,
    failed_shards = { { shard = 0, index = index, node = "blip", reason = on_shard } },
  }
end

return problem
