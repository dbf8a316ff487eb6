local json = require "runtime.json"
local program = require "support.program"
local secret = require "runtime.secret"
local server = require "support.server"

describe("blip user", function()
  local folder, path

  before_each(function()
    folder = server.folder()
    path = folder .. "/users.json"
  end)
  after_each(function() server.remove(folder) end)

  local function run(password, words)
    return program.run(("user %s --file %s"):format(words, path), ("printf '%s\\n' |"):format(password))
  end

  local function content()
    local file = assert(io.open(path))
    local text = file:read "a"
    file:close()
    return assert(json.decode(text))
  end

  it("adds a user with the hash of a password, to a file that its owner alone may read", function()
    assert.equal(0, (run("open sesame", "add ali --roles superuser,machine_learning_user")))
    local ali = content().users.ali
    assert.same({ "superuser", "machine_learning_user" }, { table.unpack(ali.roles) })
    assert.is_true(secret.matches(ali.password, "open sesame"))
    local pipe = io.popen("stat -c %a " .. path)
    assert.equal("600", pipe:read "l")
    pipe:close()
  end)

  it("changes a password and keeps the roles", function()
    run("one", "add ali --roles superuser")
    assert.equal(0, (run("two", "add ali")))
    assert.same({ "superuser" }, { table.unpack(content().users.ali.roles) })
    assert.is_true(secret.matches(content().users.ali.password, "two"))
  end)

  it("lists users and takes them out", function()
    run("one", "add ali --roles superuser")
    run("one", "add bea --roles anomaly_read_access")
    assert.equal("ali: superuser\nbea: anomaly_read_access\n", select(2, run("", "list")))
    assert.equal(0, (run("", "remove ali")))
    assert.equal("bea: anomaly_read_access\n", select(2, run("", "list")))
    local code, _, complaint = run("", "remove ali")
    assert.equal(1, code)
    assert.matches("has no user 'ali'", complaint)
  end)

  it("prints a hash for a file of one's own making", function()
    local _, hash = program.run("user hash", "printf 'open sesame\\n' |")
    assert.is_true(secret.matches(hash:gsub("%s+$", ""), "open sesame"))
  end)

  it("refuses what a server would refuse", function()
    local function refuses(password, words, reason)
      local code, _, complaint = run(password, words)
      assert.equal(1, code)
      assert.matches(reason, complaint, 1, true)
    end
    refuses("", "add ali", "a password must not be empty")
    refuses("x", "add ali --roles king", "there is no role 'king'")
    refuses("x", "add a:b", "a name has no colon")
    assert.is_nil(io.open(path))
  end)

  it("tells a wrong command line", function()
    local code, _, complaint = program.run "user fly"
    assert.equal(2, code)
    assert.matches("there is no command 'fly'", complaint)
    assert.equal(2, (program.run "user add"))
    assert.equal(0, (program.run "user --help"))
  end)
end)
