--- On whose behalf this worker works at the moment.
-- The router says so for the time of a request, a detector's run for the time of a scan. Outside of
-- those, and where there are no users, the server works for itself and may everything.
--     access.run(subject, "indices:data/read/search", handler, request)
--     assert(access.check("indices:data/read/search", "logs"))          -- denied: 403
-- @module blip.security.access
local fail = require "blip.fail"
local privileges = require "blip.security.privileges"

local access = {}

-- What the router said last.
local present = { subject = nil, action = nil }

--- Says on whose behalf and to what end this worker works from now on.
-- @param subject nil for the server itself
-- @tparam ?string action that the subject was let in for
-- @return what was said before, for @{access.restore}
function access.enter(subject, action)
  local before = present
  present = { subject = subject, action = action }
  return before
end

--- Goes back to what was said before.
function access.restore(before)
  present = before
end

local function finish(before, ok, ...)
  access.restore(before)
  if not ok then error((...), 0) end
  return ...
end

--- Calls a function on behalf of a subject, as between enter and restore.
-- @return what the function returns; raises what it raises
function access.run(subject, action, func, ...)
  return finish(access.enter(subject, action), pcall(func, ...))
end

--- Who is asking; nil for the server itself.
function access.subject()
  return present.subject
end

--- The action on indices that the present request is about; nil when it is about none, as when
-- the server looks after its own indices for somebody.
function access.index_action()
  local action = present.subject and present.action
  return action and action:find "^indices:" and action or nil
end

local function who(subject)
  local text = subject.api_key and ("API key id [%s] of user [%s]"):format(subject.api_key.id, subject.name)
    or ("user [%s]"):format(subject.name)
  return #subject.roles == 0 and text
    or ("%s with effective roles [%s]"):format(text, table.concat(subject.roles, ","))
end

--- As @{access.denied}, in the words of OpenSearch's plugin, which its clients look for.
function access.denied_by_plugin(subject, action)
  return fail.denied("no permissions for [%s] and User [name=%s, backend_roles=[%s], requestedTenant=null]",
    action, subject.name, table.concat(subject.backend_roles or {}, ", "))
end

--- The error of what a subject may not.
-- @param subject
-- @tparam string action
-- @tparam[opt] {string,...} indices on which
function access.denied(subject, action, indices)
  if action:find "^cluster:admin/opendistro/" then return access.denied_by_plugin(subject, action) end
  local kind = action:find "^cluster:" and "cluster" or "index"
  local on = indices and #indices > 0 and (" on indices [%s]"):format(table.concat(indices, ",")) or ""
  return fail.denied("action [%s] is unauthorized for %s%s, this action is granted by the %s privileges [%s]",
    action, who(subject), on, kind, table.concat(privileges.granting(kind, action), ","))
end

--- May the present subject do something, to an index when the action is about one?
function access.may(action, index)
  local subject = present.subject
  if not subject then return true end
  if index then return subject:may_index(action, index) end
  return subject:may_cluster(action)
end

--- As @{access.may}, with the error.
-- @return true, or nil and a `denied` error
function access.check(action, index)
  if access.may(action, index) then return true end
  return access.denied(present.subject, action, index and { index })
end

return access
