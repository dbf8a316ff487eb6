--- With whose rights detectors and datafeeds read.
-- They run on when their maker has left, so that who made or changed them last is kept with them:
-- its name and the names of its roles. What those roles allow is looked up whenever they read, so
-- that a changed role counts at once; a user who gets other roles changes nothing. What an API key
-- made reads as long as the key may be used. What was made where there are no users, and the
-- scripts, which belong to the server, may read everything.
-- @module blip.source.rights
local access = require "blip.security.access"
local config = require "blip.config"
local fail = require "blip.fail"
local keys = require "blip.index.keys"
local names = require "blip.index.names"
local people = require "blip.security.people"

local rights = {}

--- The action of reading a source.
rights.READ = "indices:data/read/search"

--- What is to be kept with something that is made on the present caller's behalf.
-- @treturn ?table OpenSearch's `user`: `name`, `roles`, `backend_roles`, `custom_attribute_names`, by
-- choice `api_key` (`{ id =, name = }`); nil for the server itself
function rights.present()
  return people.stored(access.subject())
end

--- The subject of what was kept.
-- @tparam ?table stored as of @{rights.present}
-- @return a subject, nil for the server itself; or nil and a `denied` error when a key is gone
function rights.of(stored)
  if type(stored) ~= "table" or not config.get().security then return nil end
  if not stored.api_key then return people.with_roles(stored) end
  local subject = keys.usable(stored.api_key.id)
  if subject then return subject end
  return fail.denied("the API key [%s] [%s] cannot be used any more", stored.api_key.id, stored.api_key.name)
end

--- Calls a function on behalf of who was kept: a query may look terms up in other indices.
-- @tparam ?table stored as of @{rights.present}; nil changes nothing
-- @tparam function func
-- @return what the function returns; or nil and a `denied` error when a key is gone
function rights.as(stored, func, ...)
  local subject, err = rights.of(stored)
  if err then return nil, err end
  if not subject then return func(...) end
  return access.run(subject, nil, func, ...)
end

-- A pattern must lie within those of the roles: what it will match one day is not known yet.
local function may_read(subject, name)
  if name:find("*", 1, true) then return subject:has_index(rights.READ, name) end
  return names.permit(name, rights.READ) ~= nil
end

--- May the present caller read everything that some names and patterns mean, now and later?
-- @tparam {string,...} indices
-- @return true, or nil and a `denied` error
function rights.check(indices)
  local subject = access.subject()
  for _, name in ipairs(subject and indices or {}) do
    if not may_read(subject, name) then return access.denied(subject, rights.READ, { name }) end
  end
  return true
end

return rights
