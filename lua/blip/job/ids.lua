--- Ids of jobs and of what belongs to them, and expressions that name several (elastic-ml.md 1.8, 1.9).
-- @module blip.job.ids
local refuse = require "blip.job.refuse"

local MAX_LENGTH = 64
local RULE = "can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; "
  .. "must start and end with alphanumeric"

local ids = { ALL = "_all" }

--- Whether a text has the form of an id; its length is not looked at.
function ids.is_valid(text)
  return text:find "^[a-z0-9]$" ~= nil or text:find "^[a-z0-9][a-z0-9_.-]*[a-z0-9]$" ~= nil
end

--- Checks an id.
-- @tparam string kind `job_id`, `datafeed_id`, `calendar_id`, `filter_id` or `results_index_name`
-- @tparam string id
-- @return the id; raises the dialect's error
function ids.check(kind, id)
  if not ids.is_valid(id) then
    refuse.argument("Invalid %s; '%s' %s", kind, id, RULE)
  elseif #id > MAX_LENGTH then
    refuse.argument("Invalid %s; '%s' cannot contain more than %d characters.", kind, id, MAX_LENGTH)
  end
  return id
end

--- Checks the name of a group of jobs.
function ids.check_group(name)
  if not ids.is_valid(name) then
    refuse.argument("Invalid group id '%s'; must be non-empty string and may contain lowercase alphanumeric "
      .. "(a-z and 0-9), hyphens or underscores; must start and end with alphanumeric", name)
  end
end

--- Refuses a body that names another id than its URL.
-- @tparam string kind as @{check} takes it
-- @tparam ?string body
-- @tparam string url
function ids.check_same(kind, body, url)
  if body and body ~= url then
    refuse.argument("Inconsistent %s; '%s' specified in the body differs from '%s' "
      .. "specified as a URL argument", kind, body, url)
  end
end

local function is_pattern(token)
  return token:find("*", 1, true) ~= nil
end

-- A Lua pattern for a token with asterisks.
local function pattern(token)
  return "^" .. token:gsub("[^%w*]", "%%%0"):gsub("%*", ".*") .. "$"
end

local function tokens_of(expression)
  local list = {}
  for token in (expression or ""):gmatch "[^,]+" do list[#list + 1] = token end
  if #list == 0 or (#list == 1 and list[1] == ids.ALL) then list = { "*" } end
  return list
end

-- The members that a token stands for, by position in the list.
local function matches(token, members)
  local found, wanted = {}, is_pattern(token) and pattern(token)
  for i, member in ipairs(members) do
    for _, name in ipairs(member.names) do
      if wanted and name:find(wanted) or name == token then
        found[#found + 1] = i
        break
      end
    end
  end
  return found
end

--- The members that an expression names: ids, groups and patterns with `*` by commas; `_all`, empty
-- and nil are everything.
-- @tparam ?string expression
-- @tparam {table,...} members each with `names`: its id and the groups that it is in
-- @tparam[opt=true] boolean allow_no_match whether a pattern may match nothing
-- @treturn {table,...} members in their own order, each once
-- @treturn {string,...} the tokens that matched nothing and should have
function ids.expand(expression, members, allow_no_match)
  local chosen, unmatched = {}, {}
  for _, token in ipairs(tokens_of(expression)) do
    local found = matches(token, members)
    if #found == 0 and (not is_pattern(token) or allow_no_match == false) then
      unmatched[#unmatched + 1] = token == "*" and (expression or ids.ALL) or token
    end
    for _, i in ipairs(found) do chosen[i] = true end
  end
  local list = {}
  for i, member in ipairs(members) do
    if chosen[i] then list[#list + 1] = member end
  end
  return list, unmatched
end

return ids
