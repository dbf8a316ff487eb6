--- The users file: who there is, with which password and roles, and what those roles allow.
-- One JSON file, because `blip user` writes it too:
--     {
--       "users": {
--         "ada": { "password": "$argon2id$...", "roles": ["superuser"] },
--         "ops": { "password": "$argon2id$...", "roles": ["machine_learning_user", "logs"],
--                  "backend_roles": ["on-call"], "full_name": "On call", "enabled": true }
--       },
--       "roles": {
--         "logs": { "indices": [ { "names": ["logs-*"], "privileges": ["read"] } ] }
--       }
--     }
-- It is read with the configuration, at the start and at SIGHUP: a file with a mistake in it leaves
-- everything as it was.
-- @module blip.security.users
local fail = require "blip.fail"
local json = require "runtime.json"
local roles = require "blip.security.roles"
local secret = require "runtime.secret"

local users = {}

local function read_all(path)
  local file, problem = io.open(path, "rb")
  if not file then return fail.not_found("users: %s", problem) end
  local text = file:read "a"
  file:close()
  if not text then return fail.failed("users: %s cannot be read", path) end
  return text
end

--- The file's contents, as they stand there.
-- @return a table with `users` and `roles`, or nil and an error; `not_found` when there is no file
function users.load(path)
  local text, err = read_all(path)
  if not text then return nil, err end
  local content, problem = json.decode(text)
  if problem then return fail.invalid("users: %s: %s", path, problem.reason) end
  if not json.is_object(content) then return fail.invalid("users: %s holds no object", path) end
  content = json.plain(content)
  for key, value in pairs(content) do
    if key ~= "users" and key ~= "roles" then
      return fail.invalid("users: %s: unknown field '%s'", path, key)
    end
    if type(value) ~= "table" then return fail.invalid("users: %s: '%s' must be an object", path, key) end
  end
  return { users = content.users or {}, roles = content.roles or {} }
end

local function check_roles(given)
  local checked = {}
  for name, descriptor in pairs(given) do
    if roles.BUILT_IN[name] then return fail.invalid("role '%s' is built in", name) end
    local role, err = roles.check(descriptor, ("role '%s'"):format(name))
    if not role then return nil, err end
    checked[name] = role
  end
  return checked
end

local USER = {
  password = "string", roles = "table", backend_roles = "table", full_name = "string", email = "string",
  metadata = "table", enabled = "boolean",
}

local function check_list(name, field, value)
  for _, text in ipairs(value) do
    if type(text) ~= "string" then return fail.invalid("user '%s': %s holds no text", name, field) end
  end
  return true
end

local function check_fields(name, user)
  if type(user) ~= "table" then return fail.invalid("user '%s' is no object", name) end
  for field, value in pairs(user) do
    if not USER[field] then return fail.invalid("user '%s': unknown field '%s'", name, field) end
    if type(value) ~= USER[field] then
      return fail.invalid("user '%s': '%s' must be a %s", name, field, USER[field])
    end
  end
  local ok, err = check_list(name, "roles", user.roles or {})
  if ok then ok, err = check_list(name, "backend_roles", user.backend_roles or {}) end
  return ok, err
end

local function check_user(name, user, known)
  local ok, err = check_fields(name, user)
  if not ok then return nil, err end
  if name == "" or name:find "[:%c]" then
    return fail.invalid("user '%s': a name has no colon and no control character", name)
  elseif not secret.is_hash(user.password or "") then
    return fail.invalid("user '%s': the password is no hash, see blip user --help", name)
  end
  for _, role in ipairs(user.roles or {}) do
    if not known[role] and not roles.BUILT_IN[role] then
      return fail.invalid("user '%s': there is no role '%s'", name, role)
    end
  end
  return true
end

--- Checks a file's contents.
-- @tparam table content as @{users.load} returns it
-- @return `{ users =, roles = }`, roles with checked descriptors; or nil and an `invalid` error
function users.check(content)
  local known, err = check_roles(content.roles)
  if not known then return nil, err end
  for name, user in pairs(content.users) do
    local ok
    ok, err = check_user(name, user, known)
    if not ok then return nil, err end
  end
  return { users = content.users, roles = known }
end

--- Reads and checks the file.
-- @return as @{users.check}, with at least one user; or nil and an error
function users.read(path)
  local content, err = users.load(path)
  local checked
  if content then checked, err = users.check(content) end
  if not checked then
    if err.kind == "invalid" and not err.reason:find "^users: " then
      return fail.invalid("users: %s: %s", path, err.reason)
    end
    return nil, err
  end
  if not next(checked.users) then return fail.invalid("users: %s names no user", path) end
  return checked
end

local ORDER = { "password", "roles", "backend_roles", "full_name", "email", "metadata", "enabled" }

--- Writes the file, whole or not at all; its owner alone may read it.
-- @return true, or nil and an error
function users.save(path, content)
  local shown = {}
  for name, user in pairs(content.users) do shown[name] = json.ordered(user, ORDER) end
  local text = json.encode(json.ordered({
    users = json.object(shown), roles = json.object(content.roles),
  }, { "users", "roles" }), { pretty = true })
  return secret.save(path, text .. "\n")
end

return users
