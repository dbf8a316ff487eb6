-- Every route of the server, called by those who may not and by those who just may.
local privileges = require "blip.security.privileges"
local server = require "support.server"
local users = require "support.users"

local AUTHENTICATED = 'Basic realm="security" charset="UTF-8"'

--- What a route's path needs to be about what the caller itself has.
local OWN = { ["GET /_security/api_key"] = "?owner=true" }

--- All routes in the order of their patterns: `pattern`, `action`, `read`, and a `method` and `path` that
-- lead to them.
local function all_routes()
  local list = {}
  for _, module in ipairs(require "blip.api") do
    for pattern, entry in pairs(require(module)) do
      local method, path = pattern:match "^(%u+) (.*)$"
      list[#list + 1] = {
        pattern = pattern, action = entry.action, read = entry.read, method = method,
        path = path:gsub("{[^}]+}", "none") .. (OWN[pattern] or ""),
      }
    end
  end
  table.sort(list, function(a, b) return a.pattern < b.pattern end)
  return list
end

--- A user per action, who may do nothing else, and on no index but "none".
local function just_enough(routes)
  local people, roles = {}, {}
  for _, route in ipairs(routes) do
    local kind = route.action:find "^cluster:" and "cluster" or "index"
    people[route.action:gsub(":", "-")] = { route.action }
    roles[route.action] = {
      cluster = kind == "cluster" and { route.action } or nil,
      indices = kind == "index" and { { names = { "none" }, privileges = { route.action } } } or nil,
    }
  end
  return people, roles
end

describe("every route", function()
  local blip, folder
  local routes = all_routes()

  setup(function()
    local people, roles = just_enough(routes)
    roles.results = { indices = { { names = { ".ml-anomalies-none" }, privileges = { "read" } } } }
    for _, route in ipairs(routes) do
      people["reading-" .. route.action:gsub(":", "-")] = { route.action, "results" }
    end
    people.nobody = {}
    folder = server.folder()
    blip = server.start { users = users.write(folder .. "/users.json", people, roles) }
  end)

  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  -- Runs a check of every route and lists those for which it says something.
  local function each(check)
    local wrong = {}
    for _, route in ipairs(routes) do
      local problem = check(route)
      if problem then wrong[#wrong + 1] = ("%s (%s): %s"):format(route.pattern, route.action, problem) end
    end
    assert.same({}, wrong)
  end

  local function call(route, headers)
    return blip:request(route.method, route.path, nil, headers)
  end

  it("names an action that one of the narrower privileges grants", function()
    each(function(route)
      local kind = route.action:find "^cluster:" and "cluster" or "index"
      local own = route.action:find "^cluster:admin/opendistro/" or privileges.is_free(route.action)
      local offered = privileges.granting(kind, route.action)
      if not own and #offered < 2 then return "only [all] grants it" end
    end)
  end)

  it("answers 401 to those who do not say who they are", function()
    each(function(route)
      local answer = call(route)
      if answer.status ~= 401 then return "answers " .. answer.status end
      if route.method == "HEAD" then return end
      local err = answer.json.error
      if err.type ~= "security_exception" or err.header["WWW-Authenticate"] ~= AUTHENTICATED
        or err.root_cause[1].reason ~= err.reason or answer.json.status ~= 401 then
        return "has another body"
      end
    end)
  end)

  it("answers 403 to those who lack the privilege", function()
    each(function(route)
      local answer = call(route, users.basic "nobody")
      if privileges.is_free(route.action) then
        return answer.status == 403 and "refuses everyone" or nil
      end
      if answer.status ~= 403 then return "answers " .. answer.status end
      if route.method == "HEAD" then return end
      local err = answer.json.error
      local reason = err.reason:find(("[%s]"):format(route.action), 1, true)
      if err.type ~= "security_exception" or err.root_cause[1].reason ~= err.reason or not reason then
        return "has another body: " .. answer.body
      end
    end)
  end)

  it("lets those in who have just the privilege", function()
    each(function(route)
      local name = route.action:gsub(":", "-")
      local answer = call(route, users.basic((route.read and "reading-" or "") .. name))
      if answer.status == 401 then return "answers 401" end
      local reason = answer.json and type(answer.json.error) == "table" and answer.json.error.reason or ""
      local refused = reason:find(("[%s] is unauth"):format(route.action), 1, true)
      if answer.status == 403 and refused then return reason end
      if answer.status == 500 and reason:find("internal error", 1, true) then return reason end
    end)
  end)

  it("about the results of a job needs the right to read them as well", function()
    each(function(route)
      if not route.read then return end
      local answer = call(route, users.basic((route.action:gsub(":", "-"))))
      if answer.status ~= 403 then return "answers " .. answer.status end
      if not answer.json.error.reason:find("[indices:data/read/search]", 1, true) then return answer.body end
    end)
  end)

  it("refuses an index in its path that the caller may not touch", function()
    each(function(route)
      if not route.pattern:find("{index}", 1, true) or route.action:find "^cluster:" then return end
      local path = route.pattern:match " (.*)$":gsub("{index}", "other"):gsub("{[^}]+}", "none")
      local answer = blip:request(route.method, path, nil, users.basic((route.action:gsub(":", "-"))))
      if answer.status ~= 403 then return "answers " .. answer.status end
    end)
  end)
end)
