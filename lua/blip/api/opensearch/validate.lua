--- Routes: say what is wrong with a detector without storing it (opensearch-ad.md 3.12).
-- Only the first finding is told. Whether the data would train a model is looked at by its aspect `model`.
-- @module blip.api.opensearch.validate
local checks = require "blip.api.opensearch.checks"
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local parse = require "blip.api.opensearch.parse"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local reply = require "blip.api.reply"

local ASPECTS = { detector = true }
local FINDING = { "message", "sub_issues" }

local routes = {}

-- The finding that an error stands for; nil when the request itself is wrong.
local function finding_of(err)
  local found = type(err) == "table" and refuse.found(err)
  if found then
    return found.issue, { message = found.message or err.reason, sub_issues = found.sub_issues }
  elseif type(err) == "table" and err.type == "index_not_found_exception" then
    return "indices", { message = "index does not exist" }
  end
end

local function look_at(request)
  local detector = parse.read(incoming.reader(request), incoming.defaults(false))
  request:allow {}
  checks.for_validation(detector)
end

local function validate(request)
  local ok, err = pcall(look_at, request)
  if ok then
    return reply.ok(json.object {})
  end
  local issue, finding = finding_of(err)
  if not issue then
    error(err, 0)
  end
  return reply.ok { detector = { [issue] = json.ordered(finding, FINDING) } }
end

paths.current(routes, "POST /detectors/_validate", "detector/validate", validate)

paths.current(routes, "POST /detectors/_validate/{types}", "detector/validate", function(request)
  for aspect in request.params.types:gmatch "[^,]+" do
    if not ASPECTS[aspect] then
      refuse.illegal_state "The given validation type doesn't exist"
    end
  end
  return validate(request)
end)

return routes
