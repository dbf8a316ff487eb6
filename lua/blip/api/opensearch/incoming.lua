--- What the routes of the dialect take from a request: bodies and parameters, refused in its words.
-- @module blip.api.opensearch.incoming
local periods = require "blip.api.opensearch.periods"
local refuse = require "blip.api.opensearch.refuse"
local settings = require "blip.api.opensearch.settings"
local tokens = require "blip.api.opensearch.tokens"

local REFRESH = { ["true"] = true, [""] = true, ["false"] = true, wait_for = true }

local incoming = {}

local function is_empty(text)
  return text == nil or not text:find "%S"
end

--- A reader at the first token of the body, which must be there.
function incoming.reader(request)
  local text = request:text()
  if is_empty(text) then
    refuse.no_body "request body is required"
  end
  local reader = tokens.new(text)
  reader:next()
  return reader
end

--- As `reader`, nil when there is no body.
function incoming.optional_reader(request)
  return not is_empty(request:text()) and incoming.reader(request) or nil
end

--- The body of a search, which must be there but may be an empty object.
-- @return a table as `blip.query` takes it
function incoming.search(request)
  if is_empty(request:text()) then
    refuse.no_body "request body or source parameter is required"
  end
  return request:json()
end

--- A whole number of the query string.
-- @return nil when it is not there
function incoming.long(request, name)
  local text = request.query[name]
  local number = text and math.tointeger(tonumber(text))
  if text and not number then
    refuse.argument_caused_by(
      ("Failed to parse long parameter [%s] with value [%s]"):format(name, text),
      "number_format_exception",
      ('For input string: "%s"'):format(text)
    )
  end
  return number
end

--- The version that a write expects to replace.
-- @return `{if_seq_no=, if_primary_term=}`, both or either nil
function incoming.guard(request)
  return {
    if_seq_no = incoming.long(request, "if_seq_no"),
    if_primary_term = incoming.long(request, "if_primary_term"),
  }
end

--- Refuses a `refresh` that is none of its words; writes are always visible at once.
function incoming.check_refresh(request)
  local refresh = request.query.refresh
  if refresh and not REFRESH[refresh] then
    refuse.argument("Unknown value for refresh: [%s].", refresh)
  end
end

local SECOND, MINUTE = 1000, 60000

--- What a detector gets for fields that are not sent, from the cluster settings.
-- @tparam boolean with_interval false: the interval has no default
-- @return a table as `parse.read` takes it
function incoming.defaults(with_interval)
  return {
    detection_interval = with_interval
      and periods.new(settings.get "detection_interval" // MINUTE, "Minutes") or nil,
    window_delay = periods.new(settings.get "detection_window_delay" // SECOND, "Seconds"),
    categories = settings.get "category_field_limit",
  }
end

return incoming
