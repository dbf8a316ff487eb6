-- Records into a job: mean(value) partition_field_name=host over 10,000 hosts, one row a minute each,
-- buckets of five minutes. First inside the engine on one core: the way of records into buckets by
-- itself (runtime.gather), then with the models (runtime.job), which use every core while a bucket
-- closes. Then through _data of a server, which shares the machine's cores with this client.
local bench = require "support.bench"
local gather = require "runtime.gather"
local http = require "support.http"
local job = require "runtime.job"
local json = require "runtime.json"
local server = require "support.server"
local time = require "runtime.time"

local HOSTS, SPAN_MINUTES, MINUTES = 10000, 5, 300
local START_MS = 1403481600000
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

--- One minute of all hosts as lines.
local function minute(number)
  local lines, at = {}, START_MS + number * 60000
  for host = 1, HOSTS do
    lines[host] = ('{"time":%d,"host":"host-%05d","value":%.3f}\n'):format(at, host, 100 + 10 * math.random())
  end
  return table.concat(lines)
end

local function config()
  return {
    job_id = "bench", bucket_span_s = SPAN_MINUTES * 60, time_format = "epoch_ms",
    detectors = { { ["function"] = "mean", field = "value", partition = "host" } },
  }
end

--- Posts all minutes; returns the milliseconds of those that close a bucket and of the others, each
-- with the processor's time (of all cores) in `cpu`.
local function post_all(target, drain)
  local closing, plain = { cpu = {} }, { cpu = {} }
  for number = 0, MINUTES - 1 do
    local body = minute(number)
    local begin, used = time.monotonic_ns(), os.clock()
    assert(target:post(body))
    drain(target)
    local list = number > 0 and number % SPAN_MINUTES == 0 and closing or plain
    list[#list + 1] = (time.monotonic_ns() - begin) / 1e6
    list.cpu[#list] = (os.clock() - used) * 1e3
  end
  return closing, plain
end

local function sum(values)
  local total = 0
  for _, value in ipairs(values) do total = total + value end
  return total
end

local function median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return sorted[#sorted // 2 + 1]
end

-- By the processor's time: what one core does in a second that is its own.
local function rate(closing, plain)
  return MINUTES * HOSTS / (sum(closing.cpu) + sum(plain.cpu)) * 1000
end

describe("job", function()
  it("gathers records, one core", function()
    local rates, sizes = {}, {}
    for run = 1, 3 do
      local g = assert(gather.new(config(), { silent = true }))
      rates[run] = rate(post_all(g, g.take))
      sizes[run] = g:size() / HOSTS
    end
    bench.report("records into buckets", "records/s/core", rates)
    bench.report("records into buckets, memory of a series", "bytes", sizes)
  end)

  it("learns and judges", function()
    local rates, closings, used, sizes, saved, saving = {}, {}, {}, {}, {}, {}
    for run = 1, 3 do
      local j <close> = assert(job.new(config()))
      local closing, plain = post_all(j, j.take_results)
      rates[run] = rate(closing, plain)
      -- From the middle on: all series have their seasonal windows and all parts of their models.
      local function late(list) return median(table.move(list, #list // 2, #list, 1, {})) end
      closings[run] = late(closing) - late(plain)
      used[run] = (late(closing.cpu) - late(plain.cpu)) / HOSTS * 1000
      sizes[run] = j:size_stats().model_bytes / HOSTS
      local begin = time.monotonic_ns()
      saved[run] = #j:save() / HOSTS
      saving[run] = (time.monotonic_ns() - begin) / 1e6
    end
    bench.report("records through a job, buckets closed", "records/s/core", rates)
    bench.report("a bucket of 10,000 series closes", "ms", closings)
    bench.report("a series of a bucket that closes, processor", "us", used)
    bench.report("model memory of a series", "bytes", sizes)
    bench.report("a saved job, per series", "bytes", saved)
    bench.report("a job is saved", "ms", saving)
  end)

  local BODY = {
    analysis_config = { bucket_span = "5m",
      detectors = { { ["function"] = "mean", field_name = "value", partition_field_name = "host" } } },
    data_description = { time_field = "time", time_format = "epoch_ms" },
  }

  --- Posts bodies one after the other; each is answered when it is on stable storage.
  local function send(blip, bodies)
    local client = blip:connect()
    for _, body in ipairs(bodies) do
      client:send(body)
      local answer = assert(client:receive())
      assert.equal(202, answer.status, answer.body)
    end
    client:close()
  end

  it("takes records over HTTP", function()
    local rates, used = {}, {}
    local bodies, per_body = {}, SPAN_MINUTES
    for number = 0, 149, per_body do
      local lines = {}
      for i = 0, per_body - 1 do lines[#lines + 1] = minute(number + i) end
      bodies[#bodies + 1] =
        http.format("POST", "/_ml/anomaly_detectors/bench/_data", table.concat(lines), NDJSON)
    end
    for run = 1, 3 do
      local blip = server.start {}
      assert.equal(200, blip:put("/_ml/anomaly_detectors/bench", BODY).status)
      assert.equal(200, blip:post("/_ml/anomaly_detectors/bench/_open").status)
      local cpu, begin = blip:cpu_seconds(), time.monotonic_ns()
      send(blip, bodies)
      local records = #bodies * per_body * HOSTS
      rates[run] = records / ((time.monotonic_ns() - begin) / 1e9)
      used[run] = (blip:cpu_seconds() - cpu) / records * 1e6
      local stats = json.decode(blip:get("/_ml/anomaly_detectors/bench/_stats").body).jobs[1]
      assert.equal(records, stats.data_counts.processed_record_count)
      blip:stop()
    end
    bench.report("records over HTTP, _data of 50,000", "records/s", rates)
    bench.report("records over HTTP, processor of the server", "us each", used)
  end)
end)
