local http = require "support.http"
local json = require "runtime.json"
local server = require "support.server"
local time = require "runtime.time"
local users = require "support.users"

local ROLES = {
  logs_reader = { indices = { { names = { "logs-*" }, privileges = { "read", "view_index_metadata" } } } },
  logs_writer = { indices = { { names = { "logs-*" }, privileges = { "index", "auto_configure" } } } },
  logs_owner = { cluster = { "monitor" }, indices = { { names = { "logs-*" }, privileges = { "all" } } } },
  everything = { indices = { { names = { "*" }, privileges = { "all" } } } },
  aliased = { indices = { { names = { "only-alias" }, privileges = { "read" } } } },
  keys = { cluster = { "manage_own_api_key", "monitor" } },
}
local PEOPLE = {
  ada = { "superuser" }, rita = { "logs_reader" }, walt = { "logs_writer" }, olga = { "logs_owner" },
  evan = { "everything" }, alia = { "aliased" }, kate = { "keys" }, none = {},
  mona = { "machine_learning_user" },
}

describe("security", function()
  local blip, folder

  setup(function()
    folder = server.folder()
    blip = server.start { users = users.write(folder .. "/users.json", PEOPLE, ROLES) }
    for _, index in ipairs { "logs-a", "logs-b", "money" } do
      blip:put(("/%s/_doc/1"):format(index), { n = 1 }, users.basic "ada")
    end
    blip:post("/_aliases", { actions = {
      { add = { index = "money", alias = "only-alias" } },
      { add = { index = "logs-a", alias = "logs-alias" } },
      { add = { index = "logs-a", alias = "hush" } },
    } }, users.basic "ada")
  end)

  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  local function as(name, method, path, body)
    return blip:request(method, path, body, users.basic(name))
  end

  local function bulk(name, lines)
    local text = {}
    for i, line in ipairs(lines) do text[i] = json.encode(line) .. "\n" end
    return blip:request("POST", "/_bulk", table.concat(text), users.basic(name)).json
  end

  describe("who asks", function()
    it("must be said: 401 with the ways to do it", function()
      local answer = blip:get "/logs-a/_search?x=1"
      local header = { ["WWW-Authenticate"] = 'Basic realm="security" charset="UTF-8"' }
      local cause = {
        type = "security_exception", header = header,
        reason = "missing authentication credentials for REST request [/logs-a/_search]",
      }
      assert.equal(401, answer.status)
      assert.same({
        error = { root_cause = { cause }, type = cause.type, reason = cause.reason, header = header },
        status = 401,
      }, answer.json)
      assert.equal("ApiKey", answer.headers["www-authenticate"]) -- the last of the two
    end)

    it("must be said before a body is kept", function()
      local before = blip:resident_bytes()
      local body = ('{"text":"%s"}'):format(("x"):rep(50000000))
      assert.equal(401, blip:put("/logs-a/_doc/1", body).status)
      assert.is_true(blip:resident_bytes() - before < 40000000)
    end)

    it("must be said for paths that are none as well", function()
      assert.equal(401, blip:get("/_nothing/x").status)
      assert.equal(400, as("none", "GET", "/_nothing/x").status)
    end)

    it("is told by name and password", function()
      local shown = as("ada", "GET", "/_security/_authenticate").json
      assert.same({ "ada", { "superuser" }, "realm" },
        { shown.username, shown.roles, shown.authentication_type })
    end)

    it("is nobody with a wrong password, an unknown name, or another scheme", function()
      local function reason(headers)
        local answer = blip:get("/", headers)
        assert.equal(401, answer.status)
        return answer.json.error.reason
      end
      assert.equal("unable to authenticate user [ada] for REST request [/]", reason(users.basic("ada", "x")))
      assert.equal("unable to authenticate user [eve] for REST request [/]", reason(users.basic "eve"))
      assert.matches("^unable to authenticate with provided", reason { Authorization = "Bearer abc" })
      assert.equal("invalid basic authentication header value", reason { Authorization = "Basic ***" })
      assert.equal("invalid ApiKey authentication header value", reason { Authorization = "ApiKey YQ==" })
      assert.matches("unable to find apikey with id a", reason(users.key "YTpi"))
    end)
  end)

  it("keeps answering those it knows while somebody guesses passwords", function()
    assert.equal(200, as("ada", "GET", "/").status)
    local guessers, seen, slowest = {}, { [401] = 0, [429] = 0 }, 0
    for i = 1, 20 do
      guessers[i] = blip:connect()
      guessers[i]:send(http.format("GET", "/", nil, users.basic("ada", "guess" .. i)))
    end
    for _ = 1, 20 do
      local began = time.monotonic_ns()
      assert.equal(200, as("ada", "GET", "/").status)
      slowest = math.max(slowest, (time.monotonic_ns() - began) / 1e6)
    end
    for _, guesser in ipairs(guessers) do
      local status = guesser:receive().status
      seen[status] = seen[status] + 1
      guesser:close()
    end
    assert.equal(20, seen[401] + seen[429])
    assert.is_true(seen[429] >= 5, seen[429] .. " were turned away")
    assert.is_true(slowest < 1000, slowest .. " ms")
  end)

  describe("an index that the caller may not read", function()
    it("is refused by name, whether it exists or not", function()
      for _, index in ipairs { "money", "nowhere" } do
        local answer = as("rita", "GET", ("/logs-a,%s/_search"):format(index))
        assert.equal(403, answer.status)
        assert.equal(("action [indices:data/read/search] is unauthorized for user [rita] with effective "
          .. "roles [logs_reader] on indices [%s], this action is granted by the index privileges [read,all]")
          :format(index), answer.json.error.reason)
      end
    end)

    it("is not found by wildcards", function()
      assert.equal(2, as("rita", "GET", "/_search").json.hits.total.value)
      assert.equal(2, as("rita", "GET", "/*/_count").json.count)
      assert.equal(2, as("rita", "GET", "/m*,logs*/_search").json.hits.total.value)
      assert.equal(0, as("rita", "GET", "/m*/_search").json.hits.total.value)
      assert.equal(3, as("ada", "GET", "/_search").json.hits.total.value)
    end)

    it("is refused within _msearch and _mget, beside what may be read", function()
      local text = '{"index":"logs-a"}\n{}\n{"index":"money"}\n{}\n{}\n{}\n'
      local found = as("rita", "POST", "/_msearch", text).json.responses
      assert.same({ 200, 403, 200 }, { found[1].status, found[2].status, found[3].status })
      assert.equal(2, found[3].hits.total.value)
      local docs = as("rita", "POST", "/_mget", { docs = {
        { _index = "logs-a", _id = "1" }, { _index = "money", _id = "1" },
      } }).json.docs
      assert.is_true(docs[1].found)
      assert.equal("security_exception", docs[2].error.type)
    end)

    it("lends no terms to a query", function()
      local function find(name, index)
        local query = { terms = { n = { index = index, id = "1", path = "n" } } }
        return as(name, "POST", "/logs-a/_search", { query = query })
      end
      assert.equal(1, find("rita", "logs-b").json.hits.total.value)
      assert.equal(403, find("rita", "money").status)
      assert.equal(0, find("rita", "mon*").json.hits.total.value)
    end)

    it("is not fetched, not scrolled, not described", function()
      for _, path in ipairs { "/money/_doc/1", "/money/_source/1", "/money/_mapping", "/money",
                              "/money/_settings", "/money/_field_caps?fields=*", "/money/_alias" } do
        assert.equal(403, as("rita", "GET", path).status, path)
      end
      local scroll = as("ada", "GET", "/money/_search?scroll=1m&size=1").json._scroll_id
      assert.equal(403, as("rita", "POST", "/_search/scroll", { scroll_id = scroll }).status)
    end)

    it("appears in no listing", function()
      local function names(answer)
        local list = {}
        for name in pairs(answer.json) do list[#list + 1] = name end
        table.sort(list)
        return list
      end
      for _, path in ipairs { "/_mapping", "/_all", "/_settings", "/_alias" } do
        assert.same({ "logs-a", "logs-b" }, names(as("rita", "GET", path)), path)
      end
      assert.same({ "logs-a", "logs-b" }, as("rita", "GET", "/_field_caps?fields=n").json.indices)
      assert.equal("logs-a\nlogs-b\n", as("olga", "GET", "/_cat/indices?h=index").body)
      assert.equal("2\n", as("rita", "GET", "/_cat/count?h=count").body)
      local health = as("olga", "GET", "/_cluster/health?level=indices").json
      assert.same({ "logs-a", "logs-b" }, names { json = health.indices })
      assert.equal(403, as("olga", "GET", "/_cluster/health/money").status)
    end)
  end)

  describe("an alias", function()
    it("may be all that a role covers", function()
      assert.equal(1, as("alia", "GET", "/only-alias/_search").json.hits.total.value)
      assert.equal(1, as("alia", "GET", "/_search").json.hits.total.value)
      assert.equal(403, as("alia", "GET", "/money/_search").status)
    end)

    it("is scrolled through with the rights of who asks for each page, and by its filter", function()
      as("ada", "PUT", "/both/_doc/1?refresh", { team = "x" })
      as("ada", "PUT", "/both/_doc/2", { team = "y" })
      as("ada", "PUT", "/both/_doc/3", { team = "x" })
      as("ada", "POST", "/_aliases", { actions = {
        { remove = { index = "money", alias = "only-alias" } },
        { add = { index = "both", alias = "only-alias", filter = { term = { ["team.keyword"] = "x" } } } },
      } })
      local page, seen = as("alia", "GET", "/only-alias/_search?scroll=1m&size=1").json, {}
      local id = page._scroll_id
      while page.hits.hits[1] do
        seen[#seen + 1] = page.hits.hits[1]._id
        page = as("alia", "POST", "/_search/scroll", { scroll_id = page._scroll_id }).json
      end
      table.sort(seen)
      assert.same({ "1", "3" }, seen)
      assert.equal(403, as("rita", "POST", "/_search/scroll", { scroll_id = id }).status)
      as("ada", "DELETE", "/both")
    end)

    it("is shown to those who may see it by its own name", function()
      assert.same({ ["logs-alias"] = {} }, as("rita", "GET", "/logs-a/_alias").json["logs-a"].aliases)
      assert.same({ ["logs-alias"] = {} }, as("rita", "GET", "/logs-a").json["logs-a"].aliases)
      assert.equal("logs-alias\n", as("rita", "GET", "/_cat/aliases?h=alias").body)
      assert.equal(404, as("rita", "GET", "/_alias/hush").status)
    end)

    it("is given and taken only with rights to both names", function()
      local function change(action)
        return as("olga", "POST", "/_aliases", { actions = { action } }).status
      end
      assert.equal(403, change { add = { index = "money", alias = "logs-stolen" } })
      assert.equal(403, change { add = { index = "logs-b", alias = "moneys" } })
      assert.equal(403, change { remove_index = { index = "money" } })
      assert.equal(404, change { remove = { index = "logs-a", alias = "hush" } })
      assert.equal(200, change { add = { index = "logs-b", alias = "logs-two" } })
      assert.equal(403, as("olga", "PUT", "/logs-c", { aliases = { moneys = {} } }).status)
      assert.equal(200, change { remove = { index = "logs-b", alias = "logs-two" } })
    end)
  end)

  describe("a write", function()
    it("is refused where the caller may not write", function()
      assert.equal(403, as("rita", "PUT", "/logs-a/_doc/9", {}).status)
      assert.equal(403, as("walt", "PUT", "/money/_doc/9", {}).status)
      assert.equal(403, as("walt", "DELETE", "/logs-a/_doc/1").status)
      assert.equal(404, as("ada", "GET", "/money/_doc/9").status)
    end)

    it("has an outcome of its own for each item of a bulk", function()
      local answer = bulk("walt", {
        { index = { _index = "logs-a", _id = "w" } }, { n = 2 },
        { index = { _index = "money", _id = "w" } }, { n = 2 },
        { delete = { _index = "logs-a", _id = "1" } },
        { update = { _index = "logs-a", _id = "w" } }, { doc = { n = 3 } },
      })
      assert.is_true(answer.errors)
      assert.same({ 201, 403, 403, 200 }, { answer.items[1].index.status, answer.items[2].index.status,
        answer.items[3].delete.status, answer.items[4].update.status })
      assert.matches("^action %[indices:data/write/delete%] is unauthorized for user %[walt%]",
        answer.items[3].delete.error.reason)
      assert.equal(404, as("ada", "GET", "/money/_doc/w").status)
      assert.equal(200, as("ada", "GET", "/logs-a/_doc/1").status)
      as("ada", "DELETE", "/logs-a/_doc/w")
    end)

    it("makes an index only for those who may", function()
      local index = { names = { "logs-*" }, privileges = { "index" } }
      local made = as("ada", "PUT", "/_security/api_key", {
        name = "writes", role_descriptors = { w = { indices = { index } } },
      }).json
      local answer = blip:put("/logs-new/_doc/1", {}, users.key(made.encoded))
      assert.equal(403, answer.status)
      assert.matches("indices:admin/auto_create", answer.json.error.reason)
      assert.equal(201, as("walt", "PUT", "/logs-new/_doc/1", {}).status)
      as("ada", "DELETE", "/logs-new")
    end)

    it("with a wildcard touches what the caller may touch", function()
      as("ada", "PUT", "/logs-gone")
      assert.equal(200, as("olga", "DELETE", "/*gone,mon*").status)
      assert.equal(404, as("ada", "GET", "/logs-gone").status)
      assert.equal(200, as("ada", "GET", "/money").status)
    end)
  end)

  describe("what the server believes", function()
    it("is out of reach of roles that do not say so", function()
      as("ada", "PUT", "/_security/api_key", { name = "any" })
      assert.equal(403, as("evan", "GET", "/.security/_search").status)
      assert.equal(0, as("evan", "GET", "/.sec*/_search").json.hits.total.value)
      assert.equal(403, as("evan", "PUT", "/.opendistro-anomaly-detectors/_doc/x", {}).status)
      assert.equal(403, as("evan", "PUT", "/.ml-config/_doc/x", {}).status)
      assert.is_true(as("ada", "GET", "/.security/_search").json.hits.total.value > 0)
    end)
  end)

  describe("an API key", function()
    local function make(name, body)
      local answer = as(name, "POST", "/_security/api_key", body)
      assert.equal(200, answer.status, answer.body)
      return answer.json
    end

    it("may what its maker may when it says nothing else", function()
      local made = make("ada", { name = "all", metadata = { team = "x" } })
      assert.equal(require "runtime.secret".encode64(made.id .. ":" .. made.api_key), made.encoded)
      local shown = blip:get("/_security/_authenticate", users.key(made.encoded)).json
      assert.same({ "ada", "api_key", { id = made.id, name = "all" } },
        { shown.username, shown.authentication_type, shown.api_key })
      assert.equal(3, blip:get("/_search", users.key(made.encoded)).json.hits.total.value)
    end)

    it("never may more than its maker could", function()
      local role = { cluster = { "all" }, indices = { { names = { "*" }, privileges = { "all" } } } }
      local made = make("kate", { name = "more", role_descriptors = { r = role } })
      assert.equal(200, blip:get("/", users.key(made.encoded)).status)
      assert.equal(403, blip:get("/_search", users.key(made.encoded)).status)
      assert.equal(403, blip:put("/_cluster/settings", {}, users.key(made.encoded)).status)
    end)

    it("is shown without its secret, and to those who may see it", function()
      local made = make("kate", { name = "shown", role_descriptors = { r = { cluster = { "monitor" } } } })
      local list = as("kate", "GET", "/_security/api_key?owner=true&name=sho*").json.api_keys
      assert.equal(1, #list)
      assert.same({ made.id, "shown", "kate", false },
        { list[1].id, list[1].name, list[1].username, list[1].invalidated })
      assert.is_nil(list[1].digest)
      assert.equal(403, as("kate", "GET", "/_security/api_key").status)
      assert.equal(404, as("ada", "GET", "/_security/api_key?id=none").status)
      local own = blip:get("/_security/api_key?id=" .. made.id, users.key(made.encoded))
      assert.equal(403, own.status) -- its role does not let it look
    end)

    it("ends when it is invalidated, at once and on every worker", function()
      local made = make("ada", { name = "short" })
      for _ = 1, 8 do assert.equal(200, blip:connect():get("/", users.key(made.encoded)).status) end
      local answer = as("ada", "DELETE", "/_security/api_key", { ids = { made.id } }).json
      assert.same({ made.id }, answer.invalidated_api_keys)
      for _ = 1, 8 do
        local refused = blip:connect():get("/", users.key(made.encoded))
        assert.equal(401, refused.status)
        assert.matches("has been invalidated", refused.json.error.reason)
      end
      answer = as("ada", "DELETE", "/_security/api_key", { ids = { made.id } }).json
      assert.same({ made.id }, answer.previously_invalidated_api_keys)
    end)

    it("expires", function()
      local made = make("ada", { name = "brief", expiration = "1ms" })
      time.sleep_ms(5)
      assert.equal(401, blip:get("/", users.key(made.encoded)).status)
    end)

    it("makes keys that may nothing, and no others", function()
      local made = make("ada", { name = "first" })
      local function derive(descriptors)
        return blip:post("/_security/api_key", { name = "second", role_descriptors = descriptors },
          users.key(made.encoded)).status
      end
      assert.equal(400, derive(nil))
      assert.equal(400, derive { r = { cluster = { "monitor" } } })
      assert.equal(200, derive { r = {} })
    end)

    it("is refused when its description is wrong", function()
      local function refused(reason, body)
        local answer = as("ada", "POST", "/_security/api_key", body)
        assert.equal(400, answer.status)
        assert.matches(reason, answer.json.error.reason, 1, true)
      end
      refused("api key name is required", {})
      refused("unknown field [x]", { name = "a", x = 1 })
      refused("[expiration] with value [soon]", { name = "a", expiration = "soon" })
      local function role(reason, descriptor)
        refused(reason, { name = "a", role_descriptors = { r = descriptor } })
      end
      role("unknown cluster privilege [fly]", { cluster = { "fly" } })
      role("unknown index privilege [fly]", { indices = { { names = { "a" }, privileges = { "fly" } } } })
      role("[query] is not supported", {
        indices = { { names = { "a" }, privileges = { "read" }, query = "{}" } },
      })
      role("regular expressions", { indices = { { names = { "/a/" }, privileges = { "read" } } } })
    end)
  end)

  it("says which privileges the caller has", function()
    local answer = as("rita", "POST", "/_security/user/_has_privileges", {
      cluster = { "monitor", "monitor_ml" },
      index = { { names = { "logs-x", "logs-*", "money" }, privileges = { "read", "write" } } },
    }).json
    assert.same({ monitor = false, monitor_ml = false }, answer.cluster)
    assert.same({
      ["logs-x"] = { read = true, write = false }, ["logs-*"] = { read = true, write = false },
      money = { read = false, write = false },
    }, answer.index)
    assert.is_false(answer.has_all_requested)
    local function has(name, privilege)
      local asked = { cluster = { privilege } }
      return as(name, "POST", "/_security/user/_has_privileges", asked).json.has_all_requested
    end
    assert.is_true(has("ada", "all") and has("ada", "manage_ilm") and has("mona", "monitor_ml"))
    assert.is_false(has("mona", "manage_ml") or has("mona", "manage_ilm"))
  end)
end)

describe("the users file", function()
  local folder

  setup(function() folder = server.folder() end)
  teardown(function() server.remove(folder) end)

  it("is read again at SIGHUP, and a broken one changes nothing", function()
    local path = users.write(folder .. "/users.json", { ada = { "superuser" } })
    local blip = server.start { users = path }
    assert.equal(200, blip:get("/", users.basic "ada").status)
    users.write(path, { ada = { "superuser" }, bob = { "machine_learning_user" } })
    blip:signal "HUP"
    assert.is_truthy(blip:event "server_reloaded")
    local status
    for _ = 1, 100 do
      status = blip:connect():get("/_security/_authenticate", users.basic "bob").status
      if status == 200 then break end
      time.sleep_ms(20)
    end
    assert.equal(200, status)
    users.write(path, { ada = { "no-such-role" } })
    blip:signal "HUP"
    assert.matches("user 'ada': there is no role 'no%-such%-role'", blip:event("reload_failed").reason)
    assert.equal(200, blip:get("/", users.basic "ada").status)
    blip:stop()
  end)
end)

describe("a server without users", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  it("lets everyone do everything, whatever they say who they are", function()
    assert.equal(200, blip:get("/", users.basic "eve").status)
    assert.equal(200, blip:get("/", { Authorization = "nonsense" }).status)
    assert.same({ "superuser" }, blip:get("/_security/_authenticate").json.roles)
  end)

  it("makes no API keys, for they would be nobody's", function()
    local answer = blip:post("/_security/api_key", { name = "a" })
    assert.equal(400, answer.status)
    assert.matches("belongs to a user", answer.json.error.reason)
  end)
end)
