--- The configuration: what can be set, its defaults, and where it comes from.
-- Defaults, then the file that `--config` names, then flags. The file is Lua that returns a
-- table of the names below; it sees nothing but `env(name)`, which reads an environment variable.
--     return { listen = "0.0.0.0:9200", data = "/var/lib/blip", limits = { body = "200mb" } }
-- Workers get the checked table back from `config.get()`.
-- @module blip.config
local fail = require "blip.fail"
local host = require "runtime.host"
local shape = require "blip.shape"
local users = require "blip.security.users"

local config = {}

-- What one client, and all of them, may ask for. Times of 0 mean none.
local limits = shape {
  request_line = shape.size():default(4096),             -- 414; method, path and query
  headers = shape.size():default(16 << 10),              -- 431
  body = shape.size():default(100 << 20),                -- 413; as it was sent
  unpacked_body = shape.size():default(200 << 20),       -- 413; after gzip
  json_depth = shape.integer(1, 1000):default(1000),     -- 400; levels of brackets in a body
  connections = shape.integer(1):default(1000),          -- 503; in total
  connections_per_address = shape.integer(1):default(500), -- 429
  header_time = shape.duration():default(10000),         -- 408; until the headers have come
  body_time = shape.duration():default(60000),           -- 408; until the body has come
  idle_time = shape.duration():default(75000),           -- a connection between two requests
  request_time = shape.duration():default(60000),        -- 503; a request's deadline
  slow_request = shape.duration():default(1000),         -- what takes longer is logged
}

local settings = shape {
  listen = shape.string(250):default("127.0.0.1:9200"),  -- port 0 takes a free one
  data = shape.string(1000):default("blip-data"),        -- the folder of the store
  tls_cert = shape.string(1000),                         -- PEM, with those that vouch for it
  tls_key = shape.string(1000),                          -- PEM, of that certificate
  users = shape.string(1000),                            -- the users file; everyone may everything without
  insecure = shape.boolean():default(false),             -- listen beyond loopback without users
  detectors = shape.string(1000),                        -- the folder of detector scripts
  routes = shape.list(shape.string()):default({}),       -- scripts that add HTTP routes
  threads = shape.integer(0, 256):default(0),            -- workers; 0 chooses by the cores
  queue = shape.integer(1, 1000000):default(1000),       -- jobs that may wait, per lane
  memory = shape.size():default(0),                      -- the store's buffers; 0 lets it choose
  model_memory = shape.size():default(0),                -- the models of a detector; 0: half of the machine's
  spill = shape.boolean():default(true),                 -- a full job moves cold series to the store
  query_threads = shape.integer(0, 256):default(0),      -- of one query; 0 is one per core
  stop_time = shape.duration():default(10000),           -- for requests under way at the end
  log = shape.one_of("auto", "json", "text"):default("auto"), -- auto: text on a terminal
  log_level = shape.one_of("debug", "info", "warn", "error"):default("info"),
  limits = shape.object(limits):default(assert(limits:check {})),
}

local help = [[
usage: blip serve [FLAGS]

  --listen HOST:PORT   where to answer HTTP (127.0.0.1:9200; port 0 takes a free one)
  --data FOLDER        where the data is kept (blip-data)
  --detectors FOLDER   detector scripts, watched and reloaded
  --threads N          workers (0: by the number of cores)
  --memory SIZE        of the store's buffers, such as 2gb (0: chosen by the store)
  --log FORMAT         json, text or auto (text on a terminal)
  --log-level LEVEL    debug, info, warn or error (info)
  --tls-cert FILE      answer HTTPS: a PEM file of the certificate and those that vouch for it
  --tls-key FILE       a PEM file of its private key; both are read again at SIGHUP
  --users FILE         users and roles, see blip user --help; without it only this
                       machine may connect, and everyone may everything
  --insecure           listen on other addresses than loopback without users
  --config FILE        a Lua file that returns a table of settings, see lua/blip/config.lua
  --help

exit codes: 0 stopped in order, 1 could not start or run, 2 flags or configuration are wrong
]]

local flags = {
  ["--listen"] = "listen", ["--data"] = "data", ["--detectors"] = "detectors", ["--threads"] = "threads",
  ["--tls-cert"] = "tls_cert", ["--tls-key"] = "tls_key", ["--users"] = "users",
  ["--insecure"] = "insecure", ["--memory"] = "memory", ["--log"] = "log",
  ["--log-level"] = "log_level", ["--config"] = "config",
}

--- Flags that stand alone.
local switches = { ["--insecure"] = true }

-- The flags as a table of settings; a flag's value is the next word or follows a "=".
local function parse_flags(args)
  local given, at = {}, 1
  while at <= #args do
    local flag, value = args[at]:match("^(%-%-[%w-]+)=(.*)$")
    flag = flag or args[at]
    local name = flags[flag]
    if not name then return fail.invalid("unknown flag '%s', see blip serve --help", flag) end
    if not value and switches[flag] then
      value = "true"
    elseif not value then
      at = at + 1
      value = args[at]
    end
    if not value then return fail.invalid("flag '%s' needs a value", flag) end
    given[name] = value
    at = at + 1
  end
  return given
end

local function read_file(path)
  local chunk, problem = loadfile(path, "t", { env = os.getenv })
  if not chunk then return fail.invalid("configuration: %s", problem) end
  local ok, result = pcall(chunk)
  if not ok then return fail.invalid("configuration: %s", tostring(result)) end
  if type(result) ~= "table" then
    return fail.invalid("configuration: %s returns a %s, not a table", path, type(result))
  end
  return result
end

-- "127.0.0.1:9200", "[::1]:9200", "localhost:0"
local function split_listen(listen)
  local address, port = listen:match("^%[(.*)%]:(%d+)$")
  if not address then address, port = listen:match("^([^:]*):(%d+)$") end
  if not port or tonumber(port) > 65535 then
    return fail.invalid("'listen' must be HOST:PORT, got '%s'", listen)
  end
  return { host = address, port = port }
end

local function cores()
  local count = 0
  local file = io.open("/proc/cpuinfo")
  if not file then return 2 end
  for line in file:lines() do
    if line:match("^processor") then count = count + 1 end
  end
  file:close()
  return math.max(count, 1)
end

local function is_loopback(name)
  return name == "localhost" or name == "::1" or name:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

-- Without users everyone who can connect may everything, so that nobody else must be able to.
local function read_users(checked)
  if checked.users then
    local security, err = users.read(checked.users)
    checked.security = security
    return security and true, err
  end
  if is_loopback(checked.host) or checked.insecure then return true end
  return fail.invalid("'%s' is open to other machines: name a users file (--users) or, if everyone who "
    .. "connects may do everything, say --insecure", checked.listen)
end

-- A worker waits for the disk now and then, so there are a few more than cores.
local function finish(checked)
  local place, err = split_listen(checked.listen)
  if not place then return nil, err end
  checked.host, checked.port = place.host, place.port
  if (checked.tls_cert == nil) ~= (checked.tls_key == nil) then
    return fail.invalid "'tls_cert' and 'tls_key' go together: one of them is missing"
  end
  local ok
  ok, err = read_users(checked)
  if not ok then return nil, err end
  if checked.threads == 0 then checked.threads = cores() + 2 end
  checked.threads = math.max(checked.threads, 2)
  return checked
end

--- Checks a table of settings and fills in the defaults.
-- @return the configuration, or nil and an `invalid` error that names the setting
function config.check(given)
  local checked, err = settings:check(given)
  if not checked then return nil, err end
  return finish(checked)
end

--- Reads the command line of `blip serve` and the file that it names.
-- @tparam table args words
-- @return the configuration, or a text to print, or nil and an `invalid` error
function config.read(args)
  for _, word in ipairs(args) do
    if word == "--help" then return help end
  end
  local given, err = parse_flags(args)
  if not given then return nil, err end
  local merged = {}
  if given.config then
    merged, err = read_file(given.config)
    if not merged then return nil, err end
  end
  given.config = nil
  for name, value in pairs(given) do merged[name] = value end
  return config.check(merged)
end

local current

--- The configuration that this process runs with; the defaults where there is no server.
function config.get()
  current = current or host.config() or assert(config.check {})
  return current
end

return config
