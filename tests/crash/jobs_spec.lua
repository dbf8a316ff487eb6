-- luacheck: no max line length
-- Kills the server again and again while data is posted to one job and a datafeed feeds another. What was
-- answered must be there afterwards, what was not is there wholly or not at all; in the end the results
-- are those of a server that nobody killed.
--     BLIP_CRASH_ROUNDS=200 build/release/blip test tests/crash/jobs_spec.lua
local http = require "support.http"
local json = require "runtime.json"
local random = require "support.random"
local server = require "support.server"
local time = require "runtime.time"

local ROUNDS = tonumber(os.getenv "BLIP_CRASH_ROUNDS") or 5
local HOUR_MS, MINUTE_MS = 3600000, 60000
local START = 1491004800000
local HOURS = 6 -- of one round
local ML = "/_ml/anomaly_detectors/"
local HOSTS = 5
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

--- The records of one round, the same whenever they are made: a reading a minute and host, now and then one
-- that is far off.
local function records(round)
  local generator, list = random.new(round * 7919 + 1), {}
  for minute = 0, HOURS * 60 - 1 do
    local at = START + round * HOURS * HOUR_MS + minute * MINUTE_MS
    for host = 1, HOSTS do
      local odd = generator:uniform() < 0.002 and 60 or 0
      list[#list + 1] = ('{"time":%d,"host":"h%d","value":%.4f}'):format(
        at, host, 10 * host + math.sin(at / HOUR_MS) + generator:normal() + odd)
    end
  end
  return list
end

local function ok(answer)
  assert(answer.status < 300, answer.body)
  return answer.json
end

local function create(blip, id)
  ok(blip:put(ML .. id, {
    analysis_config = {
      bucket_span = "15m", influencers = { "host" },
      detectors = {
        { ["function"] = "mean", field_name = "value", partition_field_name = "host" },
        { ["function"] = "count" },
      },
    },
    data_description = { time_field = "time" },
  }))
end

local function prepare(blip)
  create(blip, "posted")
  create(blip, "fed")
  ok(blip:put("/readings", { mappings = { properties = {
    time = { type = "date" }, host = { type = "keyword" }, value = { type = "double" },
  } } }))
  ok(blip:put("/_ml/datafeeds/feed", { job_id = "fed", indices = { "readings" } }))
  ok(blip:post(ML .. "posted/_open"))
end

local function index(blip, list)
  local lines = {}
  for _, record in ipairs(list) do
    lines[#lines + 1] = '{"index":{}}'
    lines[#lines + 1] = record
  end
  local answer = ok(blip:post("/readings/_bulk", table.concat(lines, "\n") .. "\n", NDJSON))
  assert(not answer.errors)
end

local function stats(blip, id) return ok(blip:get(ML .. id .. "/_stats")).jobs[1] end

-- Starts the datafeed over everything up to the end of a round.
local function start_feed(blip, round)
  ok(blip:post(ML .. "fed/_open"))
  ok(blip:post("/_ml/datafeeds/feed/_start", {
    start = START, ["end"] = START + (round + 1) * HOURS * HOUR_MS,
  }))
end

local function wait_for_feed(blip)
  for _ = 1, 3000 do
    if stats(blip, "fed").state == "closed" then return end
    time.sleep_ms(10)
  end
  error "the datafeed does not end"
end

--- One round that nobody disturbs.
local function calm(blip, round)
  local list = records(round)
  index(blip, list)
  start_feed(blip, round)
  ok(blip:post(ML .. "posted/_data", table.concat(list, "\n"), NDJSON))
  wait_for_feed(blip)
end

--- One round in which the server is killed while a body is on its way and the datafeed runs.
-- @treturn boolean whether the body was answered before
local function disturbed(blip, round, generator)
  local list = records(round)
  index(blip, list)
  start_feed(blip, round)
  local client = blip:connect(2000)
  client:send(http.format("POST", ML .. "posted/_data", table.concat(list, "\n"), NDJSON))
  time.sleep_ms(math.floor(generator:uniform() * 25))
  blip:signal "KILL"
  local got, answer = pcall(client.receive, client)
  local answered = got and answer ~= nil and answer.status == 202
  client:close()
  blip:restart "KILL"
  local before, now = round * #list, stats(blip, "posted").data_counts.processed_record_count
  assert.is_true(now == before or now == before + #list, "a body is there in part: " .. now)
  if answered then assert.equal(before + #list, now, "an answered body is lost") end
  if now == before then ok(blip:post(ML .. "posted/_data", table.concat(list, "\n"), NDJSON)) end
  wait_for_feed(blip)
  return answered
end

-- What times and sizes of the machine say is not compared.
local PASSING = {
  "processing_time_ms", "log_time", "last_data_time",
}

--- The results of a job as one text each, by id; and its counts.
local function results(blip, id)
  local found, after = {}, nil
  repeat
    local answer = ok(blip:post("/.ml-anomalies-" .. id .. "/_search", {
      size = 5000, sort = json.array { { timestamp = "asc" }, "_seq_no" }, search_after = after,
      query = { terms = { result_type = json.array { "bucket", "record", "influencer" } } },
    }))
    local hits = answer.hits.hits
    for _, hit in ipairs(hits) do
      for _, name in ipairs(PASSING) do hit._source[name] = nil end
      found[hit._id] = json.encode(hit._source)
    end
    after = #hits > 0 and hits[#hits].sort or nil
  until not after
  local counts = stats(blip, id).data_counts
  for _, name in ipairs(PASSING) do counts[name] = nil end
  return found, counts
end

local function differences(expected, found)
  local list = {}
  for id, text in pairs(expected) do
    if found[id] ~= text then list[#list + 1] = ("%s\n  %s\n  %s"):format(id, text, found[id] or "missing") end
  end
  for id in pairs(found) do
    if not expected[id] then list[#list + 1] = id .. " is too much" end
  end
  table.sort(list)
  return list
end

describe("a killed server with jobs", function()
  it("ends with the results of one that nobody killed", function()
    local undisturbed = server.start()
    prepare(undisturbed)
    for round = 0, ROUNDS - 1 do calm(undisturbed, round) end
    local expected, counts = {}, {}
    for _, id in ipairs { "posted", "fed" } do expected[id], counts[id] = results(undisturbed, id) end
    undisturbed:stop()

    local blip, generator, answered = server.start(), random.new(99), 0
    prepare(blip)
    for round = 0, ROUNDS - 1 do
      if disturbed(blip, round, generator) then answered = answered + 1 end
    end
    print(("\n%d kills; %d bodies were answered before"):format(ROUNDS, answered))
    for _, id in ipairs { "posted", "fed" } do
      local found, now = results(blip, id)
      local wrong = differences(expected[id], found)
      assert.equal(0, #wrong, #wrong .. " results of job " .. id .. " differ:\n" .. table.concat(wrong, "\n", 1, math.min(3, #wrong)))
      assert.same(counts[id], now)
    end
    blip:stop()
  end)
end)
