--- A small HTTP client over one kept-alive connection, for specs.
--     local client = http.connect("127.0.0.1", "9200")
--     local answer = client:request("POST", "/logs/_search", { query = ... })
--     answer.status, answer.headers["content-type"], answer.body, answer.json
-- @module support.http
local json = require "runtime.json"
local socket = require "runtime.socket"

local Client = { __name = "support.http" }
Client.__index = Client

local http = {}

--- Connects; raises when nobody listens.
function http.connect(host, port, timeout_ms)
  return setmetatable({
    host = host, port = tostring(port), timeout_ms = timeout_ms or 30000, unread = "",
  }, Client)
end

local function open(self)
  if self.socket then return false end
  self.socket = assert(socket.connect(self.host, self.port, self.timeout_ms))
  self.unread = ""
  return true
end

--- Closes the connection; the next request opens a new one.
function Client:close()
  if self.socket then self.socket:close() end
  self.socket = nil
end

--- Sends text as it is.
function Client:send(text)
  open(self)
  assert(self.socket:send(text))
end

-- Reads more; false when the server has closed.
local function more(self)
  local text = assert(self.socket:receive())
  self.unread = self.unread .. text
  return text ~= ""
end

-- Takes everything up to and including a plain-text mark; nil when the server closes before.
local function take_to(self, mark)
  while true do
    local _, last = self.unread:find(mark, 1, true)
    if last then
      local text = self.unread:sub(1, last)
      self.unread = self.unread:sub(last + 1)
      return text
    end
    if not more(self) then return nil end
  end
end

local function take_bytes(self, count)
  while #self.unread < count do
    if not more(self) then break end
  end
  local text = self.unread:sub(1, count)
  self.unread = self.unread:sub(count + 1)
  return text
end

local function parse_head(head)
  local answer = { status = tonumber(head:match("^HTTP/1%.1 (%d+)")), headers = {} }
  for name, value in head:gmatch("\r\n([^:\r\n]+): *([^\r\n]*)") do
    answer.headers[name:lower()] = value
  end
  return answer
end

--- Reads one answer.
-- @tparam[opt] string method "HEAD" for an answer without a body
-- @return the answer, or nil when the server closed the connection
function Client:receive(method)
  local head = take_to(self, "\r\n\r\n")
  if not head then return nil end
  local answer = parse_head(head)
  local length = tonumber(answer.headers["content-length"])
  local without = method == "HEAD" or answer.status < 200
  answer.body = without and "" or take_bytes(self, length or 0)
  if answer.headers["content-type"] and answer.headers["content-type"]:match("^application/json") then
    answer.json = json.decode(answer.body)
  end
  return answer
end

--- The bytes of a request.
-- @tparam string method
-- @tparam string path
-- @param[opt] body a table becomes JSON, a string goes as it is
-- @tparam[opt] table headers name to value; false leaves out one of ours
function http.format(method, path, body, headers)
  local fields = { Host = "localhost", ["Content-Type"] = body and "application/json" or nil }
  if type(body) == "table" then body = json.encode(body) end
  if body then fields["Content-Length"] = #body end
  for name, value in pairs(headers or {}) do fields[name] = value end
  local lines = { ("%s %s HTTP/1.1\r\n"):format(method, path) }
  for name, value in pairs(fields) do
    if value then lines[#lines + 1] = ("%s: %s\r\n"):format(name, value) end
  end
  return table.concat(lines) .. "\r\n" .. (body or "")
end

--- Sends a request and reads its answer, over a new connection when the old one was closed.
-- @return the answer; raises when none comes
function Client:request(method, path, body, headers)
  local text = http.format(method, path, body, headers)
  local fresh = open(self)
  local answer = self.socket:send(text) and self:receive(method)
  if not answer and not fresh then
    self:close()
    open(self)
    assert(self.socket:send(text))
    answer = self:receive(method)
  end
  if not answer then error(("no answer to %s %s"):format(method, path), 2) end
  if answer.headers.connection == "close" then self:close() end
  return answer
end

function Client:get(path, headers) return self:request("GET", path, nil, headers) end
function Client:head(path) return self:request("HEAD", path) end
function Client:delete(path, body) return self:request("DELETE", path, body) end
function Client:post(path, body, headers) return self:request("POST", path, body, headers) end
function Client:put(path, body, headers) return self:request("PUT", path, body, headers) end

--- Sends bulk lines.
-- @tparam string path such as "/_bulk?refresh=true"
-- @tparam table lines each a table that becomes a line of JSON
function Client:bulk(path, lines)
  local text = {}
  for i, line in ipairs(lines) do text[i] = json.encode(line) .. "\n" end
  return self:request("POST", path, table.concat(text), { ["Content-Type"] = "application/x-ndjson" })
end

return http
