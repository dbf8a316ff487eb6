--- Roles: what their holders may do. A role is a descriptor as Elasticsearch writes them,
--     { "cluster": ["monitor_ml"],
--       "indices": [ { "names": ["logs-*"], "privileges": ["read"], "allow_restricted_indices": false } ] }
-- and comes from the users file, from an API key, or is built in.
-- @module blip.security.roles
local fail = require "blip.fail"
local json = require "runtime.json"
local privileges = require "blip.security.privileges"

local roles = {}

local AD = "cluster:admin/opendistro/ad/"
local ANNOTATIONS = { names = { ".ml-annotations*" }, privileges = { "read", "index" } }

--- The roles that are always there.
roles.BUILT_IN = {
  superuser = {
    cluster = { "all" },
    indices = { { names = { "*" }, privileges = { "all" }, allow_restricted_indices = true } },
  },
  machine_learning_user = {
    cluster = { "monitor_ml" },
    indices = {
      { names = { ".ml-anomalies*", ".ml-notifications*" }, privileges = { "read", "view_index_metadata" } },
      ANNOTATIONS,
    },
  },
  machine_learning_admin = {
    cluster = { "manage_ml" },
    indices = {
      {
        names = { ".ml-anomalies*", ".ml-notifications*", ".ml-state*", ".ml-meta*" },
        privileges = { "read", "view_index_metadata" },
      },
      ANNOTATIONS,
    },
  },
  anomaly_read_access = {
    cluster = {
      AD .. "detector/info", AD .. "detector/search", AD .. "detector/validate", AD .. "detectors/get",
      AD .. "result/search", AD .. "result/topAnomalies", AD .. "tasks/search",
    },
    indices = {},
  },
  anomaly_full_access = {
    cluster = { AD .. "*", "cluster_monitor" },
    indices = {
      {
        names = { "*" },
        privileges = { "indices:admin/aliases/get", "indices:admin/mappings/get", "indices_monitor" },
      },
    },
  },
}

--- Indices that a pattern covers only when it says so: what the server believes stands in them.
local RESTRICTED = {
  "^%.security", "^%.ml%-config", "^%.opendistro%-anomaly%-detect", "^%.opendistro%-anomaly%-results",
}

--- Whether an index is one of those.
function roles.is_restricted(index)
  for _, pattern in ipairs(RESTRICTED) do
    if index:find(pattern) then return true end
  end
  return false
end

-- --- checking -------------------------------------------------------------------------------

local function texts(value, what)
  if type(value) == "string" then value = { value } end
  if type(value) ~= "table" or (next(value) ~= nil and #value == 0) then
    return fail.invalid("%s must be a list of texts", what)
  end
  for _, text in ipairs(value) do
    if type(text) ~= "string" then return fail.invalid("%s must be a list of texts", what) end
  end
  return table.move(value, 1, #value, 1, {})
end

local function check_privileges(kind, value, what)
  local list, err = texts(value or {}, what)
  for _, privilege in ipairs(list or {}) do
    local ok
    ok, err = privileges.check(kind, privilege)
    if not ok then return nil, err end
  end
  return list, err
end

local GROUP = { names = true, privileges = true, allow_restricted_indices = true }

local function check_names(value, what)
  local names, err = texts(value, what)
  for _, name in ipairs(names or {}) do
    if name:sub(1, 1) == "/" then
      return fail.invalid("%s: [%s]: regular expressions are not supported", what, name)
    end
  end
  return names, err
end

-- One entry of `indices`. What would take away from it (documents, fields) must not go unheard.
local function check_group(given, what)
  if type(given) ~= "table" then return fail.invalid("%s must be an object", what) end
  for key, value in pairs(given) do
    if not GROUP[key] and value ~= json.null then
      return fail.invalid("%s: [%s] is not supported", what, key)
    end
  end
  local names, err = check_names(given.names, what .. ".names")
  if not names then return nil, err end
  local list
  list, err = check_privileges("index", given.privileges, what .. ".privileges")
  if not list then return nil, err end
  return {
    names = json.array(names), privileges = json.array(list),
    allow_restricted_indices = given.allow_restricted_indices == true,
  }
end

local function check_groups(given, what)
  if type(given or {}) ~= "table" then return fail.invalid("%s must be a list", what) end
  local groups = {}
  for i, group in ipairs(given or {}) do
    local checked, err = check_group(group, ("%s[%d]"):format(what, i - 1))
    if not checked then return nil, err end
    groups[i] = checked
  end
  return groups
end

--- Parts of a descriptor; those without a meaning here grant nothing and may be there.
local PARTS = {
  cluster = true, indices = true, index = true, applications = true, run_as = true, metadata = true,
  transient_metadata = true, global = true, description = true, remote_indices = true,
}

--- Checks a descriptor.
-- @tparam table given as it came
-- @tparam string what it is called in errors
-- @return the descriptor with `cluster` and `indices`, or nil and an `invalid` error
function roles.check(given, what)
  if type(given) ~= "table" then return fail.invalid("%s must be an object", what) end
  for key in pairs(given) do
    if not PARTS[key] then return fail.invalid("%s: unknown field [%s]", what, tostring(key)) end
  end
  local cluster, err = check_privileges("cluster", given.cluster, what .. ".cluster")
  if not cluster then return nil, err end
  local groups
  groups, err = check_groups(given.indices or given.index, what .. ".indices")
  if not groups then return nil, err end
  return { cluster = json.array(cluster), indices = json.array(groups) }
end

return roles
