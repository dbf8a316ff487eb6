local config = require "blip.config"
local secret = require "runtime.secret"

describe("config", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function file(text)
    local handle = assert(io.open(path, "w"))
    handle:write(text)
    handle:close()
  end

  it("has defaults for everything", function()
    local settings = config.read {}
    assert.equal("127.0.0.1", settings.host)
    assert.equal("9200", settings.port)
    assert.is_true(settings.threads >= 2)
    assert.equal(100 << 20, settings.limits.body)
  end)

  it("takes flags over the file over defaults", function()
    file 'return { data = "from-file", queue = 7, limits = { body = "1mb" } }'
    local settings = config.read { "--config", path, "--data=from-flag", "--listen", "[::1]:0" }
    assert.equal("from-flag", settings.data)
    assert.equal(7, settings.queue)
    assert.equal(1 << 20, settings.limits.body)
    assert.equal(16 << 10, settings.limits.headers)
    assert.equal("::1", settings.host)
  end)

  it("lets the file see the environment and nothing else", function()
    file 'return { data = env "HOME" }'
    assert.equal(os.getenv("HOME"), config.read({ "--config", path }).data)
    file "os.exit(3)"
    local _, err = config.read { "--config", path }
    assert.matches("global 'os'", err.reason)
  end)

  it("refuses to be open to other machines without users, unless that is said", function()
    for _, listen in ipairs { "127.0.0.1:0", "127.1.2.3:0", "localhost:0", "[::1]:0" } do
      assert.is_truthy(config.read { "--listen", listen })
    end
    for _, listen in ipairs { "0.0.0.0:0", "[::]:0", ":9200", "10.0.0.1:0", "127.0.0.1.example.org:0" } do
      local settings, err = config.read { "--listen", listen }
      assert.is_nil(settings)
      assert.matches("open to other machines", err.reason)
      assert.is_truthy(config.read { "--insecure", "--listen", listen })
    end
  end)

  it("reads the users file, and says what is wrong with it", function()
    local hash = secret.hash "x"
    local function refuses(text, reason)
      file(text)
      local settings, err = config.read { "--users", path, "--listen", "0.0.0.0:0" }
      assert.is_nil(settings)
      assert.matches(reason, err.reason, 1, true)
    end
    file(('{"users":{"ada":{"password":"%s","roles":["superuser"]}}}'):format(hash))
    local settings = assert(config.read { "--users", path, "--listen", "0.0.0.0:0" })
    assert.same({ "superuser" }, { table.unpack(settings.security.users.ada.roles) })
    refuses("{", "users: " .. path)
    refuses("[]", "holds no object")
    refuses('{"user":{}}', "unknown field 'user'")
    refuses('{"users":{}}', "names no user")
    refuses('{"users":{"ada":{"password":"plain"}}}', "user 'ada': the password is no hash")
    refuses(('{"users":{"ada":{"password":"%s","roles":["x"]}}}'):format(hash), "there is no role 'x'")
    refuses(('{"users":{"ada":{"password":"%s","role":"x"}}}'):format(hash), "unknown field 'role'")
    refuses('{"users":{},"roles":{"superuser":{}}}', "role 'superuser' is built in")
    refuses('{"users":{},"roles":{"r":{"cluster":["x"]}}}', "unknown cluster privilege [x]")
    refuses('{"users":{},"roles":{"r":{"indices":[{"names":["a"],"privileges":["x"]}]}}}',
      "unknown index privilege [x]")
    assert.matches("No such file", select(2, config.read { "--users", path .. ".none" }).reason)
  end)

  it("names what is wrong", function()
    local function refuses(args, reason)
      local settings, err = config.read(args)
      assert.is_nil(settings)
      assert.matches(reason, err.reason, 1, true)
    end
    refuses({ "--bogus" }, "unknown flag '--bogus'")
    refuses({ "--data" }, "flag '--data' needs a value")
    refuses({ "--listen", "here" }, "'listen' must be HOST:PORT, got 'here'")
    refuses({ "--listen", "x:70000" }, "'listen' must be HOST:PORT")
    file "return { limits = { bodies = 1 } }"
    refuses({ "--config", path }, "unknown field 'limits.bodies'")
    file "return {"
    refuses({ "--config", path }, ":1:")
    file "return 1"
    refuses({ "--config", path }, "returns a number, not a table")
  end)
end)
