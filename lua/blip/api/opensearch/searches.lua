--- Routes: search detectors, results and tasks, count detectors, delete results (opensearch-ad.md
-- 3.5 to 3.7, 3.17, 3.18).
-- @module blip.api.opensearch.searches
local incoming = require "blip.api.opensearch.incoming"
local json = require "runtime.json"
local owners = require "blip.api.opensearch.owners"
local paths = require "blip.api.opensearch.paths"
local refuse = require "blip.api.opensearch.refuse"
local removal = require "blip.api.opensearch.removal"
local reply = require "blip.api.reply"
local result_index = require "blip.api.opensearch.result_index"
local rights = require "blip.source.rights"
local stored = require "blip.api.opensearch.stored"

local COUNT = { "count", "match" }

local routes = {}

-- The error of a search that failed while it ran; what could not be read goes out as it is.
local function explained(err)
  if err.type ~= "search_phase_execution_exception" then
    return err
  end
  local cause = err.root_cause and err.root_cause[1] or err.caused_by or err
  refuse.status(500, cause.reason)
end

-- Runs the search that a request asks for; each hit tells its version and sequence number too.
local function search(request, indices, must_exist)
  local body = incoming.search(request)
  if must_exist then
    stored.need(indices[1])
  end
  if json.is_object(body) then
    body.version, body.seq_no_primary_term = true, true
  end
  local answer, err = stored.search(indices, owners.limit(body))
  if not answer then
    error(explained(err), 0)
  end
  return answer
end

-- What only a page needs is not shown to others.
local function without_ui_metadata(answer)
  for _, hit in ipairs(answer.hits.hits) do
    local source = json.plain(hit._source)
    if source ~= nil and source.ui_metadata then
      source.ui_metadata, hit._source = nil, source
    end
  end
  return answer
end

local function is_dashboard(request)
  local agent = request.headers["user-agent"] or ""
  return agent:find("OpenSearch Dashboards", 1, true) or agent:find("Kibana", 1, true)
end

local function each_method(add, path, action, handler)
  add(routes, "GET " .. path, action, handler)
  add(routes, "POST " .. path, action, handler)
end

each_method(paths.both, "/detectors/_search", "detector/search", function(request)
  request:allow {}
  local answer = search(request, { stored.INDEX }, true)
  return reply.ok(is_dashboard(request) and answer or without_ui_metadata(answer))
end)

local function search_results(request)
  request:allow { "only_query_custom_result_index" }
  if request:flag "only_query_custom_result_index" then
    refuse.illegal_state "No custom result index set."
  end
  return reply.ok(search(request, { result_index.PATTERN }))
end

each_method(paths.both, "/detectors/results/_search", "result/search", search_results)
-- The path that the plugin's first documentation prints; no release of it ever had it.
each_method(paths.legacy, "/results/_search", "result/search", search_results)

each_method(paths.current, "/detectors/results/_search/{resultIndex}", "result/search", function(request)
  request:allow { "only_query_custom_result_index" }
  local only = request:flag "only_query_custom_result_index"
  local indices = result_index.named(request.params.resultIndex)
  if not rights.check(indices) then
    refuse.denied(rights.READ)
  end
  if #indices == 0 and only then
    refuse.argument "No custom result indices found"
  elseif not only then
    table.insert(indices, 1, result_index.PATTERN)
  end
  return reply.ok(search(request, indices))
end)

each_method(paths.both, "/detectors/tasks/_search", "tasks/search", function(request)
  request:allow {}
  return reply.ok(search(request, { stored.TASKS }, true))
end)

paths.both(routes, "GET /detectors/count", "detector/info", function(request)
  request:allow {}
  return reply.ok(json.ordered({ count = stored.count(), match = false }, COUNT))
end)

paths.both(routes, "GET /detectors/match", "detector/info", function(request)
  local name = request.query.name
  request:allow { "name" }
  if not name then
    refuse.status(500, "Fail to get config info")
  end
  local found = stored.count { term = { ["name.keyword"] = name } } > 0
  return reply.ok(json.ordered({ count = 0, match = found }, COUNT))
end)

paths.current(routes, "DELETE /detectors/results", "results/delete", function(request)
  request:allow {}
  return reply.ok(removal.by_query(result_index.PATTERN, owners.limit(incoming.search(request))))
end)

return routes
