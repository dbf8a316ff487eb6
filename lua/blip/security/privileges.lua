--- What privileges there are, and which actions each grants.
-- A privilege is a name such as `monitor_ml`, or itself an action or a pattern of actions such as
-- `cluster:admin/opendistro/ad/*`. Names and actions are those of Elasticsearch and OpenSearch, so that
-- roles written for one of them mean the same here; a name whose actions have no route here is known
-- and grants nothing.
-- @module blip.security.privileges
local fail = require "blip.fail"

local privileges = {}

local ML_READ, ML_WRITE = "cluster:monitor/xpack/ml/*", "cluster:admin/xpack/ml/*"
local SECURITY = "cluster:admin/xpack/security/"

--- kind -> name -> what it grants; `except` takes out of that.
local ACTIONS = {
  cluster = {
    none = {},
    all = { "cluster:*" },
    manage = { "cluster:*", except = SECURITY .. "*" },
    monitor = { "cluster:monitor/*" },
    manage_ml = { ML_READ, ML_WRITE },
    monitor_ml = { ML_READ },
    manage_security = { SECURITY .. "*" },
    manage_api_key = { SECURITY .. "api_key/*" },
    manage_own_api_key = {
      SECURITY .. "api_key/create", SECURITY .. "api_key/get", SECURITY .. "api_key/invalidate",
    },
    cluster_all = { "cluster:*" },
    cluster_monitor = { "cluster:monitor/*" },
  },
  index = {
    none = {},
    all = { "indices:*" },
    read = { "indices:data/read/*" },
    write = { "indices:data/write/*" },
    index = { "indices:data/write/index", "indices:data/write/update", "indices:data/write/bulk" },
    delete = { "indices:data/write/delete", "indices:data/write/bulk" },
    auto_configure = { "indices:admin/auto_create" },
    create_index = { "indices:admin/create", "indices:admin/auto_create" },
    delete_index = { "indices:admin/delete" },
    manage = { "indices:admin/*", "indices:monitor/*" },
    monitor = { "indices:monitor/*" },
    maintenance = { "indices:admin/refresh", "indices:admin/flush" },
    view_index_metadata = {
      "indices:admin/get", "indices:admin/aliases/get", "indices:admin/mappings/*",
      "indices:admin/validate/query", "indices:monitor/settings/get", "indices:data/read/field_caps",
    },
    indices_all = { "indices:*" },
    indices_monitor = { "indices:monitor/*" },
    crud = { "indices:data/read/*", "indices:data/write/*" },
    search = { "indices:data/read/search", "indices:data/read/msearch" },
    get = { "indices:data/read/get", "indices:data/read/mget" },
  },
}

--- Names of Elasticsearch's for things that this server does not have.
local WITHOUT_ROUTES = {
  cluster = {
    "cancel_task", "create_snapshot", "delegate_pki", "grant_api_key", "manage_autoscaling", "manage_ccr",
    "manage_data_frame_transforms", "manage_enrich", "manage_ilm", "manage_index_templates",
    "manage_ingest_pipelines", "manage_logstash_pipelines", "manage_oidc", "manage_pipeline",
    "manage_rollup", "manage_saml", "manage_service_account", "manage_slm", "manage_token",
    "manage_transform", "manage_watcher", "monitor_rollup", "monitor_snapshot", "monitor_text_structure",
    "monitor_transform", "monitor_watcher", "read_ccr", "read_ilm", "read_pipeline", "read_security",
    "read_slm", "transport_client",
  },
  index = {
    "create", "create_doc", "manage_data_stream_lifecycle", "manage_follow_index", "manage_ilm",
    "manage_leader_index", "read_cross_cluster",
  },
}
for kind, names in pairs(WITHOUT_ROUTES) do
  for _, name in ipairs(names) do ACTIONS[kind][name] = ACTIONS[kind][name] or {} end
end

--- The names that a refusal offers, narrow ones first.
local OFFERED = {
  cluster = {
    "monitor_ml", "manage_ml", "monitor", "manage_own_api_key", "manage_api_key", "manage_security", "manage",
    "all",
  },
  index = {
    "index", "delete", "write", "read", "view_index_metadata", "auto_configure", "create_index",
    "delete_index", "maintenance", "monitor", "manage", "all",
  },
}

--- What every caller may do who has said who it is.
local EVERYONE = { [SECURITY .. "user/authenticate"] = true, [SECURITY .. "user/has_privileges"] = true }

local PREFIX = { cluster = "^cluster:", index = "^indices:" }

--- A Lua pattern for a text with `*` and `?` in it.
function privileges.pattern(wildcard)
  return "^" .. wildcard:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
end

--- Whether a privilege grants an action.
-- @tparam string kind "cluster" or "index"
-- @tparam string privilege
-- @tparam string action
function privileges.grants(kind, privilege, action)
  local granted = ACTIONS[kind][privilege] or { privilege }
  if granted.except and action:find(privileges.pattern(granted.except)) then return false end
  for _, wildcard in ipairs(granted) do
    if action:find(privileges.pattern(wildcard)) then return true end
  end
  return false
end

-- Stands in for a pattern's star where the pattern itself is looked at: no "?" matches it.
local function literal(wildcard)
  return (wildcard:gsub("%*", "**"))
end

-- Whether a held privilege grants everything that a pattern of actions stands for.
local function covers(kind, held, wanted)
  local granted = ACTIONS[kind][held] or { held }
  for _, wildcard in ipairs(granted) do
    if literal(wanted):find(privileges.pattern(wildcard)) then
      local outside = granted.except
      return not outside or not (literal(wanted):find(privileges.pattern(outside))
        or literal(outside):find(privileges.pattern(wanted)))
    end
  end
  return false
end

--- Whether held privileges grant everything that another one does.
-- @tparam string kind "cluster" or "index"
-- @tparam {string,...} held
-- @tparam string wanted
function privileges.imply(kind, held, wanted)
  local patterns = ACTIONS[kind][wanted] or { wanted }
  if #patterns == 0 and wanted ~= "none" then patterns = { PREFIX[kind]:sub(2) .. "*" } end
  for _, wildcard in ipairs(patterns) do
    local covered = false
    for _, privilege in ipairs(held) do
      covered = covered or privilege == wanted or covers(kind, privilege, wildcard)
    end
    if not covered then return false end
  end
  return true
end

--- Whether an action needs no privilege.
function privileges.is_free(action)
  return EVERYONE[action] or false
end

--- The names of the privileges that grant an action, narrow ones first.
function privileges.granting(kind, action)
  local list = {}
  for _, name in ipairs(OFFERED[kind]) do
    if privileges.grants(kind, name, action) then list[#list + 1] = name end
  end
  return list
end

--- Checks the name of a privilege.
-- @return true, or nil and an `invalid` error
function privileges.check(kind, privilege)
  if type(privilege) == "string" then
    if ACTIONS[kind][privilege] or privilege:find(PREFIX[kind]) then return true end
  end
  local known = {}
  for name in pairs(ACTIONS[kind]) do known[#known + 1] = name end
  table.sort(known)
  return fail.invalid("unknown %s privilege [%s]. a privilege must be either one of the predefined %s "
    .. "privilege names [%s] or a pattern over one of the available %s actions", kind, tostring(privilege),
    kind, table.concat(known, ","), kind)
end

return privileges
