--- The JSON of the search dialect: queries become filters, a detector's aggregations features.
-- @module blip.query.dsl
local clauses = require "blip.query.clause"
local problem = require "blip.query.problem"
local read = require "blip.query.read"

local dsl = {}

-- Clauses inside of clauses; deeper ones are refused.
local MAX_DEPTH = 100

local function parse(body, depth)
  if depth > MAX_DEPTH then
    return problem.argument("The query is nested deeper than %d levels", MAX_DEPTH)
  end
  if not read.is_object(body) then
    return problem.parsing "[_na] query malformed, must start with start_object"
  end
  local name, clause = next(body)
  if not name then return problem.argument "query malformed, empty clause found at [1:1]" end
  if next(body, name) then
    name = read.keys(body)[1]
    return problem.parsing("[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", name)
  end
  local reader = clauses[name]
  if not reader then
    return problem.unknown_name("unknown query [%s]%s", name, clauses)
  end
  return reader(clause, function(inner) return parse(inner, depth + 1) end)
end

--- Reads a query.
-- @param body decoded JSON, `{ term = { host = "a" } }`; nil asks for every row
-- @return a @{blip.query.filter}, or nil and the dialect's error
function dsl.query(body)
  if body == nil then return require "blip.query.filter".all() end
  return parse(body, 1)
end

return dsl
