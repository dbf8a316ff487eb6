-- Kills the server in the middle of bulk requests, again and again. What was answered must be
-- there afterwards, a request that was not answered wholly or not at all, and the server must be
-- back within a second.
--     BLIP_CRASH_ROUNDS=200 build/release/blip test tests/crash
local server = require "support.server"
local time = require "runtime.time"

local ROUNDS = tonumber(os.getenv "BLIP_CRASH_ROUNDS") or 5
local DOCUMENTS = 500
local RESTART_MS = 1000
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

--- One request: explicit ids, ids that are made, and a document that each request replaces.
local function body_of(batch)
  local lines = {}
  for i = 1, DOCUMENTS do
    local action = i % 2 == 0 and ('{"index":{"_id":"%d-%d"}}'):format(batch, i) or '{"index":{}}'
    lines[#lines + 1] = action
    lines[#lines + 1] = ('{"batch":%d,"n":%d,"host":"server-%d","at":"2026-01-05T00:00:00Z"}'):format(batch, i, i % 20)
  end
  lines[#lines + 1] = '{"index":{"_id":"last"}}'
  lines[#lines + 1] = ('{"last":%d}'):format(batch)
  return table.concat(lines, "\n") .. "\n"
end

local function count(blip, batch)
  local answer = blip:post("/crash/_count", { query = { term = { batch = batch } } })
  return answer.json.count or answer.body
end

describe("tests/crash", function()
  local blip
  setup(function()
    math.randomseed(20261124)
    blip = server.start {}
  end)
  teardown(function() blip:stop() end)

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
    local batch, all, slowest = 1, {}, 0
    for _ = 1, ROUNDS do
      local acknowledged, open = send_until_dead(batch)
      local started = time.monotonic_ns()
      blip:restart "KILL"
      slowest = math.max(slowest, (time.monotonic_ns() - started) / 1e6)
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
    print(("%d documents over %d kills, slowest restart %.0f ms"):format(#all * DOCUMENTS, ROUNDS, slowest))
    assert.is_true(slowest < RESTART_MS, ("a restart took %.0f ms"):format(slowest))
  end)
end)
