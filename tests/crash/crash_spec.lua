-- Kills the server in the middle of bulk requests, again and again. What was answered must be
-- there afterwards, a request that was not answered wholly or not at all. Two detectors run on
-- what is sent, a forest and an ensemble over twenty hosts: each of their intervals must have its
-- results once. How long the server takes to be back is printed; the aim is a second.
--     BLIP_CRASH_ROUNDS=200 build/release/blip test tests/crash
local server = require "support.server"
local time = require "runtime.time"

local ROUNDS = tonumber(os.getenv "BLIP_CRASH_ROUNDS") or 5
local DOCUMENTS = 500
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

--- One request: explicit ids, ids that are made, and a document that each request replaces.
local function body_of(batch)
  local lines = {}
  for i = 1, DOCUMENTS do
    local action = i % 2 == 0 and ('{"index":{"_id":"%d-%d"}}'):format(batch, i) or '{"index":{}}'
    lines[#lines + 1] = action
    lines[#lines + 1] = ('{"batch":%d,"n":%d,"host":"server-%d","sent":%d}'):format(
      batch, i, i % 20, time.now_ms())
  end
  lines[#lines + 1] = '{"index":{"_id":"last"}}'
  lines[#lines + 1] = ('{"last":%d}'):format(batch)
  return table.concat(lines, "\n") .. "\n"
end

local DETECTORS = [[
local function each_second(name, options)
  options.source, options.time, options.interval, options.delay = "crash", "sent", "1s", "0s"
  return detector(name)(options)
end
return {
  each_second("crash_total", { features = { feature("n", count()) }, model = forest { shingle = 4 } }),
  each_second("crash_hosts", { features = { feature("n", count()) }, category = { "host" } }),
}
]]

--- The answers of an aggregation by interval, and within it by entity, over a detector's results.
local function results_by_interval(blip, detector)
  local answer = blip:post("/.opendistro-anomaly-results*/_search", {
    size = 0, query = { term = { detector_id = detector } },
    aggs = { times = {
      terms = { field = "data_start_time", size = 10000, order = { _key = "asc" } },
      aggs = { entities = { cardinality = { field = "model_id" } } },
    } },
  })
  return answer.json.aggregations.times.buckets
end

local function count(blip, batch)
  local answer = blip:post("/crash/_count", { query = { term = { batch = batch } } })
  return answer.json.count or answer.body
end

describe("tests/crash", function()
  local blip, detectors
  setup(function()
    math.randomseed(20261124)
    detectors = server.folder()
    assert(io.open(detectors .. "/crash.lua", "w")):write(DETECTORS):close()
    blip = server.start { detectors = detectors }
    blip:put("/crash", { mappings = { properties = {
      sent = { type = "date" }, host = { type = "keyword" } } } })
  end)
  teardown(function()
    blip:stop()
    server.remove(detectors)
  end)

  --- Sends requests until the server dies; returns the numbers of those that were answered, and of
  -- the one that was not.
  local function send_until_dead(first)
    local acknowledged, batch = {}, first
    os.execute(("(sleep %.3f; kill -KILL %d) >/dev/null 2>&1 &"):format(0.05 + math.random() * 0.4, blip.pid))
    while true do
      local ok, answer = pcall(blip.request, blip, "POST", "/crash/_bulk", body_of(batch), NDJSON)
      if not ok or not answer or answer.status ~= 200 then return acknowledged, batch end
      assert.is_false(answer.json.errors)
      acknowledged[#acknowledged + 1] = batch
      batch = batch + 1
    end
  end

  it(("keeps every answered document over %d kills"):format(ROUNDS), function()
    local batch, all, restarts = 1, {}, {}
    for _ = 1, ROUNDS do
      local acknowledged, open = send_until_dead(batch)
      local started = time.monotonic_ns()
      blip:restart "KILL"
      restarts[#restarts + 1] = (time.monotonic_ns() - started) / 1e6
      for _, number in ipairs(acknowledged) do assert.equal(DOCUMENTS, count(blip, number)) end
      local half = count(blip, open)
      assert.is_true(half == 0 or half == DOCUMENTS, "a request was carried out by halves")
      if half > 0 then acknowledged[#acknowledged + 1] = open end
      table.move(acknowledged, 1, #acknowledged, #all + 1, all)
      if #all > 0 then
        assert.equal(all[#all], blip:get("/crash/_doc/last").json._source.last)
        local total = blip:get("/crash/_count").json.count
        assert.equal(#all * DOCUMENTS + 1, total)
      end
      batch = open + 1
    end
    table.sort(restarts)
    print(("%d documents over %d kills; restart in ms: median %.0f, slowest %.0f"):format(
      #all * DOCUMENTS, ROUNDS, restarts[#restarts // 2 + 1], restarts[#restarts]))
  end)

  it("gives each interval its results once", function()
    time.sleep_ms(2500) -- the intervals since the last kill are caught up
    local total = results_by_interval(blip, "crash_total")
    assert.is_true(#total > ROUNDS // 2, "the detector found few intervals: " .. #total)
    for i, bucket in ipairs(total) do
      assert.equal(1, bucket.doc_count, "results of " .. bucket.key)
      if i > 1 then assert.equal(total[i - 1].key + 1000, bucket.key, "intervals follow each other") end
    end
    local hosts = results_by_interval(blip, "crash_hosts")
    assert.is_true(#hosts > 0)
    for _, bucket in ipairs(hosts) do
      assert.equal(bucket.entities.value, bucket.doc_count, "results of " .. bucket.key)
    end
  end)
end)
