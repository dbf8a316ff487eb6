--- A users file for specs: everyone has the same password, which is hashed once.
--     local path = users.write(folder .. "/users.json", { ada = { "superuser" } }, { logs = { ... } })
--     blip:get("/", users.basic "ada")
-- @module support.users
local json = require "runtime.json"
local secret = require "runtime.secret"

local users = {}

local PASSWORD = "open sesame"
local hash

--- Writes a users file.
-- @tparam string path
-- @tparam table list name to its roles, by choice with `backend_roles` beside them
-- @tparam[opt] table roles name to descriptor
-- @treturn string the path
function users.write(path, list, roles)
  local people = {}
  hash = hash or assert(secret.hash(PASSWORD))
  for name, held in pairs(list) do
    local roles_of = json.array(table.move(held, 1, #held, 1, {}))
    people[name] = { password = hash, roles = roles_of, backend_roles = held.backend_roles }
  end
  assert(secret.save(path, json.encode { users = people, roles = json.object(roles or {}) }))
  return path
end

--- The headers of a user.
function users.basic(name, password)
  return { Authorization = "Basic " .. secret.encode64(name .. ":" .. (password or PASSWORD)) }
end

--- The headers of an API key.
-- @tparam string encoded of the answer that made it
function users.key(encoded)
  return { Authorization = "ApiKey " .. encoded }
end

return users
