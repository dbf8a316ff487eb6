--- Names of indices: which are allowed, and which ones an expression means.
-- An expression is names, wildcards and exclusions: `"logs-*,-logs-old,metrics"`.
-- @module blip.index.names
local access = require "blip.security.access"
local catalog = require "blip.index.catalog"
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local filter = require "blip.query.filter"
local mapping = require "blip.index.mapping"
local settings = require "blip.index.settings"

local names = {}

--- Why a name is no name for an index; in the order in which they are looked at.
local RULES = {
  { '[ "*\\<|,>/?]', 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]' },
  { "^$", "must not be empty" },
  { "#", "must not contain '#'" },
  { ":", "must not contain ':'" },
  { "^[_%-+]", "must not start with '_', '-', or '+'" },
  { "^%.%.?$", "must not be '.' or '..'" },
  { "[\0-\31]", "must not contain control characters" },
}

local function invalid(name, why)
  return fail.es {
    status = 400, type = "invalid_index_name_exception",
    reason = ("Invalid index name [%s], %s"):format(name, why), index = name, index_uuid = "_na_",
  }
end

--- Checks the name of an index that is to be made.
-- @tparam string name
-- @return the name, or nil and the dialect's error
function names.check(name)
  for _, rule in ipairs(RULES) do
    if name:find(rule[1]) then return invalid(name, rule[2]) end
  end
  if #name > 255 then return invalid(name, ("index name is too long, (%d > 255)"):format(#name)) end
  if name ~= name:lower() then return invalid(name, "must be lowercase") end
  return name
end

--- A Lua pattern for a name with `*` in it.
function names.pattern(wildcard)
  return "^" .. wildcard:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

local function split(expression)
  if type(expression) == "table" then
    local parts = {}
    for _, part in ipairs(expression) do table.move(split(part), 1, #split(part), #parts + 1, parts) end
    return parts
  end
  local parts = {}
  for part in expression:gmatch "[^,]+" do parts[#parts + 1] = part end
  return parts
end

--- Indices whose name begins with a dot are Blip's own or hidden: only a wildcard that begins
-- with a dot, or one that asks for hidden ones, finds them.
local function is_hidden(name)
  return name:sub(1, 1) == "."
end

local function is_wildcard(part)
  return part == "_all" or part:find("*", 1, true) ~= nil
end

--- Whether wildcards look at indices in the state of this one.
local function in_state(entry, options)
  if settings.is_closed(entry) then return options.closed end
  return options.open
end

--- Whether somebody may do something to an index or an alias: who may touch what an alias stands
-- for may use its name.
local function may(name, options)
  local subject = options.subject
  if not subject or subject:may_index(options.action, name) then return true end
  local alias = catalog.alias(name)
  for _, behind in ipairs(alias or {}) do
    if not subject:may_index(options.action, behind.index) then return false end
  end
  return alias ~= nil
end

--- Adds the index behind an alias: all of its documents, or those that the alias's filter lets
-- through. Reached twice, it shows what either way shows.
local function add_behind(set, name, only)
  if not only or set[name] == true then
    set[name] = true
    return
  end
  local filters = set[name] or {}
  filters[#filters + 1] = only
  set[name] = filters
end

-- How a wildcard finds an index: by its name, or by aliases, of which `visit` is told. A name that
-- the caller may not touch is none that it could be found by.
local function match_entry(entry, pattern, looked_for, visit)
  local function fits(name)
    return name:find(pattern) and (looked_for.hidden or not is_hidden(name)) and may(name, looked_for)
  end
  if fits(entry.name) then
    visit(nil)
    return true
  end
  local found = false
  for alias, options in pairs(entry.aliases) do
    if fits(alias) then
      visit(options.filter)
      found = true
    end
  end
  return found
end

--- Adds what a wildcard matches to the set, or takes it out; returns whether anything matched.
local function match_wildcard(part, set, options, excluded)
  local pattern = names.pattern(part == "_all" and "*" or part)
  local looked_for = {
    hidden = options.hidden or is_hidden(part), subject = options.subject, action = options.action,
  }
  local found = false
  for _, entry in ipairs(catalog.all()) do
    if excluded or in_state(entry, options) then
      local matches = match_entry(entry, pattern, looked_for, function(only)
        if not excluded then add_behind(set, entry.name, only) end
      end)
      if matches and excluded then set[entry.name] = nil end
      found = found or matches
    end
  end
  return found
end

local function read_options(given)
  local expand = given.expand_wildcards or "open"
  local action = given.action or access.index_action()
  return {
    action = action, subject = action and (given.subject or access.subject()),
    ignore_unavailable = given.ignore_unavailable,
    allow_no_indices = given.allow_no_indices ~= false,
    wildcards = not expand:find "none",
    open = expand:find "open" ~= nil or expand:find "all" ~= nil,
    closed = expand:find "closed" ~= nil or expand:find "all" ~= nil,
    refuse_closed = given.refuse_closed,
    hidden = expand:find "hidden" ~= nil or expand:find "all" ~= nil,
    kind = given.kind,
    no_aliases = given.no_aliases,
  }
end

--- The error of a closed index that was to be read or written.
function names.closed(entry)
  return fail.es { status = 400, type = "index_closed_exception", reason = "closed", index = entry.name,
                   index_uuid = entry.uuid }
end

local function add_concrete(part, set, options)
  local entry = catalog.find(part)
  if entry and options.refuse_closed and settings.is_closed(entry) then
    if options.ignore_unavailable then return true end
    return names.closed(entry)
  end
  if entry then
    set[part] = true
    return true
  end
  local alias = catalog.alias(part)
  if alias and options.no_aliases then
    return fail.es {
      status = 400, type = "illegal_argument_exception",
      reason = ("The provided expression [%s] matches an alias, specify the corresponding concrete "
        .. "indices instead."):format(part),
    }
  end
  for _, behind in ipairs(alias or {}) do add_behind(set, behind.index, behind.filter) end
  if alias or options.ignore_unavailable then return true end
  if part:find "^_" then
    return invalid(part, "must not start with '_'.")
  end
  return catalog.missing(part, options.kind)
end

--- The names of an expression that are spelled out.
local function spelled(parts)
  local list, wildcard_seen = {}, false
  for _, part in ipairs(parts) do
    local excluded = wildcard_seen and part:sub(1, 1) == "-"
    wildcard_seen = wildcard_seen or is_wildcard(part)
    if not excluded and not is_wildcard(part) then list[#list + 1] = part end
  end
  return list
end

-- Wildcards leave out what somebody may not touch; a name that is spelled out is refused.
local function check_spelled(parts, options)
  if not options.subject then return true end
  local refused = {}
  for _, name in ipairs(spelled(parts)) do
    if not may(name, options) then refused[#refused + 1] = name end
  end
  if #refused == 0 then return true end
  return access.denied(options.subject, options.action, refused)
end

--- Refuses an expression that spells out what the present caller may not touch.
-- @tparam string|table expression as of @{names.expand}
-- @tparam string action
-- @return true, or nil and a `denied` error
function names.permit(expression, action)
  return check_spelled(split(expression), { action = action, subject = access.subject() })
end

local function collect(parts, options)
  local set, wildcard_seen = {}, false
  for _, part in ipairs(parts) do
    local excluded = wildcard_seen and part:match "^%-(.+)$"
    if excluded then
      if is_wildcard(excluded) then match_wildcard(excluded, set, { hidden = true }, true) end
      set[excluded] = nil
    elseif is_wildcard(part) then
      wildcard_seen = true
      local found = options.wildcards and match_wildcard(part, set, options)
      if not found and not options.allow_no_indices then return catalog.missing(part, options.kind) end
    else
      local ok, err = add_concrete(part, set, options)
      if not ok then return nil, err end
    end
  end
  return set
end

-- The indices that an expression means, in order, and by name `true` or the filters of the
-- aliases by which they were found.
local function expand(expression, given)
  local parts = split(expression)
  if #parts == 0 then parts = { "_all" } end
  local options = read_options(given or {})
  local permitted, err = check_spelled(parts, options)
  if not permitted then return nil, err end
  local set
  set, err = collect(parts, options)
  if not set then return nil, err end
  if not next(set) and not options.allow_no_indices then return catalog.missing(parts[1], options.kind) end
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list, set
end

--- The names of the indices that an expression means, in order.
-- @tparam string|table expression names joined by commas, or a list; "" and "_all" mean all
-- @tparam[opt] table given `ignore_unavailable`, `allow_no_indices` (true unless said
-- otherwise), `expand_wildcards`, `no_aliases`, `refuse_closed`, `kind` (the resource.type of an error),
-- `action` that is to be done (the present request's when it is about indices) and `subject` to do it
-- (the present caller): wildcards find only what it may be done to
-- @return a list of names, or nil and an error
function names.expand(expression, given)
  local list, err = expand(expression, given)
  if not list then return nil, err end
  return list
end

-- What a list of alias filters lets through, any of them; nil for all documents.
local function filter_of(filters)
  if type(filters) ~= "table" then return nil end
  local list = {}
  for i, query in ipairs(filters) do
    local one, err = dsl.query(query)
    if not one then return nil, err end
    list[i] = one
  end
  return filter.any_of(list)
end

--- As @{names.expand}, with what a query needs of each: `{ name =, mapping =, filter = }`; `filter`
-- is that of the alias by which the index was found, nil when all of its documents are meant.
function names.resolve(expression, given)
  local readable = { refuse_closed = true }
  for option, value in pairs(given or {}) do readable[option] = value end
  local list, set = expand(expression, readable)
  if not list then return nil, set end
  local indices = {}
  for i, name in ipairs(list) do
    local shown, err = filter_of(set[name])
    if err then return nil, err end
    indices[i] = { name = name, mapping = mapping.get(name), filter = shown }
  end
  return indices
end

--- The index that a document goes into: the name itself, or an alias's write index.
-- @return its name, or nil (and an error when the name is an alias without a write index)
function names.write_index(name)
  if catalog.find(name) then return name end
  local alias = catalog.alias(name)
  if not alias then return nil end
  if #alias == 1 and alias[1].is_write_index ~= false then return alias[1].index end
  for _, behind in ipairs(alias) do
    if behind.is_write_index then return behind.index end
  end
  return fail.es {
    status = 400, type = "illegal_argument_exception",
    reason = ("no write index is defined for alias [%s]. The write index may be explicitly disabled using "
      .. "is_write_index=false or the alias points to multiple indices without one being designated as a "
      .. "write index"):format(name),
  }
end

return names
