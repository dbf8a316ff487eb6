--- Routes about who may do what: _security/_authenticate, _has_privileges, api_key.
-- @module blip.api.security
local access = require "blip.security.access"
local fail = require "blip.fail"
local json = require "runtime.json"
local keys = require "blip.index.keys"
local needs = require "blip.api.needs"
local privileges = require "blip.security.privileges"
local read = require "blip.query.read"
local reply = require "blip.api.reply"
local roles = require "blip.security.roles"
local secret = require "runtime.secret"

local routes = {}

local SECURITY = "cluster:admin/xpack/security/"

--- The action of looking after the keys of others; no route is named so.
local ALL_KEYS = SECURITY .. "api_key/all"

-- --- who asks -------------------------------------------------------------------------------

local AUTHENTICATE = {
  "username", "roles", "full_name", "email", "metadata", "enabled", "authentication_realm", "lookup_realm",
  "authentication_type", "api_key",
}
local KEY_REALM = json.ordered({ name = "_es_api_key", type = "_es_api_key" }, { "name", "type" })
local FILE_REALM = json.ordered({ name = "users_file", type = "file" }, { "name", "type" })

--- Without users everyone is this one.
local ANYONE = { name = "_anonymous", roles = { "superuser" }, metadata = {} }

--- Says who the server takes the caller for.
routes["GET /_security/_authenticate"] = needs(SECURITY .. "user/authenticate", function(request)
  request:allow {}
  local subject = access.subject() or ANYONE
  local realm = subject.api_key and KEY_REALM or FILE_REALM
  return reply.ok(json.ordered({
    username = subject.name, roles = json.array(subject.api_key and {} or subject.roles),
    full_name = subject.full_name or json.null, email = subject.email or json.null,
    metadata = json.object(subject.metadata), enabled = true, authentication_realm = realm,
    lookup_realm = realm, authentication_type = subject.api_key and "api_key" or "realm",
    api_key = subject.api_key,
  }, AUTHENTICATE))
end)

-- --- what they may --------------------------------------------------------------------------

local function check_privileges(kind, list)
  for _, privilege in ipairs(list) do assert(privileges.check(kind, privilege)) end
  return list
end

-- name -> privilege -> whether the caller has it; and whether all are true.
local function index_answer(subject, groups)
  local answer, all = {}, true
  for _, group in ipairs(groups) do
    local wanted = check_privileges("index", read.list(group.privileges))
    for _, name in ipairs(read.list(group.names)) do
      answer[name] = answer[name] or {}
      for _, privilege in ipairs(wanted) do
        local has = not subject
          or subject:has_index(privilege, name, group.allow_restricted_indices == true)
        answer[name][privilege] = has
        all = all and has
      end
    end
  end
  return answer, all
end

local HAS = { "username", "has_all_requested", "cluster", "index", "application" }

local function has_privileges(request)
  request:allow {}
  local body, subject = request:json(), access.subject()
  if not json.is_object(body) then assert(fail.invalid "the body must be an object") end
  local cluster, all = {}, true
  for _, privilege in ipairs(check_privileges("cluster", read.list(body.cluster))) do
    cluster[privilege] = not subject or subject:has_cluster(privilege)
    all = all and cluster[privilege]
  end
  local index, all_indices = index_answer(subject, body.index or {})
  return reply.ok(json.ordered({
    username = (subject or ANYONE).name, has_all_requested = all and all_indices,
    cluster = json.object(cluster), index = json.object(index), application = json.object {},
  }, HAS))
end

--- Says which of some privileges the caller has.
routes["GET /_security/user/_has_privileges"] = needs(SECURITY .. "user/has_privileges", has_privileges)
routes["POST /_security/user/_has_privileges"] = routes["GET /_security/user/_has_privileges"]

-- --- API keys -------------------------------------------------------------------------------

-- A key belongs to a user.
local function maker()
  return access.subject() or assert(fail.es {
    status = 400, type = "illegal_argument_exception",
    reason = "an API key belongs to a user, and this server has none: see blip serve --users",
  })
end

local function read_descriptors(given, subject)
  if given ~= nil and not json.is_object(given) then
    assert(fail.invalid "[role_descriptors] must be an object")
  end
  local checked, grants = {}, false
  for name, descriptor in pairs(given or {}) do
    checked[name] = assert(roles.check(descriptor, ("role_descriptors [%s]"):format(name)))
    grants = grants or #checked[name].cluster + #checked[name].indices > 0
  end
  if subject.api_key and (grants or next(checked) == nil) then
    assert(fail.invalid("creating derived api keys requires an explicit role descriptor that is empty "
      .. "(has no privileges)"))
  end
  return checked
end

local function read_name(name)
  local is_text = type(name) == "string" and #name <= 256
  if is_text and name:find "^[^%s_]" and not name:find "%s$" then return name end
  return assert(fail.es {
    status = 400, type = "action_request_validation_exception",
    reason = "Validation Failed: 1: api key name is required, has at most 256 characters, may not begin or "
      .. "end with whitespace and may not begin with an underscore;",
  })
end

local function read_expiration(value)
  if value == nil then return nil end
  local ms = type(value) == "string" and read.duration_ms(value)
  if ms and ms > 0 then return ms end
  return assert(fail.invalid("failed to parse setting [expiration] with value [%s] as a time value: unit is "
    .. "missing or unrecognized", read.show(value)))
end

local CREATE = { name = true, expiration = true, role_descriptors = true, metadata = true }

local function object_of(request, parser, known)
  local body = request:json()
  if not json.is_object(body) then assert(fail.invalid("[%s] must be an object", parser)) end
  for key, value in pairs(body) do
    if not known[key] then
      assert(fail.es { status = 400, type = "x_content_parse_exception",
                       reason = ("[1:1] [%s] unknown field [%s]"):format(parser, key) })
    end
    if value == json.null then body[key] = nil end
  end
  return json.plain(body)
end

local function create_key(request)
  request:allow { "refresh" }
  local subject = maker()
  local body = object_of(request, "api_key_request", CREATE)
  local made = assert(keys.create(subject, {
    name = read_name(body.name), expiration_ms = read_expiration(body.expiration),
    descriptors = read_descriptors(body.role_descriptors, subject), metadata = body.metadata,
  }))
  made.encoded = secret.encode64(made.id .. ":" .. made.api_key)
  return reply.ok(json.ordered(made, { "id", "name", "expiration", "api_key", "encoded" }))
end

--- Makes a key.
routes["PUT /_security/api_key"] = needs(SECURITY .. "api_key/create", create_key)
routes["POST /_security/api_key"] = routes["PUT /_security/api_key"]

-- Who may not look after the keys of others must ask for its own; an API key may look at itself.
local function limit(wanted, action)
  local subject = access.subject()
  if wanted.owner and subject then wanted.username = subject.name end
  if access.may(ALL_KEYS) then return wanted end
  local itself = subject.api_key and wanted.ids and #wanted.ids == 1 and wanted.ids[1] == subject.api_key.id
  if not wanted.owner and not itself then assert(access.denied(subject, action)) end
  return wanted
end

local SHOWN = {
  "id", "name", "type", "creation", "expiration", "invalidated", "username", "realm", "metadata",
  "role_descriptors", "limited_by",
}

local function shown_key(key, with_limits)
  return json.ordered({
    id = key.id, name = key.name, type = "rest", creation = key.creation, expiration = key.expiration,
    invalidated = key.invalidated, username = key.username, realm = FILE_REALM.name,
    metadata = json.object(key.metadata), role_descriptors = json.object(key.role_descriptors),
    limited_by = with_limits and json.array { json.object(key.limited_by) } or nil,
  }, SHOWN)
end

--- Shows keys, never their secrets.
routes["GET /_security/api_key"] = needs(SECURITY .. "api_key/get", function(request)
  request:allow { "id", "name", "owner", "username", "realm_name", "with_limited_by", "active_only" }
  local query, with_limits = request.query, request:flag "with_limited_by"
  local active_only = request:flag "active_only"
  local found = assert(keys.list(limit({
    ids = query.id and { query.id }, name = query.name, username = query.username,
    owner = request:flag "owner",
  }, SECURITY .. "api_key/get")))
  local list = {}
  for _, key in ipairs(found) do
    if not active_only or not (key.invalidated or key.expired) then
      list[#list + 1] = shown_key(key, with_limits)
    end
  end
  return reply.status(query.id and #list == 0 and 404 or 200, { api_keys = json.array(list) })
end)

local INVALIDATE = { ids = true, id = true, name = true, username = true, owner = true, realm_name = true }
local INVALIDATED = { "invalidated_api_keys", "previously_invalidated_api_keys", "error_count" }

local function wanted_keys(body)
  local wanted = {
    ids = body.ids and read.list(body.ids) or body.id and { body.id }, name = body.name,
    username = body.username, owner = body.owner == true,
  }
  if wanted.ids or wanted.name or wanted.username or wanted.owner or body.realm_name then return wanted end
  return assert(fail.es {
    status = 400, type = "action_request_validation_exception",
    reason = "Validation Failed: 1: One of [api key id(s), api key name, username, realm name] must be "
      .. "specified if [owner] flag is false;",
  })
end

--- Takes keys out of use.
routes["DELETE /_security/api_key"] = needs(SECURITY .. "api_key/invalidate", function(request)
  request:allow {}
  local wanted = wanted_keys(object_of(request, "invalidate_api_key", INVALIDATE))
  local now, before = {}, {}
  for _, key in ipairs(assert(keys.list(limit(wanted, SECURITY .. "api_key/invalidate")))) do
    local list = key.invalidated and before or now
    list[#list + 1] = key.id
    if not key.invalidated then assert(keys.invalidate(key)) end
  end
  return reply.ok(json.ordered({
    invalidated_api_keys = json.array(now), previously_invalidated_api_keys = json.array(before),
    error_count = 0,
  }, INVALIDATED))
end)

return routes
