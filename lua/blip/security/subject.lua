--- Who asks, and what they may: a name, the roles that it holds, and questions about them.
-- @module blip.security.subject
local privileges = require "blip.security.privileges"
local roles = require "blip.security.roles"

local Subject = { __name = "blip.subject" }
Subject.__index = Subject

local subject = {}

-- The groups of index privileges, with their names as Lua patterns.
local function read_groups(descriptors)
  local groups = {}
  for _, descriptor in ipairs(descriptors) do
    for _, given in ipairs(descriptor.indices) do
      local patterns = {}
      for i, name in ipairs(given.names) do patterns[i] = privileges.pattern(name) end
      groups[#groups + 1] = {
        patterns = patterns, privileges = given.privileges, restricted = given.allow_restricted_indices,
      }
    end
  end
  return groups
end

--- Makes a subject.
-- @tparam table fields `name`, `roles` (names), `descriptors` (one per role); by choice `api_key`
-- (`{ id =, name = }`), `limit` (a subject that must be allowed the same), and what is shown of
-- the user: `full_name`, `email`, `metadata`, `backend_roles`
function subject.new(fields)
  local self = {}
  for key, value in pairs(fields) do self[key] = value end
  self.groups = read_groups(fields.descriptors)
  self.known_cluster, self.known_groups = {}, {} -- action -> what was found out
  return setmetatable(self, Subject)
end

local function grants_cluster(self, action)
  for _, descriptor in ipairs(self.descriptors) do
    for _, privilege in ipairs(descriptor.cluster) do
      if privileges.grants("cluster", privilege, action) then return true end
    end
  end
  return false
end

--- May it do something to the server as a whole?
-- @tparam string action "cluster:..."
function Subject:may_cluster(action)
  if privileges.is_free(action) then return true end
  if self.known_cluster[action] == nil then self.known_cluster[action] = grants_cluster(self, action) end
  return self.known_cluster[action] and (not self.limit or self.limit:may_cluster(action))
end

-- The groups that grant an action on what they cover.
local function groups_of(self, action)
  local known = self.known_groups[action]
  if known then return known end
  known = {}
  for _, group in ipairs(self.groups) do
    for _, privilege in ipairs(group.privileges) do
      if privileges.grants("index", privilege, action) then
        known[#known + 1] = group
        break
      end
    end
  end
  self.known_groups[action] = known
  return known
end

local function covers(group, index, restricted)
  if restricted and not group.restricted then return false end
  for _, pattern in ipairs(group.patterns) do
    if index:find(pattern) then return true end
  end
  return false
end

--- May it do something to an index or an alias?
-- @tparam string action "indices:..."
-- @tparam string index a name, not a pattern
function Subject:may_index(action, index)
  local restricted, granted = roles.is_restricted(index), false
  for _, group in ipairs(groups_of(self, action)) do
    granted = granted or covers(group, index, restricted)
  end
  return granted and (not self.limit or self.limit:may_index(action, index))
end

--- Does it hold everything that a privilege on the server grants?
function Subject:has_cluster(privilege)
  local held = {}
  for _, descriptor in ipairs(self.descriptors) do
    table.move(descriptor.cluster, 1, #descriptor.cluster, #held + 1, held)
  end
  return privileges.imply("cluster", held, privilege)
    and (not self.limit or self.limit:has_cluster(privilege))
end

--- Does it hold everything that a privilege on indices grants, for all that a name or a pattern means?
-- @tparam string privilege
-- @tparam string name
-- @tparam boolean restricted also for the restricted ones
function Subject:has_index(privilege, name, restricted)
  local held = {}
  restricted = restricted or roles.is_restricted(name)
  for _, group in ipairs(self.groups) do
    if covers(group, (name:gsub("%*", "**")), restricted) then
      table.move(group.privileges, 1, #group.privileges, #held + 1, held)
    end
  end
  return privileges.imply("index", held, privilege)
    and (not self.limit or self.limit:has_index(privilege, name, restricted))
end

--- Is there any index at all on which it may?
function Subject:may_somewhere(action)
  return #groups_of(self, action) > 0 and (not self.limit or self.limit:may_somewhere(action))
end

return subject
