-- The server itself: how soon it answers after its start, what it needs when idle, and how many
-- small requests it answers.
local bench = require "support.bench"
local http = require "support.http"
local server = require "support.server"
local time = require "runtime.time"

local CONNECTIONS, BATCH, ROUNDS = 4, 50, 20

describe("server", function()
  it("starts", function()
    local resident, started, stopped = {}, {}, {}
    for run = 1, 7 do
      local begin = time.monotonic_ns()
      local blip = server.start()
      assert.equal(200, blip:get("/healthz").status)
      started[run] = (time.monotonic_ns() - begin) / 1e6
      resident[run] = blip:resident_bytes() / 2 ^ 20
      begin = time.monotonic_ns()
      blip:stop()
      stopped[run] = (time.monotonic_ns() - begin) / 1e6
    end
    bench.report("from start to the first answer", "ms", started)
    bench.report("from SIGTERM to the end", "ms", stopped)
    bench.report("resident memory, idle", "MB", resident)
  end)

  describe("answers", function()
    local blip

    setup(function() blip = server.start() end)
    teardown(function() blip:stop() end)

    it("GET / on one connection, one after the other", function()
      bench.percentiles("GET /, one at a time", 2000, function() blip:get("/") end)
    end)

    -- Pipelining keeps this client, which is Lua on the same cores, out of the way.
    it("many at a time", function()
      local clients = {}
      for i = 1, CONNECTIONS do clients[i] = blip:connect() end
      local batch = http.format("GET", "/"):rep(BATCH)
      local operations = CONNECTIONS * BATCH * ROUNDS
      local cpu = {}
      local middle = bench.measure("GET /, 4 connections, pipelined", { operations = operations }, function()
        local before = blip:cpu_seconds()
        for _ = 1, ROUNDS do
          for _, client in ipairs(clients) do client:send(batch) end
          for _, client in ipairs(clients) do
            for _ = 1, BATCH do client:receive() end
          end
        end
        cpu[#cpu + 1] = (blip:cpu_seconds() - before) / operations * 1e6
      end)
      bench.report("GET /, processor of the server", "us", cpu)
      bench.report("GET /", "requests/s", { 1e6 / middle })
      for _, client in ipairs(clients) do client:close() end
    end)
  end)
end)
