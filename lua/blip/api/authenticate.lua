--- Who sends a request: from its `Authorization` header to a subject.
-- `Basic` carries a name and a password of the users file, `ApiKey` the id and the secret of a key
-- that a user has made. Where there are no users, the header means nothing.
-- @module blip.api.authenticate
local config = require "blip.config"
local fail = require "blip.fail"
local keys = require "blip.index.keys"
local people = require "blip.security.people"
local secret = require "runtime.secret"

local authenticate = {}

local CHALLENGE = 'Basic realm="security" charset="UTF-8"'

local function refuse(reason, ...)
  return assert(fail.es {
    status = 401, type = "security_exception", reason = reason:format(...),
    header = { ["WWW-Authenticate"] = CHALLENGE },
    headers = { ["WWW-Authenticate"] = { CHALLENGE, "ApiKey" } },
  })
end

local NOT_THESE = "unable to authenticate with provided credentials and anonymous access is not allowed for "
  .. "this request"

-- The two parts of "name:secret" in base64.
local function pair(encoded, what)
  local text = secret.decode64(encoded)
  local name, rest = (text or ""):match "^([^:]*):(.*)$"
  if not name then refuse("invalid %s authentication header value", what) end
  return name, rest
end

local schemes = {}

function schemes.basic(request, encoded)
  local name, password = pair(encoded, "basic")
  local subject, err = people.find(name, password)
  if err then error(err, 0) end
  return subject or refuse("unable to authenticate user [%s] for REST request [%s]", name, request.path)
end

function schemes.apikey(_, encoded)
  local id, key = pair(encoded, "ApiKey")
  local subject, problem = keys.find(id, key)
  return subject or refuse("%s", NOT_THESE .. ", additional unsuccessful credentials: API key: " .. problem)
end

--- The subject of a request.
-- @return nil where there are no users; raises the dialect's 401 when the caller is none of them
function authenticate.subject(request)
  if not config.get().security then return nil end
  local sent = request.headers.authorization
  if not sent then refuse("missing authentication credentials for REST request [%s]", request.path) end
  local scheme, value = sent:match "^%s*(%S+)%s+(%S+)%s*$"
  local check = schemes[(scheme or ""):lower()]
  if not check then refuse("%s", NOT_THESE) end
  return check(request, value)
end

return authenticate
