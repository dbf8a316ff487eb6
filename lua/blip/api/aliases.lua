--- Routes for aliases: other names of indices.
-- @module blip.api.aliases
local access = require "blip.security.access"
local catalog = require "blip.index.catalog"
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local json = require "runtime.json"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"

local routes = {}

local PARAMETERS = {
  "ignore_unavailable", "allow_no_indices", "expand_wildcards", "timeout", "master_timeout",
  "cluster_manager_timeout", "local",
}
local ACKNOWLEDGED = { acknowledged = true }

local function expand(expression, request)
  return assert(names.expand(expression or "_all", {
    ignore_unavailable = request:flag "ignore_unavailable",
    allow_no_indices = request:flag("allow_no_indices", true),
    expand_wildcards = request.query.expand_wildcards or "all", no_aliases = false,
  }))
end

local function list_of(value)
  if type(value) == "string" then
    local parts = {}
    for part in value:gmatch "[^,]+" do parts[#parts + 1] = part end
    return parts
  end
  return value or {}
end

-- --- changing -------------------------------------------------------------------------------

local function invalid_alias(alias, why, entry)
  return assert(fail.es {
    status = 400, type = "invalid_alias_name_exception",
    reason = ("Invalid alias name [%s], %s"):format(alias, why),
    index = alias, index_uuid = entry and entry.uuid or "_na_",
  })
end

--- The action of giving and taking names, which the caller must be allowed for both of them.
local CHANGE = "indices:admin/aliases"

local function check_alias(alias, doomed)
  assert(access.check(CHANGE, alias))
  local existing = catalog.find(alias)
  if existing and not doomed[alias] then
    invalid_alias(alias, "an index exists with the same name as the alias", existing)
  end
  local ok, err = names.check(alias:lower())
  if not ok then invalid_alias(alias, err.reason:match "%], (.*)$") end
end

--- What an alias may carry. Routing means nothing where an index is one piece, and is only shown.
local OPTIONS = {
  is_write_index = true, is_hidden = true, index_routing = true, search_routing = true,
}

--- What an action says beside the alias's own options.
local ACTION_KEYS = { index = true, indices = true, alias = true, aliases = true, must_exist = true }

local function read_options(given)
  local options = {}
  for key, value in pairs(given) do
    if OPTIONS[key] then
      options[key] = value
    elseif key == "routing" then
      options.index_routing = given.index_routing or value
      options.search_routing = given.search_routing or value
    elseif key == "filter" then
      assert(dsl.query(value))
      options.filter = value
    elseif not ACTION_KEYS[key] then
      assert(fail.es { status = 400, type = "x_content_parse_exception",
                       reason = ("unknown field [%s]"):format(key) })
    end
  end
  return options
end

--- The changed aliases of indices, by name of the index; written at the end.
local function aliases_of(changes, index)
  if not changes[index] then
    local copy = {}
    for alias, options in pairs(catalog.find(index).aliases) do copy[alias] = json.object(options) end
    changes[index] = copy
  end
  return changes[index]
end

local function add(changes, doomed, indices, aliases, options)
  for _, alias in ipairs(aliases) do
    check_alias(alias, doomed)
    for _, index in ipairs(indices) do aliases_of(changes, index)[alias] = json.object(options) end
  end
end

local function missing_aliases(aliases)
  local text = table.concat(aliases, ",")
  return assert(fail.es {
    status = 404, type = "aliases_not_found_exception", reason = ("aliases [%s] missing"):format(text),
    ["resource.id"] = text, ["resource.type"] = "aliases",
  })
end

local function remove(changes, indices, aliases)
  local found = false
  for _, index in ipairs(indices) do
    local own = aliases_of(changes, index)
    for _, wanted in ipairs(aliases) do
      local pattern = names.pattern(wanted == "_all" and "*" or wanted)
      for alias in pairs(own) do
        if alias:find(pattern) and access.may(CHANGE, alias) then
          own[alias] = nil
          found = true
        end
      end
    end
  end
  if not found then missing_aliases(aliases) end
end

local function save(changes)
  for index, aliases in pairs(changes) do assert(catalog.change(index, { aliases = aliases })) end
  return reply.ok(ACKNOWLEDGED)
end

local function put_alias(request)
  request:allow(PARAMETERS)
  local options = request:json { optional = true } or {}
  local indices = options.index or request.params.index
  local alias = options.alias or request.params.name
  if not alias then
    return fail.es { status = 400, type = "action_request_validation_exception",
                     reason = "Validation Failed: 1: [alias] may not be empty string;" }
  end
  local changes = {}
  add(changes, {}, expand(indices, request), { alias }, read_options(options))
  return save(changes)
end

--- Gives indices another name.
for _, word in ipairs { "_alias", "_aliases" } do
  for _, method in ipairs { "PUT", "POST" } do
    routes[("%s /{index}/%s/{name}"):format(method, word)] = needs(CHANGE, put_alias)
    routes[("%s /%s/{name}"):format(method, word)] = needs(CHANGE, put_alias)
  end
  routes[("PUT /{index}/%s"):format(word)] = needs(CHANGE, put_alias)
  --- Takes names away.
  routes[("DELETE /{index}/%s/{name}"):format(word)] = needs(CHANGE, function(request)
    request:allow(PARAMETERS)
    local changes = {}
    remove(changes, expand(request.params.index, request), list_of(request.params.name))
    return save(changes)
  end)
end
routes["PUT /_alias"] = needs(CHANGE, put_alias)

local ACTIONS = { add = true, remove = true, remove_index = true }

local function unknown_action(name)
  local inner = {
    type = "x_content_parse_exception", reason = ("[1:15] [alias_action] unknown field [%s]"):format(name),
  }
  return assert(fail.es { status = 400, type = inner.type,
                          reason = "[1:22] [aliases] failed to parse field [actions]",
                          root_cause = { inner }, caused_by = inner })
end

local function run_action(changes, doomed, name, given, request)
  if not ACTIONS[name] then unknown_action(name) end
  local indices = expand(given.indices or given.index, request)
  local aliases = list_of(given.aliases or given.alias)
  if name == "remove_index" then
    for _, index in ipairs(indices) do
      assert(access.check("indices:admin/delete", index))
      doomed[index] = true
    end
  elseif #aliases == 0 then
    assert(fail.invalid "One of [alias] or [aliases] is required")
  elseif name == "add" then
    add(changes, doomed, indices, aliases, read_options(given))
  else
    remove(changes, indices, aliases)
  end
end

--- Carries out a list of changes.
routes["POST /_aliases"] = needs(CHANGE, function(request)
  request:allow(PARAMETERS)
  local body = request:json()
  local changes, doomed = {}, {}
  for _, action in ipairs(body.actions or {}) do
    local given = action.remove_index
    if given then run_action(changes, doomed, "remove_index", given, request) end
  end
  for _, action in ipairs(body.actions or {}) do
    for name, given in pairs(action) do
      if name ~= "remove_index" then run_action(changes, doomed, name, given, request) end
    end
  end
  for index in pairs(doomed) do
    changes[index] = nil
    assert(catalog.delete(index))
  end
  return save(changes)
end)

-- --- showing --------------------------------------------------------------------------------

--- What each part of an expression means: `{ pattern =, excluded = }`, or `{ name = }` for one that is
-- written out. A minus takes out only from the first wildcard on; before, it is part of a name.
local function read_parts(wanted)
  local parts, wildcard_seen = {}, false
  for i, part in ipairs(wanted) do
    local is_wildcard = part == "_all" or part:find "%*" ~= nil
    wildcard_seen = wildcard_seen or is_wildcard
    local excluded = wildcard_seen and part:match "^%-(.+)$"
    parts[i] = {
      pattern = names.pattern(part == "_all" and "*" or excluded or part), excluded = excluded,
      name = not is_wildcard and not excluded and part or nil,
    }
  end
  return parts
end

--- Whether an alias is among the wanted.
local function is_wanted(alias, parts)
  if #parts == 0 then return true end
  local yes = false
  for _, part in ipairs(parts) do
    if alias:find(part.pattern) then yes = not part.excluded end
  end
  return yes
end

--- The action of seeing names.
local SHOW = "indices:admin/aliases/get"

--- The wanted names that are written out and nowhere found.
local function missing(parts)
  local list = {}
  for _, part in ipairs(parts) do
    local found = part.name and catalog.alias(part.name) and access.may(SHOW, part.name)
    if part.name and not found then list[#list + 1] = part.name end
  end
  table.sort(list)
  return list
end

local function shown_aliases(indices, parts)
  local answer = {}
  for _, index in ipairs(indices) do
    local shown = {}
    for alias, options in pairs(catalog.find(index).aliases) do
      if is_wanted(alias, parts) and access.may(SHOW, alias) then shown[alias] = json.object(options) end
    end
    if next(shown) or #parts == 0 then answer[index] = { aliases = json.object(shown) } end
  end
  return answer
end

local function get_alias(request)
  request:allow(PARAMETERS)
  local parts = read_parts(list_of(request.params.name))
  local answer = shown_aliases(expand(request.params.index, request), parts)
  local absent = missing(parts)
  if #absent == 0 then return reply.ok(json.object(answer)) end
  answer.error = ("alias%s [%s] missing"):format(#absent > 1 and "es" or "", table.concat(absent, ","))
  answer.status = 404
  return reply.status(404, answer)
end

--- The other names of indices.
routes["GET /_alias"] = needs(SHOW, get_alias)
routes["GET /_aliases"] = needs(SHOW, get_alias)
routes["GET /_alias/{name}"] = needs(SHOW, get_alias)
routes["GET /{index}/_alias"] = needs(SHOW, get_alias)
routes["GET /{index}/_alias/{name}"] = needs(SHOW, get_alias)

return routes
