--- The refusals of the Elastic dialect: each function raises one kind of error (elastic-ml.md 1.4).
-- Clients match on type and text. A text with arguments is a format, one without is taken as it is.
-- @module blip.job.refuse
local fail = require "blip.fail"

local refuse = {}

local function say(text, ...)
  return select("#", ...) > 0 and text:format(...) or text
end

local function raise(status, kind, reason)
  local _, err = fail.es { status = status, type = kind, reason = reason }
  error(err, 0)
end

--- 400: a value, or a combination of values, that cannot be.
function refuse.argument(text, ...)
  raise(400, "illegal_argument_exception", say(text, ...))
end

--- 400: a text that is no number.
function refuse.number(text)
  raise(400, "number_format_exception", ('For input string: "%s"'):format(text))
end

--- 400: an id or a name that is taken.
function refuse.exists(text, ...)
  raise(400, "resource_already_exists_exception", say(text, ...))
end

--- 404: what was named is not there.
function refuse.missing(text, ...)
  raise(404, "resource_not_found_exception", say(text, ...))
end

--- What the state of things forbids.
-- @tparam integer status 400, 409 or 429
function refuse.status(status, text, ...)
  raise(status, "status_exception", say(text, ...))
end

--- 400: a request that lacks what it must have.
function refuse.request(text, ...)
  raise(400, "action_request_validation_exception", ("Validation Failed: 1: %s;"):format(say(text, ...)))
end

--- 400: a text that nobody can read: no date, no size, no body.
function refuse.unreadable(text, ...)
  raise(400, "parse_exception", say(text, ...))
end

return refuse
