local server = require "support.server"
local time = require "runtime.time"

local routes = assert(package.searchpath("support.routes", package.path))

--- Runs `blip ARGS`; what it prints and its exit code.
local function run(args)
  local pipe = assert(io.popen(("%s %s 2>&1; echo \"exit $?\""):format(server.binary(), args)))
  local text = pipe:read("a")
  pipe:close()
  local printed, code = text:match("^(.-)exit (%d+)%s*$")
  return printed, tonumber(code)
end

describe("blip serve", function()
  local blip

  after_each(function()
    if blip then blip:stop() end
    blip = nil
  end)

  it("lets a request come to its end when it is told to stop", function()
    blip = server.start { routes = { routes } }
    local client = blip:connect()
    client:send("GET /_spec/wait/300 HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep_ms(50)
    blip:signal("TERM")
    local answer = client:receive()
    assert.equal(200, answer.status)
    assert.equal("close", answer.headers.connection)
    assert.is_true(blip:wait())
    assert.equal(0, blip:event("server_stopped").exit_code)
  end)

  it("cancels what takes longer than its time to stop", function()
    blip = server.start { routes = { routes }, stop_time = "100ms" }
    local client = blip:connect()
    client:send("GET /_spec/wait/60000 HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep_ms(50)
    blip:signal("INT")
    assert.is_true(blip:wait())
    client:close()
  end)

  it("takes limits of no time as none", function()
    blip = server.start {
      limits = { idle_time = "0s", header_time = "0s", body_time = "0s", request_time = "0s" },
    }
    assert.equal(200, blip:get("/").status)
    time.sleep_ms(500)
    assert.equal(200, blip:get("/").status)
    local client = blip:connect()
    client:send("GET / HTTP/1.1\r\nHost: x\r\n")
    time.sleep_ms(500)
    client:send("\r\n")
    assert.equal(200, client:receive().status)
    client:close()
  end)

  it("closes idle connections when it stops", function()
    blip = server.start()
    blip:get("/healthz")
    local start = time.monotonic_ns()
    blip:signal("TERM")
    assert.is_true(blip:wait())
    assert.is_true(time.monotonic_ns() - start < 2e9)
  end)

  it("takes over a changed configuration at SIGHUP, and keeps its own when that is broken", function()
    local folder = server.folder()
    local script = folder .. "/routes.lua"
    local function write(text)
      local file = assert(io.open(script, "w"))
      file:write(text)
      file:close()
    end
    -- An event with a reason was logged, or is within two seconds.
    local function logged(name, reason)
      for _ = 1, 200 do
        for _, event in ipairs(blip:events()) do
          if event.event == name and event.reason == reason then return true end
        end
        time.sleep_ms(10)
      end
      return false
    end
    -- Every worker has its own Lua state: many answers in a row come from all of them.
    local function answers(body)
      local row = 0
      for _ = 1, 400 do
        row = blip:get("/_new").body == body and row + 1 or 0
        if row == 30 then return true end
        time.sleep_ms(5)
      end
      return false
    end
    local source = 'return { ["GET /_new"] = { action = "cluster:monitor/spec", '
      .. 'handler = function() return { status = 200, text = "%s" } end } }'
    write(source:format("one"))
    blip = server.start { routes = { script } }
    assert.equal("one", blip:get("/_new").body)
    write(source:format("two"))
    blip:signal("HUP")
    assert.is_true(answers("two"))
    write("return {{")
    blip:signal("HUP")
    assert.matches("routes.lua:1:", blip:event("reload_failed").reason)
    assert.equal("two", blip:get("/_new").body)
    local file = assert(io.open(blip.config, "w"))
    file:write("return { colour = 1 }")
    file:close()
    blip:signal("HUP")
    assert.is_true(logged("reload_failed", "unknown field 'colour'"))
    server.remove(folder)
  end)

  it("says in one line why it cannot start", function()
    blip = server.start()
    local other = server.folder()
    local function refused(args, code, reason)
      local printed, exit = run("serve " .. args)
      assert.equal(code, exit)
      assert.matches(reason, printed, 1, true)
      assert.equal(1, select(2, printed:gsub("\n", "")))
    end
    local data, free = blip.folder .. "/data", "--listen 127.0.0.1:0"
    refused(("--listen %s --data %s/new"):format(blip.listen, other), 1, "is in use by another program")
    assert.is_nil(io.open(other .. "/new"))
    refused(("%s --data %s"):format(free, data), 1, "in use by another server")
    refused(free .. " --data /proc/none/such", 1, "data folder '/proc/none'")
    refused("--listen 9200", 2, "'listen' must be HOST:PORT, got '9200'")
    refused("--colour", 2, "unknown flag '--colour'")
    refused("--threads many", 2, "'threads' must be a whole number")
    refused("--config /none/such", 2, "/none/such")
    server.remove(other)
  end)

  it("refuses a script of routes that does not load", function()
    local folder = server.folder()
    local script = assert(io.open(folder .. "/routes.lua", "w"))
    script:write("return 5")
    script:close()
    local config = assert(io.open(folder .. "/blip.lua", "w"))
    config:write(('return { routes = { "%s/routes.lua" } }'):format(folder))
    config:close()
    local printed, code = run(("serve --listen 127.0.0.1:0 --data %s/data --config %s/blip.lua"):format(
      folder, folder))
    assert.equal(1, code)
    assert.matches("returns a number, not a table of routes", printed, 1, true)
    server.remove(folder)
  end)
end)

describe("blip", function()
  it("says what it can do, and which version it is", function()
    local help, code = run("--help")
    assert.equal(0, code)
    assert.matches("serve", help)
    assert.matches("^blip %d+%.%d+%.%d+", (run("--version")))
  end)

  it("exits with 2 for a command that it does not know", function()
    local printed, code = run("fly")
    assert.equal(2, code)
    assert.equal("blip: unknown command 'fly', see blip --help\n", printed)
  end)
end)
