-- A datafeed over an index of 5 million documents: a histogram of 5 minutes by 100 terms, mean of a
-- field, into a job of 100 series. From its start to its own end, over HTTP.
local bench = require "support.bench"
local server = require "support.server"
local store = require "runtime.store"
local time = require "runtime.time"

local DOCUMENTS, HOSTS, RUNS = 5000000, 100, 3
local START_MS, STEP_MS = 1403481600000, 250 -- four documents a second: 14 and a half days

local FILL = [[
  INSERT INTO machines (_id, _seq_no, _source, "time", host, cpu)
  SELECT i::VARCHAR, i, '{"host":"host-' || (i % $3) || '"}', epoch_ms($1 + i * $4),
    'host-' || lpad((i % $3)::VARCHAR, 4, '0'), 50 + random() * 10
  FROM range($2) r(i)]]

local MAPPING = { mappings = { properties = {
  time = { type = "date" }, host = { type = "keyword" }, cpu = { type = "double" },
} } }

local JOB = {
  analysis_config = { bucket_span = "5m", summary_count_field_name = "doc_count",
    detectors = { { ["function"] = "mean", field_name = "cpu", partition_field_name = "host" } } },
  data_description = { time_field = "time" },
}

local FEED = {
  job_id = "feed", indices = { "machines" },
  aggregations = { buckets = {
    date_histogram = { field = "time", fixed_interval = "5m" },
    aggregations = {
      time = { max = { field = "time" } },
      host = { terms = { field = "host", size = HOSTS },
        aggregations = { cpu = { avg = { field = "cpu" } } } },
    },
  } },
}

local function ok(answer)
  assert(answer.status == 200, answer.body)
  return answer.json
end

-- A server over a folder that has the documents already.
local function filled()
  local first = server.start {}
  local data = first.folder .. "/data"
  ok(first:put("/machines", MAPPING))
  first:signal "TERM"
  first:wait()
  local c = assert(store.open { folder = data })
  assert(c:execute(FILL, { START_MS, DOCUMENTS, HOSTS, STEP_MS }))
  assert(c:checkpoint())
  c:close()
  local blip = server.start { data = data }
  return blip, function()
    blip:stop()
    server.remove(first.folder)
  end
end

-- Runs the datafeed from its start to the end that closes its job; returns seconds and the counts.
local function run(blip)
  ok(blip:put("/_ml/anomaly_detectors/feed", JOB))
  ok(blip:put("/_ml/datafeeds/datafeed-feed", FEED))
  ok(blip:post("/_ml/anomaly_detectors/feed/_open"))
  local begin = time.monotonic_ns()
  ok(blip:post(("/_ml/datafeeds/datafeed-feed/_start?start=%d&end=%d"):format(
    START_MS, START_MS + DOCUMENTS * STEP_MS)))
  local stats
  repeat
    time.sleep_ms(20)
    stats = ok(blip:get "/_ml/anomaly_detectors/feed/_stats").jobs[1]
  until stats.state == "closed"
  local seconds = (time.monotonic_ns() - begin) / 1e9
  ok(blip:delete "/_ml/datafeeds/datafeed-feed")
  ok(blip:delete "/_ml/anomaly_detectors/feed")
  return seconds, stats.data_counts
end

describe("datafeed", function()
  it("reads five million documents", function()
    local blip, done = filled()
    local seconds, used = {}, {}
    for i = 1, RUNS do
      local cpu = blip:cpu_seconds()
      local took, counts = run(blip)
      seconds[i], used[i] = took, blip:cpu_seconds() - cpu
      local buckets = DOCUMENTS * STEP_MS // 300000
      assert.near(buckets * HOSTS, counts.processed_record_count, HOSTS)
    end
    done()
    bench.report("a datafeed over 5 M documents, 5 m > 100 terms > avg", "s", seconds)
    bench.report("the same, processor of the server", "s", used)
  end)
end)
