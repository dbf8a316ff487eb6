--- Stored results as the dialect shows them: times in milliseconds, every field that must be there,
-- in its order (elastic-ml.md 5).
-- @module blip.result.view
local date_math = require "blip.query.date_math"
local json = require "runtime.json"

local view = {}

--- Milliseconds of a stored time: a number, or a date that a client wrote.
function view.time(value)
  if math.type(value) == "integer" or value == nil then return value end
  return date_math.resolve(value) or value
end

--- Gives fields that are missing a value.
-- @tparam table document
-- @tparam table defaults name to value
function view.fill(document, defaults)
  for name, value in pairs(defaults) do
    if document[name] == nil or document[name] == json.null then document[name] = value end
  end
  return document
end

--- What every result has.
-- @tparam table document changed in place
-- @tparam string result_type
function view.common(document, result_type)
  document.timestamp = view.time(document.timestamp)
  document.result_type = result_type
  return view.fill(document, { is_interim = false, bucket_span = 0 })
end

return view
