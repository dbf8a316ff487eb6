--- Whose detectors a caller sees when the setting `filter_by_backend_roles` is on: those whose makers
-- share a backend role with it (opensearch-ad.md 9.3).
-- @module blip.api.opensearch.owners
local access = require "blip.security.access"
local json = require "runtime.json"
local refuse = require "blip.api.opensearch.refuse"
local settings = require "blip.api.opensearch.settings"
local stored = require "blip.api.opensearch.stored"

-- Roles whose holders see everything.
local EXEMPT = { all_access = true, superuser = true }

local owners = {}

local function is_exempt(subject)
  for _, role in ipairs(subject and subject.roles or {}) do
    if EXEMPT[role] then
      return true
    end
  end
  return subject == nil
end

local function is_on()
  return settings.get "filter_by_backend_roles"
end

--- Refuses to make a detector that nobody could be told apart by.
function owners.check_maker()
  if not is_on() then
    return
  end
  local subject = access.subject()
  if not subject then
    refuse.status(500, "Filter by backend roles is enabled and User is null")
  elseif #(subject.backend_roles or {}) == 0 then
    refuse.status(
      500,
      "Filter by backend roles is enabled and User %s does not have backend roles configured",
      subject.name
    )
  end
end

local function share_a_role(subject, user)
  local held = {}
  for _, role in ipairs(subject.backend_roles or {}) do
    held[role] = true
  end
  for _, role in ipairs(type(user) == "table" and user.backend_roles or {}) do
    if held[role] then
      return true
    end
  end
  return false
end

--- Refuses a detector of somebody else; one that does not exist is the caller's to find out.
function owners.check(id)
  local subject = access.subject()
  if not is_on() or is_exempt(subject) then
    return
  end
  local found = stored.any() and stored.find(id)
  if found and not share_a_role(subject, found._source.user) then
    refuse.status(403, "User does not have permissions to access config: %s", id)
  end
end

--- The body of a search, limited to what belongs to detectors that the caller may see.
-- @tparam table body is not changed
-- @treturn table
function owners.limit(body)
  local subject = access.subject()
  if not is_on() or is_exempt(subject) or not json.is_object(body) then
    return body
  end
  local limited = {}
  for name, value in pairs(body) do
    limited[name] = value
  end
  local roles = { terms = { ["user.backend_roles.keyword"] = json.array(subject.backend_roles or {}) } }
  limited.query = json.object {
    bool = {
      filter = json.array { { nested = { path = "user", query = roles } } },
      must = json.array { body.query or { match_all = json.object {} } },
    },
  }
  return limited
end

return owners
