--- Subjects of the users file, and of what was stored about them.
-- @module blip.security.people
local config = require "blip.config"
local json = require "runtime.json"
local roles = require "blip.security.roles"
local secret = require "runtime.secret"
local subject_of = require "blip.security.subject".new

local people = {}

-- Checked for names that are nobody's, so that they take as long as those of users. A password
-- that has this hash would be nobody's as well.
local NOBODY = "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
  .. "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

--- The descriptors of roles by their names; a role that is gone grants nothing.
function people.descriptors(names)
  local own, list = config.get().security.roles, {}
  for _, name in ipairs(names) do list[#list + 1] = roles.BUILT_IN[name] or own[name] end
  return list
end

-- The users file is read anew into a fresh state, so that this table never grows old.
local known = {}

local function make(name, user)
  return subject_of {
    name = name, roles = user.roles or {}, descriptors = people.descriptors(user.roles or {}),
    backend_roles = user.backend_roles or {}, full_name = user.full_name, email = user.email,
    metadata = user.metadata or {},
  }
end

--- The subject of a user.
-- @tparam string name
-- @tparam string password
-- @return the subject; nil when there is none, or not with this password; or nil and a `busy` error
function people.find(name, password)
  local user = config.get().security.users[name]
  local right, err = secret.matches(user and user.password or NOBODY, password)
  if err then return nil, err end
  if not user or not right or user.enabled == false then return nil end
  known[name] = known[name] or make(name, user)
  return known[name]
end

--- What is kept with something that runs on later with its maker's rights: OpenSearch's `user`.
-- @param subject nil for the server itself
-- @treturn ?table nil for the server itself
function people.stored(subject)
  if not subject then return nil end
  return {
    name = subject.name, backend_roles = json.array(subject.backend_roles or {}),
    roles = json.array(subject.roles), custom_attribute_names = json.array {},
    user_requested_tenant = json.null, api_key = subject.api_key,
  }
end

--- The subject of what was kept, with what its roles allow now.
-- @tparam table stored as of @{people.stored}
function people.with_roles(stored)
  return subject_of {
    name = stored.name or "unknown", roles = stored.roles or {}, backend_roles = stored.backend_roles,
    descriptors = people.descriptors(stored.roles or {}),
  }
end

return people
