--- `blip user`: adds users to the users file, takes them out, and hashes passwords.
-- @module blip.cli.user
local args = require "blip.cli.args"
local fail = require "blip.fail"
local secret = require "runtime.secret"
local terminal = require "runtime.terminal"
local users = require "blip.security.users"

local user = {}

local USAGE = [[
usage: blip user add NAME [--roles ROLES] [--file FILE]
       blip user remove NAME [--file FILE]
       blip user list [--file FILE]
       blip user hash

Keeps the users file, which 'blip serve --users FILE' reads at its start and at SIGHUP. The
password is asked for, or is the first line of the standard input; what is kept is its hash
(Argon2id). 'add' changes a user who is there already; without --roles the roles stay.

  --roles ROLES    names with commas between: superuser, machine_learning_admin,
                   machine_learning_user, anomaly_full_access, anomaly_read_access, and those
                   that the file itself describes under "roles"
  --file FILE      the users file (users.json)

exit codes: 0 done, 1 not done, 2 the command line is wrong
]]

local OPTIONS = { roles = { kind = "text" }, file = { kind = "text" }, help = { kind = "flag" } }

-- Asks on a terminal without showing what is typed.
local function ask(question)
  io.stderr:write(question)
  os.execute "stty -echo"
  local line = io.read "l"
  os.execute "stty echo"
  io.stderr:write "\n"
  return line
end

local function read_password()
  if not terminal.is_terminal "stdin" then return io.read "l" end
  local first = ask "password: "
  if first ~= ask "again: " then return fail.invalid "the two passwords differ" end
  return first
end

local function hashed_password()
  local password, err = read_password()
  if err then return nil, err end
  if not password or password == "" then return fail.invalid "a password must not be empty" end
  return secret.hash(password)
end

local function split(text)
  local list = {}
  for part in text:gmatch "[^,%s]+" do list[#list + 1] = part end
  return list
end

-- The file's contents, empty when there is no file yet.
local function load(path)
  local content, err = users.load(path)
  if content or err.kind ~= "not_found" then return content, err end
  return { users = {}, roles = {} }
end

-- Writes the file unless a server would refuse it.
local function save(path, content)
  local ok, err = users.check(content)
  if not ok then return nil, err end
  return users.save(path, content)
end

local commands = {}

function commands.add(path, name, options)
  local content, err = load(path)
  if not content then return nil, err end
  local given = content.users[name] or { roles = {} }
  if options.roles then given.roles = split(options.roles) end
  given.password, err = hashed_password()
  if not given.password then return nil, err end
  content.users[name] = given
  return save(path, content)
end

function commands.remove(path, name)
  local content, err = users.load(path)
  if not content then return nil, err end
  if not content.users[name] then return fail.not_found("%s has no user '%s'", path, name) end
  content.users[name] = nil
  return save(path, content)
end

function commands.list(path)
  local content, err = users.load(path)
  if not content then return nil, err end
  local names = {}
  for name in pairs(content.users) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    print(("%s: %s"):format(name, table.concat(content.users[name].roles or {}, ", ")))
  end
  return true
end

function commands.hash()
  local hash, err = hashed_password()
  if not hash then return nil, err end
  print(hash)
  return true
end

--- How many words follow each command.
local NAMES = { add = 1, remove = 1, list = 0, hash = 0 }

local function wrong(reason)
  io.stderr:write(("blip user: %s\n"):format(reason), USAGE)
  return 2
end

--- Runs the command.
-- @tparam table argv words behind `blip user`
-- @treturn integer the exit code
function user.main(argv)
  local options, words = args.read(argv, OPTIONS)
  if not options then return wrong(words.reason) end
  if options.help then
    io.stdout:write(USAGE)
    return 0
  end
  local command = table.remove(words, 1)
  if not NAMES[command] then return wrong(("there is no command '%s'"):format(command or "")) end
  if #words ~= NAMES[command] then return wrong(("'%s' takes %d names"):format(command, NAMES[command])) end
  local ok, err = commands[command](options.file or "users.json", words[1], options)
  if ok then return 0 end
  io.stderr:write(("blip user: %s\n"):format(err.reason))
  return 1
end

return user
