--- From a request to the handler of its route, and from what the handler answers to bytes.
-- Patterns form a tree of segments. A request goes down it, literal segments before parameters,
-- and comes back up when a branch leads nowhere.
--
-- A file of yours that the setting `routes` names adds routes in the same way as our modules:
--     local needs, reply = require "blip.api.needs", require "blip.api.reply"
--     return {
--       ["GET /_mine/{name}"] = needs("cluster:monitor/mine", function(request)
--         request:allow { "loud" }                    -- the query parameters that it reads
--         return reply.ok { hello = request.params.name, loud = request:flag("loud") }
--       end),
--     }
-- The action that a route needs decides who may call it; one that names none is not taken.
-- @module blip.api.router
local access = require "blip.security.access"
local authenticate = require "blip.api.authenticate"
local config = require "blip.config"
local fail = require "blip.fail"
local filter_path = require "blip.api.filter_path"
local index_names = require "blip.index.names"
local json = require "runtime.json"
local log = require "runtime.log"
local reply = require "blip.api.reply"
local request = require "blip.api.request"
local yaml = require "blip.api.yaml"

local router = {}

local Router = { __name = "blip.router" }
Router.__index = Router

local function new_node()
  return { literal = {}, methods = {} }
end

--- Creates a router without routes.
function router.new()
  return setmetatable({ root = new_node() }, Router)
end

-- The node of one more segment, made when it is not there.
local function child(node, segment)
  if segment:match("^{.+}$") then
    node.param = node.param or new_node()
    return node.param
  end
  node.literal[segment] = node.literal[segment] or new_node()
  return node.literal[segment]
end

--- Adds one route.
-- @tparam string pattern method and path, such as "GET /{index}/_search"
-- @tparam table entry what @{blip.api.needs} makes
function Router:add(pattern, entry)
  if type(entry) ~= "table" or not entry.action then
    error(("route '%s' names no action that it needs"):format(pattern), 2)
  end
  local method, path = pattern:match("^(%u+) (/.*)$")
  if not method then error(("'%s' is not a method and a path"):format(pattern), 2) end
  local node, names = self.root, {}
  for segment in path:gmatch("[^/]+") do
    node = child(node, segment)
    names[#names + 1] = segment:match("^{(.+)}$")
  end
  if node.methods[method] then error(("route '%s' is defined twice"):format(pattern), 2) end
  node.methods[method] = { entry = entry, names = names }
end

--- Adds a table of routes, as a route module returns it.
function Router:add_all(routes)
  for pattern, entry in pairs(routes) do self:add(pattern, entry) end
end

-- The first node with routes to which the segments lead, a literal segment before a parameter;
-- values is filled with the parameters on the way.
local function walk(node, segments, at, values)
  local segment = segments[at]
  if segment == nil then return next(node.methods) and node or nil end
  local literal = node.literal[segment]
  local found = literal and walk(literal, segments, at + 1, values)
  if found or not node.param then return found end
  values[#values + 1] = segment
  found = walk(node.param, segments, at + 1, values)
  if not found then values[#values] = nil end
  return found
end

local function bind(route, values)
  local params = {}
  for i, name in ipairs(route.names) do params[name] = values[i] end
  return { entry = route.entry, params = params }
end

-- The route of a method and path, or nil and the methods that the path does have. A path that
-- is written out in a pattern belongs to it: PUT /_search is no index named "_search".
local function find(self, method, path)
  local values = {}
  local node = walk(self.root, request.segments(path), 1, values)
  if not node then return nil, {} end
  local route = node.methods[method] or (method == "HEAD" and node.methods.GET)
  if route then return bind(route, values) end
  return nil, node.methods
end

local refusal_order = { "error", "status" }

local function not_routed(self_request, allowed)
  local list = {}
  for name in pairs(allowed) do list[#list + 1] = name end
  if #list == 0 then
    return reply.status(400, {
      error = ("no handler found for uri [%s] and method [%s]"):format(self_request.uri, self_request.method),
    })
  end
  table.sort(list)
  local headers = { Allow = table.concat(list, ",") }
  if self_request.method == "OPTIONS" then return { status = 200, text = "", headers = headers } end
  return reply.status(405, json.ordered({
    error = ("Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]"):format(
      self_request.uri, self_request.method, table.concat(list, ", ")),
    status = 405,
  }, refusal_order), headers)
end

-- The message handler of a route: what is not an error of blip.fail is a bug.
local function explain(err)
  if fail.is(err) then
    err.traceback = debug.traceback(err.reason, 2)
    return err
  end
  local text = type(err) == "string" and err or tostring(err)
  return { kind = "failed", bug = true, reason = text, traceback = debug.traceback(text, 2) }
end

local function refuse(self_request, err)
  local trace = self_request.query.error_trace
  if err.bug then
    log.error("route_failed", {
      method = self_request.method, uri = self_request.uri, traceback = err.traceback,
    })
    err = { kind = "failed", reason = "internal error, see the server's log", traceback = err.traceback }
  end
  return reply.failure(err, trace ~= nil and trace ~= "false")
end

-- The parameter of an index that is to be read as well may be a list; of a pattern, the handler has
-- to look at each index that it turns out to mean.
local function check_readable(read, params)
  local before, name, after = read:match "^(.*){(.+)}(.*)$"
  for part in params[name]:gmatch "[^,]+" do
    assert(index_names.permit(before .. part .. after, "indices:data/read/search"))
  end
end

-- May the caller do what the route needs? What the path spells out is looked at here; what else
-- a request names, where its indices are looked for.
local function authorize(entry, params)
  local subject, action = access.subject(), entry.action
  if not subject then return true end
  if action:find "^cluster:" then
    assert(access.check(action))
  elseif not subject:may_somewhere(action) then
    assert(access.denied(subject, action))
  elseif params.index then
    assert(index_names.permit(params.index, action))
  end
  if entry.read then check_readable(entry.read, params) end
end

local function run(route, self_request)
  self_request.params = route.params
  authorize(route.entry, route.params)
  assert(self_request:check_content_type())
  local answer, err = route.entry.handler(self_request)
  if not answer then error(err or "the route answered nothing", 0) end
  return answer
end

local function answer_of(self, self_request)
  local ok, answer = xpcall(authenticate.subject, explain, self_request)
  if not ok then return refuse(self_request, answer) end
  local route, allowed = find(self, self_request.method, self_request.path)
  if not route then return not_routed(self_request, allowed) end
  local before = access.enter(answer, route.entry.action)
  ok, answer = xpcall(run, explain, route, self_request)
  access.restore(before)
  if ok then return answer end
  return refuse(self_request, answer)
end

local function is_on(value)
  return value ~= nil and value ~= "false"
end

local json_type = "application/json; charset=UTF-8"

-- The answer's text and its type, in the form that the request asked for.
local function render(query, answer)
  if answer.text then return answer.text, answer.type end
  local body = answer.body
  if body == nil then return "", json_type end
  if query.filter_path and query.filter_path ~= "" then
    body = filter_path.apply(filter_path.compile(query.filter_path), body)
  end
  if query.format == "yaml" then return yaml.encode(body), "application/yaml" end
  if is_on(query.pretty) then return json.encode(body, { pretty = true }) .. "\n", json_type end
  return json.encode(body), json_type
end

--- Answers one request.
-- @tparam table raw what the host read: method, uri, headers, body, id
-- @treturn integer HTTP status
-- @treturn table headers, name to value
-- @treturn string body
function Router:handle(raw)
  local self_request = request.new(raw)
  local answer = answer_of(self, self_request)
  local ok, text, type = xpcall(render, explain, self_request.query, answer)
  if not ok then
    answer = refuse(self_request, text)
    text, type = render({}, answer)
  end
  local headers = answer.headers or {}
  headers["Content-Type"] = type
  return answer.status, headers, text
end

-- A user's script that returns routes; it may require blip.* as our own modules do.
local function load_script(path)
  local chunk, problem = loadfile(path, "t")
  if not chunk then return fail.invalid("routes: %s", problem) end
  local routes = chunk()
  if type(routes) ~= "table" then
    return fail.invalid("routes: %s returns a %s, not a table of routes", path, type(routes))
  end
  return routes
end

-- Adds a user's routes; what is wrong with one names the file.
local function add_script(all, path)
  local ok, problem = pcall(all.add_all, all, assert(load_script(path)))
  if not ok then assert(fail.invalid("routes: %s: %s", path, problem)) end
end

--- Loads every route of `blip.api` and of the configuration's `routes`, and answers from then on.
-- @treturn function handle(raw) -> status, headers, body
function router.open()
  local all, settings = router.new(), config.get()
  request.max_depth = settings.limits.json_depth
  for _, name in ipairs(require "blip.api") do all:add_all(require(name)) end
  for _, path in ipairs(settings.routes) do add_script(all, path) end
  return function(raw) return all:handle(raw) end
end

return router
