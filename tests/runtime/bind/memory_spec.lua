local json = require "runtime.json"
local log = require "runtime.log"
local memory = require "support.memory"
local server = require "support.server"
local socket = require "runtime.socket"
local store = require "runtime.store"

describe("bindings that run out of memory", function()
  it("leave nothing behind in json.encode", function()
    local value = { list = { 1, 2.5, "text", json.null }, object = { a = true }, raw = json.raw '{"x":[1]}' }
    for i = 1, 40 do value["key" .. i] = i end
    assert.is_true(memory.exhaust(function() json.encode(value, { pretty = true }) end) > 3)
  end)

  it("leave nothing behind in json.decode", function()
    local text = '{"a":[1,2,{"b":"c"}],"d":{"e":null},"long":"' .. ("x"):rep(1000) .. '"}'
    assert.is_true(memory.exhaust(function() json.decode(text) end) > 10)
    assert.is_true(memory.exhaust(function() json.decode('{"a":1,"a":2}') end) > 3)
  end)

  it("leave nothing behind in log", function()
    log.set_level("error")
    memory.exhaust(function() log.info("spec", { a = 1, list = { 1, 2 } }) end)
    log.set_level("info")
  end)

  it("leave nothing behind in socket", function()
    local blip = server.start()
    memory.exhaust(function()
      local connection <close> = assert(socket.connect(blip.host, blip.port))
      connection:send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      connection:receive()
    end)
    blip:stop()
  end)

  it("leave nothing behind in store", function()
    local connection = store.connection()
    memory.exhaust(function()
      local frame = assert(connection:query("SELECT range AS n, 'x' || range AS t FROM range(10)"))
      frame:close()
    end)
  end)
end)
