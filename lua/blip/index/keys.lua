--- API keys: what a user lets a program do in its name.
-- A key is a document in `.security`: what it may do, what its maker could do when it was made (a
-- key never may more), and the digest of its secret. Only the answer that makes it shows the secret.
-- @module blip.index.keys
local documents = require "blip.index.documents"
local json = require "runtime.json"
local own = require "blip.index.own"
local secret = require "runtime.secret"
local subject_of = require "blip.security.subject".new
local time = require "runtime.time"

local keys = {}

local INDEX = ".security"
local KEYWORD, DATE = { type = "keyword" }, { type = "date" }
local MAPPING = {
  doc_type = KEYWORD, name = KEYWORD, username = KEYWORD, creation = DATE, expiration = DATE,
  invalidated = { type = "boolean" }, digest = { type = "keyword", index = false },
}
local MOST_KEYS = 10000

-- --- making ---------------------------------------------------------------------------------

-- Descriptors by name, as a list.
local function listed(descriptors)
  local names, list = {}, {}
  for name in pairs(descriptors) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do list[i] = descriptors[name] end
  return list, names
end

-- What a subject may at this moment: its own descriptors by name, and those that limit it.
local function limits_of(subject)
  local limits = {}
  for i, descriptor in ipairs(subject.descriptors) do limits[subject.roles[i] or tostring(i)] = descriptor end
  return limits
end

--- Makes a key.
-- @param subject its maker
-- @tparam table wanted `name`; by choice `expiration_ms` from now, `descriptors` (by name, checked;
-- none: all that the maker may), `metadata`
-- @treturn table `id`, `name`, `api_key` (the secret), by choice `expiration` in ms since 1970;
-- or nil and an error
function keys.create(subject, wanted)
  local ok, err = own.make(INDEX, MAPPING)
  if not ok then return nil, err end
  local id, key, now = secret.token(15), secret.token(16), time.now_ms()
  local expiration = wanted.expiration_ms and now + wanted.expiration_ms
  ok, err = documents.put(INDEX, id, {
    doc_type = "api_key", name = wanted.name, username = subject.name, creation = now,
    expiration = expiration, invalidated = false, digest = secret.digest(key),
    metadata = json.object(wanted.metadata or {}),
    role_descriptors = json.object(wanted.descriptors or {}),
    limited_by = json.object(limits_of(subject)),
    backend_roles = json.array(subject.backend_roles or {}),
  }, { op_type = "create" })
  if not ok then return nil, err end
  return { id = id, name = wanted.name, api_key = key, expiration = expiration }
end

-- --- using ----------------------------------------------------------------------------------

-- id -> { version =, subject = }: a key is compiled once, and again when its document changed.
local known = {}

local function make_subject(id, key)
  local limit, limit_names = listed(key.limited_by)
  local fields = {
    name = key.username, api_key = { id = id, name = key.name }, backend_roles = key.backend_roles,
    metadata = key.metadata, roles = limit_names, descriptors = limit,
  }
  if not next(key.role_descriptors) then return subject_of(fields) end
  local bound = subject_of(fields)
  fields.descriptors, fields.roles = listed(key.role_descriptors)
  fields.limit = bound
  return subject_of(fields)
end

local function is_expired(key)
  return key.expiration and key.expiration <= time.now_ms() or false
end

-- Why a key is not to be used; nil when it may be.
local function problem_of(id, key, text)
  if not secret.equal(key.digest, secret.digest(text)) then
    return ("invalid credentials for API key [%s]"):format(id)
  elseif key.invalidated then
    return ("api key [%s] has been invalidated"):format(id)
  elseif is_expired(key) then
    return "api key is expired"
  end
end

--- The subject of a key.
-- @tparam string id
-- @tparam string text its secret
-- @return the subject; or nil and why there is none
function keys.find(id, text)
  local row = documents.row(INDEX, id)
  if not row then return nil, ("unable to find apikey with id %s"):format(id) end
  local key = json.plain(json.decode(row._source))
  local problem = problem_of(id, key, text)
  if problem then return nil, problem end
  if not known[id] or known[id].version ~= row._version then
    known[id] = { version = row._version, subject = make_subject(id, key) }
  end
  return known[id].subject
end

-- --- listing and invalidating ---------------------------------------------------------------

--- The keys that fit.
-- @tparam table wanted by choice `ids` (a list), `name` (a text or a pattern ending in `*`),
-- `username`
-- @treturn {table,...} `id` and what is stored of each, oldest first
function keys.list(wanted)
  local filters = { { term = { doc_type = "api_key" } } }
  if wanted.ids then filters[#filters + 1] = { ids = { values = json.array(wanted.ids) } } end
  if wanted.username then filters[#filters + 1] = { term = { username = wanted.username } } end
  if wanted.name then filters[#filters + 1] = { wildcard = { name = { value = wanted.name } } } end
  local answer, err = documents.search(INDEX, {
    size = MOST_KEYS, query = { bool = { filter = filters } }, sort = { "creation" },
  })
  if not answer then return nil, err end
  local list = {}
  for i, hit in ipairs(json.plain(answer.hits).hits) do
    list[i] = json.plain(hit._source)
    list[i].id = hit._id
    list[i].expired = is_expired(list[i])
  end
  return list
end

--- Takes a key out of use, for good.
-- @tparam table key of @{keys.list}
-- @return true, or nil and an error
function keys.invalidate(key)
  local ok, err = documents.write(INDEX, {
    action = "update", id = key.id, source = '{"doc":{"invalidated":true}}',
  })
  return ok and true, err
end

--- The stored key of an id, whatever its secret; nil when it is none, or cannot be used any more.
function keys.usable(id)
  local row = documents.row(INDEX, id)
  local key = row and json.plain(json.decode(row._source))
  if not key or key.invalidated or is_expired(key) then return nil end
  return make_subject(id, key)
end

return keys
