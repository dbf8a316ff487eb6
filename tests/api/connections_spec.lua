local server = require "support.server"
local time = require "runtime.time"

local routes = assert(package.searchpath("support.routes", package.path))

describe("connections", function()
  local blip

  setup(function()
    blip = server.start {
      routes = { routes }, threads = 3,
      limits = { connections = 10, idle_time = "300ms", header_time = "300ms", body_time = "1s" },
    }
  end)

  teardown(function() blip:stop() end)

  local get = "GET /_spec/x HTTP/1.1\r\nHost: x\r\n\r\n"

  local function open_count()
    return tonumber(blip:get("/metrics").body:match("blip_http_connections (%d+)"))
  end

  it("beyond the limit are told so, and there is room again when others leave", function()
    local clients, statuses = {}, {}
    for i = 1, 14 do
      clients[i] = blip:connect()
      clients[i]:send(get)
      local answer = clients[i]:receive()
      statuses[answer.status] = (statuses[answer.status] or 0) + 1
      if answer.status == 503 then
        assert.equal("close", answer.headers.connection)
        assert.equal("too many connections in total: the limit is 10", answer.json.error.reason)
      end
    end
    assert.same({ [200] = 10, [503] = 4 }, statuses)
    for _, client in ipairs(clients) do client:close() end
    time.sleep_ms(50)
    assert.equal(200, blip:get("/_spec/x").status)
  end)

  it("that are idle are closed after a while", function()
    local client = blip:connect()
    client:send(get)
    assert.equal(200, client:receive().status)
    local start = time.monotonic_ns()
    assert.is_nil(client:receive())
    assert.is_true(time.monotonic_ns() - start > 250e6)
    client:close()
  end)

  it("that send nothing are closed after a while", function()
    local client = blip:connect()
    client:send("")
    assert.equal(408, client:receive().status)
    assert.is_nil(client:receive())
    client:close()
  end)

  it("may leave at any moment without harm", function()
    local body = ("x"):rep(50000)
    local head = "POST /_spec/size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    local request = head:format(#body) .. body
    for cut = 1, #request, 997 do
      local client = blip:connect()
      client:send(request:sub(1, cut))
      client:close()
    end
    for _ = 1, 100 do
      local client = blip:connect()
      client:send("GET /_spec/large/5000 HTTP/1.1\r\nHost: x\r\n\r\n" .. get
        .. "GET /_spec/wait/20 HTTP/1.1\r\nHost: x\r\n\r\n")
      client:close()
    end
    for _ = 1, 200 do
      if open_count() == 1 then break end
      time.sleep_ms(10)
    end
    assert.equal(1, open_count())
    assert.equal(200, blip:get("/_spec/x").status)
  end)

  it("that do not read their answer hold up nobody else", function()
    local client = blip:connect()
    client:send(("GET /_spec/large/20000 HTTP/1.1\r\nHost: x\r\n\r\n"):rep(30))
    for _ = 1, 20 do assert.equal(200, blip:get("/_spec/x").status) end
    client:close()
  end)
end)
