-- Documents into a server: metric documents of 200 bytes, _bulk of 5,000, four clients at once.
-- The clients and the server share the machine's cores; the server's own use is printed apart.
local bench = require "support.bench"
local http = require "support.http"
local server = require "support.server"
local time = require "runtime.time"

local CLIENTS, DOCUMENTS, BODIES, REQUESTS, RUNS = 4, 5000, 12, 80, 5
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

local METRIC = '{"@timestamp":"2026-01-05T%02d:%02d:%02d.%03dZ","host":"server-%04d","service":"cart",'
  .. '"region":"eu-west-%d","cpu":%.3f,"mem":%.3f,"status":%d,"took_ms":%d,"bytes":%d,'
  .. '"path":"/api/v1/items"}\n'

local function metric(n)
  return METRIC:format(n // 3600 % 24, n // 60 % 60, n % 60, n % 1000, n % 1000, n % 3, math.random() * 100,
    math.random() * 100, 200 + n % 5, n % 1000, n * 13)
end

--- Requests, ready to be sent; with explicit ids when `id_of` gives them.
local function requests(id_of)
  local list = {}
  for k = 1, BODIES do
    local lines = {}
    for i = 1, DOCUMENTS do
      local id = id_of and ('{"_id":"%s"}'):format(id_of(k, i)) or "{}"
      lines[i] = ('{"index":%s}\n'):format(id) .. metric(k * DOCUMENTS + i)
    end
    list[k] = http.format("POST", "/metrics/_bulk", table.concat(lines), NDJSON)
  end
  return list
end

--- Reads one answer and throws it away; checks that it is a good one.
local function receive(client)
  local answer = assert(client.socket:receive())
  while not answer:find("\r\n\r\n", 1, true) do answer = answer .. assert(client.socket:receive()) end
  local _, head_end = answer:find("\r\n\r\n", 1, true)
  local head = answer:sub(1, head_end):lower()
  assert(head:find "^http/1.1 200", head)
  assert(answer:find('"errors":false', head_end, true), "a document was refused")
  local missing = tonumber(head:match "content%-length: (%d+)") - (#answer - head_end)
  while missing > 0 do missing = missing - #assert(client.socket:receive()) end
end

--- CPU seconds that a process has used.
local function cpu_of(pid)
  local file <close> = assert(io.open(("/proc/%d/stat"):format(pid)))
  local user, system = file:read("a"):match "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  return (user + system) / 100
end

describe("ingest", function()
  --- Sends all requests over all clients, each with one under way.
  local function load(blip, bodies)
    local clients = {}
    for i = 1, CLIENTS do
      clients[i] = blip:connect()
      clients[i]:send(bodies[i % BODIES + 1])
    end
    for sent = CLIENTS + 1, REQUESTS + CLIENTS do
      local client = clients[sent % CLIENTS + 1]
      receive(client)
      if sent <= REQUESTS then client:send(bodies[sent % BODIES + 1]) end
    end
    for _, client in ipairs(clients) do client:close() end
  end

  local function measure(name, bodies)
    local rate, cpu = {}, {}
    for run = 1, RUNS do
      local blip = server.start {}
      local used, started = cpu_of(blip.pid), time.monotonic_ns()
      load(blip, bodies)
      local documents = REQUESTS * DOCUMENTS
      rate[run] = documents / ((time.monotonic_ns() - started) / 1e9)
      cpu[run] = (cpu_of(blip.pid) - used) * 1e6 / documents
      assert.equal(200, blip:get("/_cat/count").status)
      blip:stop()
    end
    bench.report(name, "documents/s", rate)
    bench.report(name .. ", CPU of the server", "s/million", cpu)
  end

  it("takes documents whose ids it makes", function() measure("ingest, made ids", requests()) end)

  it("takes documents with new ids", function()
    local number = 0
    measure("ingest, explicit ids, each replaced after a while", requests(function()
      number = number + 1
      return ("%d-%d"):format(number, number % 1000)
    end))
  end)
end)
