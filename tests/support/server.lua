--- Starts the real binary on a free port with a temporary folder, for specs of routes.
--     local server = require "support.server"
--     describe("...", function()
--       local blip
--       setup(function() blip = server.start() end)
--       teardown(function() blip:stop() end)
--       it("...", function() local answer = blip:get("/") ... end)
-- A server is also a client: get, head, post, put, delete, bulk, request of support.http.
-- @module support.server
local http = require "support.http"
local json = require "runtime.json"
local time = require "runtime.time"

local server = {}

local Server = { __name = "support.server" }

function Server:__index(name)
  if Server[name] then return Server[name] end
  local method = getmetatable(self.client).__index[name]
  return method and function(_, ...) return method(self.client, ...) end
end

local function read_all(path)
  local file = io.open(path)
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text
end

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a"):gsub("%s+$", "")
  pipe:close()
  return text
end

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- The program that runs this spec.
function server.binary()
  return run("readlink /proc/$PPID/exe")
end

--- A fresh folder, which the caller removes by `server.remove`.
function server.folder()
  return run("mktemp -d /tmp/blip-spec-XXXXXX")
end

--- Removes a folder that `server.folder` made.
function server.remove(folder)
  assert(folder:match("^/tmp/blip%-spec%-%w+$"), folder)
  os.execute("rm -rf " .. quote(folder))
end

local function write_config(path, settings)
  local file = assert(io.open(path, "w"))
  file:write("return ", server.literal(settings), "\n")
  file:close()
end

--- A plain table as Lua source.
function server.literal(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local parts = {}
  for name, each in pairs(value) do
    parts[#parts + 1] = ("[%q] = %s"):format(name, server.literal(each))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- Starts the process; its standard error goes to a file.
local function spawn(self)
  local words = { quote(server.binary()), "serve", "--config", quote(self.config) }
  self.log = self.folder .. "/log-" .. time.monotonic_ns()
  self.pid = tonumber(run(("%s >%s 2>&1 & echo $!"):format(table.concat(words, " "), quote(self.log))))
end

-- A killed process is a zombie as soon as its first thread has ended; what it holds is free when
-- the last one has.
local function alive(pid)
  local state, rest = read_all(("/proc/%d/stat"):format(pid)):match("%) (%a) (.*)")
  if not state then return false end
  local threads = rest:match(("%S+ "):rep(16) .. "(%d+)") -- proc(5): num_threads
  return state ~= "Z" or tonumber(threads) > 1
end

-- Waits for the line that says where the server listens.
local function wait_started(self)
  for _ = 1, 3000 do
    for line in read_all(self.log):gmatch("[^\n]+") do
      local event = json.decode(line)
      if event and event.event == "server_started" then return event.listen end
    end
    if not alive(self.pid) then break end
    time.sleep_ms(10)
  end
  error("the server did not start:\n" .. read_all(self.log), 3)
end

local function connect(self)
  self.listen = wait_started(self)
  self.host, self.port = self.listen:match("^(.*):(%d+)$")
  rawset(self, "client", http.connect(self.host, self.port))
end

--- Starts a server.
-- @tparam[opt] table settings as in a configuration file; `listen` and `data` have values
-- @return the server
function server.start(settings)
  local self = setmetatable({ folder = server.folder(), client = http.connect("", "") }, Server)
  local merged = { listen = "127.0.0.1:0", data = self.folder .. "/data", log = "json" }
  for name, value in pairs(settings or {}) do merged[name] = value end
  self.config = self.folder .. "/blip.lua"
  write_config(self.config, merged)
  spawn(self)
  connect(self)
  return self
end

--- A client of its own, with a connection of its own.
function Server:connect(timeout_ms)
  return http.connect(self.host, self.port, timeout_ms)
end

--- Sends a signal by name, such as "TERM" or "KILL".
function Server:signal(name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid))
end

--- Waits until the process has ended.
-- @treturn boolean it did, within ten seconds
function Server:wait()
  for _ = 1, 1000 do
    if not alive(self.pid) then return true end
    time.sleep_ms(10)
  end
  return false
end

--- What the server has logged: a list of events.
function Server:events()
  local events = {}
  for line in read_all(self.log):gmatch("[^\n]+") do
    events[#events + 1] = json.decode(line) or { event = "not_json", line = line }
  end
  return events
end

--- The first event of a name, waited for up to five seconds; nil when none came.
function Server:event(name)
  for _ = 1, 500 do
    for _, event in ipairs(self:events()) do
      if event.event == name then return event end
    end
    time.sleep_ms(10)
  end
  return nil
end

--- Resident memory of the process, in bytes.
function Server:resident_bytes()
  local kilobytes = read_all(("/proc/%d/status"):format(self.pid)):match("VmRSS:%s*(%d+) kB")
  return tonumber(kilobytes) * 1024
end

--- What the process has used of the processors since its start, in seconds.
function Server:cpu_seconds()
  local stat = read_all(("/proc/%d/stat"):format(self.pid))
  local user, system = stat:match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
  return (tonumber(user) + tonumber(system)) / 100
end

--- Ends the process (by SIGTERM unless said otherwise) and starts it again on the same data.
function Server:restart(signal)
  self.client:close()
  self:signal(signal or "TERM")
  assert(self:wait(), "the server does not stop")
  spawn(self)
  connect(self)
end

-- Every line of a log is an event; anything else is a sanitizer's report or a stray print.
local function check_log(self)
  for _, event in ipairs(self:events()) do
    if event.event == "not_json" then
      error("the server printed:\n" .. read_all(self.log), 3)
    end
  end
end

--- Stops the server and removes its folder; raises when it has printed what is no event.
function Server:stop()
  self.client:close()
  self:signal("TERM")
  local stopped = self:wait()
  if not stopped then self:signal("KILL") end
  local ok, problem = pcall(check_log, self)
  server.remove(self.folder)
  assert(ok, problem)
  assert(stopped, "the server does not stop")
end

return server
