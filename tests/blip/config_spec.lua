local config = require "blip.config"

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
