--- Errors as values: `nil, { kind, reason, ... }`.
-- What a caller can expect comes back this way, with the vocabulary of runtime/base/error.h;
-- what only a bug can cause is raised as a text. `assert(x, err)` raises the table itself, and
-- the router answers it with the status that its kind stands for.
-- @module blip.fail
local fail = {}

local Error = { __name = "blip.error" }

--- An error prints as its reason.
function Error.__tostring(err)
  return err.reason
end

local function new(fields)
  return setmetatable(fields, Error)
end

local function of_kind(kind)
  return function(format, ...)
    local reason = select("#", ...) > 0 and format:format(...) or format
    return nil, new { kind = kind, reason = reason }
  end
end

--- The kinds, each with the HTTP status and the error type that it is answered with.
fail.kinds = {
  invalid = { status = 400, type = "illegal_argument_exception" },
  not_found = { status = 404, type = "resource_not_found_exception" },
  conflict = { status = 409, type = "version_conflict_engine_exception" },
  too_large = { status = 413, type = "content_too_long_exception" },
  busy = { status = 429, type = "rejected_execution_exception" },
  cancelled = { status = 503, type = "task_cancelled_exception" },
  denied = { status = 403, type = "security_exception" },
  no_memory = { status = 503, type = "circuit_breaking_exception" },
  failed = { status = 500, type = "exception" },
}

--- The caller's input is wrong: `fail.invalid(format, ...)`.
-- The others of this family are alike: `not_found` (what was named does not exist), `conflict`
-- (it exists, or somebody was faster), `too_large` (beyond a limit), `busy` (try again later),
-- `cancelled`, `denied` and `failed` (input, output, or another program's failure).
-- @tparam string format as in string.format
-- @return nil, and the error
-- @function fail.invalid
for kind in pairs(fail.kinds) do
  fail[kind] = of_kind(kind)
end

local kind_of_status = {}
for kind, answer in pairs(fail.kinds) do
  kind_of_status[answer.status] = kind
end
kind_of_status[503] = "cancelled"

--- An error in a dialect's own words.
-- @tparam table fields `status` (HTTP), `type`, `reason`, and what else its body carries
-- @return nil, and the error
function fail.es(fields)
  local other = fields.status < 500 and "invalid" or "failed"
  fields.kind = fields.kind or kind_of_status[fields.status] or other
  return nil, new(fields)
end

--- Is a value an error of this module's shape?
function fail.is(value)
  return type(value) == "table" and type(value.kind) == "string" and type(value.reason) == "string"
end

return fail
