--- Deletes the documents that a query finds (opensearch-ad.md 3.18).
-- @module blip.api.opensearch.removal
local fail = require "blip.fail"
local json = require "runtime.json"
local names = require "blip.index.names"
local store = require "runtime.store"
local search = require "blip.query.search"
local time = require "runtime.time"

local BATCH = 1000
local ANSWER = {
  "took",
  "timed_out",
  "total",
  "updated",
  "created",
  "deleted",
  "batches",
  "version_conflicts",
  "noops",
  "retries",
  "throttled_millis",
  "requests_per_second",
  "throttled_until_millis",
  "failures",
}

local removal = {}

-- Deletes one page of what a query finds in an index; returns how many there were.
local function delete_batch(index, query)
  local answer, err = search.run({ index }, { query = query, size = BATCH, _source = false })
  if not answer then
    return nil, err
  end
  local lines = {}
  for i, hit in ipairs(answer.hits.hits) do
    lines[i] = ('{"delete":{"_id":%s}}\n'):format(json.quote(hit._id))
  end
  if #lines == 0 then
    return 0
  end
  local c = store.connection()
  local bulk <close> = assert(c:bulk(table.concat(lines), index.name))
  for target = 1, #bulk:targets() do
    bulk:resolve(target, c, index.name)
  end
  local ok
  ok, err = bulk:run(c)
  return ok and #lines, err
end

--- Deletes by query.
-- @tparam string expression names and patterns
-- @tparam table body with a `query`
-- @treturn table Elasticsearch's answer; raises the dialect's error
function removal.by_query(expression, body)
  if not json.is_object(body) then
    return assert(search.check(body))
  elseif body.query == nil then
    return assert(fail.es {
      status = 400,
      type = "action_request_validation_exception",
      reason = "Validation Failed: 1: query is missing;",
    })
  end
  assert(search.check { query = body.query })
  local started, deleted, batches = time.monotonic_ns(), 0, 0
  for _, index in ipairs(assert(names.resolve(expression))) do
    repeat
      local count = assert(delete_batch(index, body.query))
      deleted, batches = deleted + count, batches + (count > 0 and 1 or 0)
    until count < BATCH
  end
  return json.ordered({
    took = (time.monotonic_ns() - started) // 1000000,
    timed_out = false,
    total = deleted,
    updated = 0,
    created = 0,
    deleted = deleted,
    batches = batches,
    version_conflicts = 0,
    noops = 0,
    retries = { bulk = 0, search = 0 },
    throttled_millis = 0,
    requests_per_second = -1.0,
    throttled_until_millis = 0,
    failures = json.array {},
  }, ANSWER)
end

return removal
