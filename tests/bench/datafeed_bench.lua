-- A datafeed over an index of five million documents: aggregations, a histogram of five minutes by a
-- hundred terms, into a job with a model per term. Printed is the time from _start until the job has
-- closed, and what of it the searches took.
local bench = require "support.bench"
local server = require "support.server"
local time = require "runtime.time"

local MILLIONS = tonumber(os.getenv "BLIP_BENCH_MILLIONS") or 5
local TERMS, START_MS, STEP_MS = 100, 1403481600000, 60000 -- each term once a minute
local BATCH = 50000
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

local function fill(blip)
  local made = blip:put("/readings", { mappings = { properties = {
    time = { type = "date" }, host = { type = "keyword" }, value = { type = "double" },
  } } })
  assert(made.status == 200, made.body)
  local count = MILLIONS * 1000000
  for first = 0, count - 1, BATCH do
    local lines = {}
    for i = first, first + BATCH - 1 do
      lines[#lines + 1] = '{"index":{}}'
      lines[#lines + 1] = ('{"time":%d,"host":"host-%02d","value":%.3f}'):format(
        START_MS + i // TERMS * STEP_MS, i % TERMS, 100 + 10 * math.random())
    end
    local answer = blip:post("/readings/_bulk?filter_path=errors", table.concat(lines, "\n") .. "\n", NDJSON)
    assert(answer.status == 200 and not answer.json.errors, answer.body)
  end
  return START_MS + count // TERMS * STEP_MS
end

local AGGREGATIONS = { buckets = {
  date_histogram = { field = "time", fixed_interval = "5m" },
  aggregations = {
    time = { max = { field = "time" } },
    host = { terms = { field = "host", size = TERMS }, aggregations = { value = { avg = { field = "value" } } } },
  },
} }

local function ok(answer)
  assert(answer.status < 300, answer.body)
  return answer.json
end

local function feed(blip, run, end_ms)
  local id = "bench-" .. run
  ok(blip:put("/_ml/anomaly_detectors/" .. id, {
    analysis_config = {
      bucket_span = "5m", summary_count_field_name = "doc_count",
      detectors = { { ["function"] = "mean", field_name = "value", partition_field_name = "host" } },
    },
    data_description = { time_field = "time" },
  }))
  ok(blip:put("/_ml/datafeeds/" .. id, { job_id = id, indices = { "readings" }, aggregations = AGGREGATIONS }))
  ok(blip:post("/_ml/anomaly_detectors/" .. id .. "/_open"))
  local started = time.monotonic_ns()
  ok(blip:post("/_ml/datafeeds/" .. id .. "/_start", { start = 0, ["end"] = end_ms }))
  repeat
    time.sleep_ms(20)
    local state = ok(blip:get("/_ml/anomaly_detectors/" .. id .. "/_stats")).jobs[1].state
  until state == "closed"
  local seconds = (time.monotonic_ns() - started) / 1e9
  local stats = ok(blip:get("/_ml/datafeeds/" .. id .. "/_stats")).datafeeds[1].timing_stats
  local counts = ok(blip:get("/_ml/anomaly_detectors/" .. id .. "/_stats")).jobs[1].data_counts
  return seconds, stats, counts
end

describe("a datafeed", function()
  it("over documents", function()
    local blip = server.start { limits = { request_time = "600s" } }
    local end_ms = fill(blip)
    local seconds, of_searches = {}, {}
    local records
    for run = 1, 3 do
      local stats, counts
      seconds[run], stats, counts = feed(blip, run, end_ms)
      of_searches[run], records = stats.total_search_time_ms / 1000, counts.processed_record_count
    end
    local name = ("%d M documents, 5 m by %d terms, %d records"):format(MILLIONS, TERMS, records)
    bench.report(name, "s", seconds)
    bench.report("  with their searches and buckets", "s", of_searches)
    blip:stop()
  end)
end)
