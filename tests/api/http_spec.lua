local server = require "support.server"
local time = require "runtime.time"

local routes = assert(package.searchpath("support.routes", package.path))

--- What a shell command prints, as bytes.
local function output(command)
  local pipe = assert(io.popen(command .. " | od -An -v -tx1"))
  local text = pipe:read("a"):gsub("%s+", ""):gsub("%x%x", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  pipe:close()
  return text
end

describe("http", function()
  local blip

  setup(function()
    blip = server.start {
      routes = { routes }, threads = 3, queue = 2,
      limits = { slow_request = "100ms", body = "100kb", unpacked_body = "200kb", header_time = "500ms",
                 body_time = "500ms", json_depth = 50, connections_per_address = 20 },
    }
  end)

  teardown(function() blip:stop() end)

  -- Sends bytes as they are and reads until the server closes or `count` answers have come.
  local function exchange(text, count)
    local client = blip:connect()
    client:send(text)
    local answers = {}
    for i = 1, count or 1 do answers[i] = client:receive() end
    client:close()
    return table.unpack(answers)
  end

  describe("a request", function()
    it("reaches the handler with decoded parameters and query", function()
      assert.same({ hello = "A/Ü B" }, blip:get("/_spec/hello/a%2F%C3%9c%20b?loud").json)
    end)

    it("takes a literal segment before a parameter", function()
      assert.equal("literal", blip:get("/_spec/literal").json.route)
      assert.same({ route = "parameter", name = "other" }, blip:get("/_spec/other/").json)
    end)

    it("is answered with JSON and the dialect's version", function()
      local answer = blip:get("/_spec/literal")
      assert.equal("application/json; charset=UTF-8", answer.headers["content-type"])
      assert.equal("OpenSearch/3.6.0 (opensearch)", answer.headers["x-opensearch-version"])
    end)

    it("gets its X-Opaque-Id back", function()
      assert.equal("me-7", blip:get("/_spec/literal", { ["X-Opaque-Id"] = "me-7" }).headers["x-opaque-id"])
    end)

    it("on an unknown path names uri and method", function()
      local answer = blip:get("/_nothing/x?y=1")
      assert.equal(400, answer.status)
      assert.same({ error = "no handler found for uri [/_nothing/x?y=1] and method [GET]" }, answer.json)
    end)

    it("of a wrong method is told which are allowed", function()
      local answer = blip:delete("/_spec/large/1?x")
      assert.equal(405, answer.status)
      assert.equal("GET", answer.headers.allow)
      assert.same({
        error = "Incorrect HTTP method for uri [/_spec/large/1?x] and method [DELETE], allowed: [GET]",
        status = 405,
      }, answer.json)
    end)

    it("with a parameter that nobody reads is refused", function()
      local one = blip:get("/_spec/hello/x?foo=1")
      assert.equal(400, one.status)
      assert.equal("request [/_spec/hello/x] contains unrecognized parameter: [foo]", one.json.error.reason)
      local two = blip:get("/_spec/hello/x?foo=1&bar=2&pretty").json.error
      assert.equal("request [/_spec/hello/x] contains unrecognized parameters: [bar], [foo]", two.reason)
      assert.equal("illegal_argument_exception", two.root_cause[1].type)
    end)

    it("whose handler has a bug is answered 500 and logged with a traceback", function()
      local answer = blip:get("/_spec/bug")
      assert.equal(500, answer.status)
      assert.equal("internal error, see the server's log", answer.json.error.reason)
      assert.matches("routes.lua", blip:event("route_failed").traceback)
    end)

    it("that is slow is logged", function()
      blip:get("/_spec/wait/150")
      assert.equal("/_spec/wait/150", blip:event("slow_request").uri)
    end)
  end)

  describe("HEAD", function()
    it("has the headers of GET and no body", function()
      local answer = blip:head("/_spec/literal")
      assert.equal(200, answer.status)
      assert.equal(#'{"route":"literal"}', tonumber(answer.headers["content-length"]))
      assert.equal("", answer.body)
      assert.equal(200, blip:get("/_spec/literal").status)
    end)
  end)

  describe("the form of an answer", function()
    it("is indented with ?pretty", function()
      assert.equal('{\n  "route" : "literal"\n}\n', blip:get("/_spec/literal?pretty").body)
      assert.equal('{"route":"literal"}', blip:get("/_spec/literal?pretty=false").body)
    end)

    it("is cut down by ?filter_path", function()
      assert.equal('{"name":"x"}', blip:get("/_spec/x?filter_path=na*").body)
      assert.equal('{"name":"x"}', blip:get("/_spec/x?filter_path=-route").body)
      assert.equal("{}", blip:get("/_spec/x?filter_path=nothing").body)
    end)

    it("is YAML with ?format=yaml", function()
      local answer = blip:get("/_spec/x?format=yaml")
      assert.equal("application/yaml", answer.headers["content-type"])
      assert.equal('---\nname: "x"\nroute: "parameter"\n', answer.body)
    end)

    it("has a stack trace with ?error_trace", function()
      assert.is_string(blip:get("/_spec/hello/x?foo&error_trace").json.error.stack_trace)
      assert.is_nil(blip:get("/_spec/hello/x?foo").json.error.stack_trace)
    end)

    it("is packed for a client that takes gzip, when it is large", function()
      local function encoding(path, accepted)
        return blip:get(path, { ["Accept-Encoding"] = accepted }).headers["content-encoding"]
      end
      assert.equal("gzip", encoding("/_spec/large/1000", "gzip"))
      assert.is_nil(encoding("/_spec/literal", "gzip"))
      assert.is_nil(encoding("/_spec/large/1000", "gzip;q=0"))
    end)
  end)

  describe("a body", function()
    it("is read as JSON", function()
      assert.same({ body = { a = { 1, 2.5 } }, bytes = 13 }, blip:post("/_spec/echo", '{"a":[1,2.5]}').json)
    end)

    it("is what the source parameter says when there is none", function()
      local answer = blip:get("/_spec/hello/x?source=%7B%7D&source_content_type=application/json")
      assert.equal(200, answer.status)
    end)

    it("that is missing, broken or of another type is refused as the dialect does", function()
      local function refused(status, type, reason, body, headers)
        local answer = blip:post("/_spec/echo", body, headers)
        assert.equal(status, answer.status)
        assert.equal(type, answer.json.error.type)
        assert.matches(reason, answer.json.error.reason, 1, true)
      end
      refused(400, "parse_exception", "request body is required")
      refused(400, "json_e_o_f_exception", "line: 1, column: 13", '{"settings":')
      refused(400, "json_parse_exception", "Duplicate field 'n'", '{"n":1,"n":2}')
      refused(400, "json_parse_exception", "nested deeper than 50", ("["):rep(60) .. ("]"):rep(60))
      refused(400, "json_parse_exception", "UTF-8", '{"a":"\xff"}')
      refused(400, "content_type_header_exception", "invalid Content-Type header []", "{}",
        { ["Content-Type"] = "" })
      local text = blip:post("/_spec/echo", "{}", { ["Content-Type"] = "text/plain" })
      assert.equal(406, text.status)
      assert.same({ error = "Content-Type header [text/plain] is not supported", status = 406 }, text.json)
    end)

    it("may come in chunks", function()
      local answer = exchange("POST /_spec/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n")
      assert.same({ a = 1 }, answer.json.body)
    end)

    it("may be gzip", function()
      local packed = output("printf '{\"a\":[1,2]}' | gzip -c")
      local gzip = { ["Content-Encoding"] = "gzip" }
      assert.same({ a = { 1, 2 } }, blip:post("/_spec/echo", packed, gzip).json.body)
      local broken = blip:post("/_spec/echo", "no gzip", gzip)
      assert.equal(400, broken.status)
      assert.matches("not valid gzip", broken.json.error.reason)
      local cut = blip:post("/_spec/echo", packed:sub(1, -5), gzip)
      assert.equal(400, cut.status)
      assert.matches("ends too early", cut.json.error.reason)
    end)

    it("packed in another way is refused", function()
      local answer = blip:post("/_spec/size", "x", { ["Content-Encoding"] = "br" })
      assert.equal(415, answer.status)
      assert.equal("Content-Encoding [br] is not supported", answer.json.error.reason)
      assert.equal(200, blip:post("/_spec/size", "x", { ["Content-Encoding"] = "identity" }).status)
    end)

    it("is asked for by 100 Continue", function()
      local client = blip:connect()
      client:send("POST /_spec/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        .. "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      assert.equal(100, client:receive().status)
      client:send("{}")
      assert.equal(200, client:receive().status)
      client:close()
    end)
  end)

  describe("a connection", function()
    it("answers pipelined requests in their order", function()
      local one = "GET /_spec/wait/30 HTTP/1.1\r\nHost: x\r\n\r\n"
      local two = "GET /_spec/two HTTP/1.1\r\nHost: x\r\n\r\n"
      local three = "GET /_spec/three HTTP/1.1\r\nHost: x\r\n\r\n"
      local a, b, c = exchange(one .. two .. three, 3)
      assert.is_true(a.json.waited)
      assert.equal("two", b.json.name)
      assert.equal("three", c.json.name)
    end)

    it("is closed when the client asks for it", function()
      local answer, none = exchange("GET /_spec/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 2)
      assert.equal(200, answer.status)
      assert.is_nil(none)
    end)
  end)

  describe("a limit", function()
    it("ends a request line that is too long", function()
      local answer = blip:get("/_spec/" .. ("x"):rep(5000))
      assert.equal(414, answer.status)
      assert.equal("too_long_http_line_exception", answer.json.error.type)
      assert.matches("the limit is 4096", answer.json.error.reason)
    end)

    it("ends headers that are too long", function()
      local answer = blip:get("/_spec/x", { Cookie = ("x"):rep(20000) })
      assert.equal(431, answer.status)
      assert.equal("too_long_http_header_exception", answer.json.error.type)
    end)

    it("refuses a body that is too large, before it is sent", function()
      local answer = exchange("POST /_spec/size HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        .. "Content-Length: 999999\r\n\r\n")
      assert.equal(413, answer.status)
      assert.equal("content_too_long_exception", answer.json.error.type)
      assert.matches("999999 bytes long", answer.json.error.reason)
    end)

    it("refuses a chunked body that grows too large", function()
      local chunk = ("%x\r\n%s\r\n"):format(50000, ("x"):rep(50000))
      local answer = exchange("POST /_spec/size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        .. chunk:rep(3) .. "0\r\n\r\n")
      assert.equal(413, answer.status)
      assert.matches("larger than 102400 bytes", answer.json.error.reason)
    end)

    it("refuses a body that unpacks to too much", function()
      local packed = output("head -c 300000 /dev/zero | gzip -c")
      local answer = blip:post("/_spec/size", packed, { ["Content-Encoding"] = "gzip" })
      assert.equal(413, answer.status)
      assert.matches("unpacked body is larger than 204800", answer.json.error.reason)
    end)

    it("ends headers and bodies that do not come in time", function()
      local header = exchange("GET /_spec/x HTTP/1.1\r\nHost:")
      assert.equal(408, header.status)
      assert.matches("the headers took longer than 500 ms", header.json.error.reason)
      local body = exchange("POST /_spec/size HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
      assert.equal(408, body.status)
      assert.matches("the body took longer than 500 ms", body.json.error.reason)
    end)

    it("refuses more connections of one address than allowed", function()
      local clients = {}
      for i = 1, 25 do
        clients[i] = blip:connect()
        clients[i]:send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      end
      local refused
      for _, client in ipairs(clients) do
        local answer = client:receive()
        if answer.status ~= 200 then refused = refused or answer end
        client:close()
      end
      assert.equal(429, refused.status)
      assert.equal("1", refused.headers["retry-after"])
      assert.matches("too many connections of one address: the limit is 20", refused.json.error.reason)
    end)

    it("answers 429 with Retry-After when the queue is full, and stays healthy", function()
      local clients = {}
      for i = 1, 8 do
        clients[i] = blip:connect()
        clients[i]:send("GET /_spec/wait/400 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep_ms(15)  -- a free worker takes it out of the queue
      end
      local start = time.monotonic_ns()
      assert.equal(200, blip:get("/healthz").status)
      assert.is_true(time.monotonic_ns() - start < 200e6)
      local counts = {}
      for _, client in ipairs(clients) do
        local answer = client:receive()
        counts[answer.status] = (counts[answer.status] or 0) + 1
        if answer.status == 429 then assert.equal("1", answer.headers["retry-after"]) end
        client:close()
      end
      assert.same({ [200] = 5, [429] = 3 }, counts)
    end)
  end)

  describe("a client that goes away", function()
    it("has its job cancelled", function()
      local client = blip:connect()
      client:send("GET /_spec/wait/20000 HTTP/1.1\r\nHost: x\r\n\r\n")
      time.sleep_ms(50)
      client:close()
      for _ = 1, 200 do
        if blip:get("/metrics").body:match('blip_jobs_running{lane="interactive"} 0') then break end
        time.sleep_ms(10)
      end
      local metrics = blip:get("/metrics").body
      assert.matches('blip_jobs_running{lane="interactive"} 0', metrics, 1, true)
      assert.matches("blip_http_requests_cancelled_total 1", metrics, 1, true)
    end)
  end)

  describe("the loop thread", function()
    it("answers health, readiness and metrics", function()
      assert.equal("ok\n", blip:get("/healthz").body)
      assert.equal("ready\n", blip:get("/readyz").body)
      local metrics = blip:get("/metrics")
      assert.equal("text/plain; version=0.0.4; charset=utf-8", metrics.headers["content-type"])
      assert.matches("# TYPE blip_http_requests_total counter", metrics.body, 1, true)
    end)
  end)

  it("survives bytes that are not HTTP", function()
    for _, text in ipairs { "\0\1\2\3\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "{}" } do
      local client = blip:connect()
      client:send(text)
      client:close()
    end
    assert.equal(200, blip:get("/_spec/x").status)
  end)
end)
