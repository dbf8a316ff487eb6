--- What a route answers.
-- A reply is a table: `status`, `headers` (name to value or values, by choice), and either `body` (a value
-- that becomes JSON in the form that the request asked for) or `text` (sent as it is).
-- @module blip.api.reply
local fail = require "blip.fail"
local json = require "runtime.json"

local reply = {}

--- An answer with a status of its own.
-- @tparam integer code HTTP status
-- @param body a table, or `json.raw` text
-- @tparam[opt] table headers
function reply.status(code, body, headers)
  return { status = code, body = body, headers = headers }
end

--- 200.
function reply.ok(body, headers)
  return reply.status(200, body, headers)
end

--- 201, with the place of what was created.
-- @param body
-- @tparam[opt] string location the path of the new thing
function reply.created(body, location)
  return reply.status(201, body, location and { Location = location })
end

--- An answer that is not JSON.
-- @tparam integer code HTTP status
-- @tparam string text
-- @tparam[opt] string type its Content-Type, plain text unless said otherwise
function reply.text(code, text, type)
  return { status = code, text = text, type = type or "text/plain; charset=UTF-8" }
end

--- What an error's own fields are; the others go into its body.
local own = {
  kind = true, status = true, type = true, reason = true, caused_by = true, root_cause = true,
  body = true, headers = true, traceback = true,
}
local cause_order = { "type", "reason" }
local error_order = { "root_cause", "type", "reason" }
local body_order = { "error", "status" }

local function describe(err, order)
  local kind = fail.kinds[err.kind] or fail.kinds.failed
  local fields = { type = err.type or kind.type, reason = err.reason }
  for name, value in pairs(err) do
    if not own[name] then fields[name] = value end
  end
  return json.ordered(fields, order)
end

local function caused_by(err)
  local fields = describe(err, cause_order)
  if err.caused_by then fields.caused_by = caused_by(err.caused_by) end
  return fields
end

--- The dialect's answer to an error of `blip.fail`.
-- @tparam table err
-- @tparam[opt] boolean trace add a stack_trace, as `?error_trace` asks for
function reply.failure(err, trace)
  local kind = fail.kinds[err.kind] or fail.kinds.failed
  local status = err.status or kind.status
  if err.body then return reply.status(status, err.body, err.headers) end
  local fields = describe(err, error_order)
  fields.root_cause = json.array(err.root_cause or { describe(err, cause_order) })
  if err.caused_by then fields.caused_by = caused_by(err.caused_by) end
  if trace then fields.stack_trace = err.traceback or err.reason end
  local headers = err.headers
  if status == 429 then headers = headers or { ["Retry-After"] = "1" } end
  return reply.status(status, json.ordered({ error = fields, status = status }, body_order), headers)
end

return reply
