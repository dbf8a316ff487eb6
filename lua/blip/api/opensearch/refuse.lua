--- The refusals of the OpenSearch dialect: each function raises one kind of error.
-- Clients match on type and text, so both are the plugin's own (opensearch-ad.md 1.3). What a body
-- can break while it is read is a `validation_exception`; what only the store can know is a
-- `status_exception`.
-- @module blip.api.opensearch.refuse
local access = require "blip.security.access"
local fail = require "blip.fail"

-- What `_validate` tells of an error: { issue, sub_issues }. It is no part of the error's own body.
local FINDINGS = setmetatable({}, { __mode = "k" })

local refuse = {}

local function say(text, ...)
  return select("#", ...) > 0 and text:format(...) or text
end

-- Raises the error; `more` travels with it and is shown beside type and reason.
local function raise(status, kind, reason, more, finding)
  local fields = more or {}
  fields.status, fields.type, fields.reason = status, kind, reason
  local _, err = fail.es(fields)
  FINDINGS[err] = finding
  error(err, 0)
end

--- What an error says of a detector: the field that is wrong and, for features, a text by feature name.
-- @return `{issue=, sub_issues=, message=}`; nil for an error that is not about a detector
function refuse.found(err)
  return FINDINGS[err]
end

local SYNTAX = { parsing_exception = true, x_content_parse_exception = true }

--- Whether an error is about the form of a query or an aggregation: a detector reports it in words
-- of its own.
function refuse.is_syntax(err)
  return type(err) == "table" and SYNTAX[err.type] == true
end

--- An action that the caller may not, although the route's own may be.
function refuse.denied(action)
  local _, err = access.denied_by_plugin(access.subject(), action)
  error(err, 0)
end

--- A detector that breaks a rule of its own document.
-- @tparam string issue the field that `_validate` reports
function refuse.validation(issue, text, ...)
  raise(500, "validation_exception", say(text, ...), nil, { issue = issue })
end

--- A detector that does not fit the store: what `_validate` reports as a finding, create and
-- update refuse.
-- @tparam integer status
-- @tparam string issue the field that `_validate` reports
function refuse.finding(status, issue, text, ...)
  raise(status, "status_exception", say(text, ...), nil, { issue = issue })
end

--- Features that cannot run.
-- @tparam string text
-- @tparam string message what `_validate` says instead
-- @tparam table sub_issues feature name -> text
function refuse.features(text, message, sub_issues)
  local finding = { issue = "feature_attributes", message = message, sub_issues = sub_issues }
  raise(500, "status_exception", text, nil, finding)
end

--- The plugin's own refusal with an explicit status, which may be 200.
function refuse.status(status, text, ...)
  raise(status, "status_exception", say(text, ...))
end

--- A value that nobody can read.
function refuse.argument(text, ...)
  raise(400, "illegal_argument_exception", say(text, ...))
end

--- As `argument`, with the reason behind it.
function refuse.argument_caused_by(text, cause, reason)
  raise(400, "illegal_argument_exception", text, { caused_by = { type = cause, reason = reason } })
end

--- A request that lacks what it must name: the reason lists what is missing.
function refuse.request(text, ...)
  raise(400, "action_request_validation_exception", ("Validation Failed: 1: %s;"):format(say(text, ...)))
end

--- A body that is not there.
function refuse.no_body(text)
  raise(400, "parse_exception", text)
end

--- A number that is text of another kind.
function refuse.number_format(text)
  raise(400, "number_format_exception", ('For input string: "%s"'):format(text))
end

--- A token that does not belong where it stands.
-- @tparam integer line
-- @tparam integer column both from one
function refuse.parsing(line, column, text, ...)
  raise(400, "parsing_exception", say(text, ...), { line = line, col = column })
end

--- A value that the reader of a list or of an object cannot take.
function refuse.content(line, column, text, ...)
  raise(400, "x_content_parse_exception", ("[%d:%d] %s"):format(line, column, say(text, ...)))
end

--- A value of which no text can be made.
function refuse.no_text(line, column, token)
  raise(500, "illegal_state_exception", ("Can't get text on a %s at %d:%d"):format(token, line, column))
end

--- Something that the plugin looks for and does not find; a failure of its own, so 500.
function refuse.not_found(text, ...)
  raise(500, "resource_not_found_exception", say(text, ...))
end

--- Something that is switched off.
function refuse.illegal_state(text)
  raise(500, "illegal_state_exception", text)
end

--- Text that is not JSON.
-- @tparam string kind `json_parse_exception`, or `json_e_o_f_exception` where the text ends too early
function refuse.json(kind, line, column, text)
  local place = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
    .. "line: %d, column: %d]"
  raise(400, kind, text .. place:format(line, column))
end

--- An index that does not exist.
-- @tparam string name
-- @tparam[opt] string kind of the resource that was asked for: `index_or_alias` or `index_expression`
function refuse.no_index(name, kind)
  raise(404, "index_not_found_exception", ("no such index [%s]"):format(name), {
    index = name,
    ["resource.id"] = kind and name,
    ["resource.type"] = kind,
    index_uuid = "_na_",
  })
end

--- A run that found no index of detectors, which the plugin wraps.
function refuse.internal_failure(index)
  local missing = ("no such index [%s]"):format(index)
  raise(500, "internal_failure", ("[%s] IndexNotFoundException[%s]"):format(index, missing), {
    caused_by = {
      type = "index_not_found_exception",
      reason = missing,
      index = index,
      ["resource.id"] = index,
      ["resource.type"] = "index_expression",
      index_uuid = "_na_",
    },
  })
end

--- A run that cannot go on.
function refuse.end_run(text)
  raise(500, "end_run_exception", text)
end

--- An id that names no detector.
function refuse.no_detector(id)
  refuse.status(404, "Can't find config with id: %s", id)
end

return refuse
