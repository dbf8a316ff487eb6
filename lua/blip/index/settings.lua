--- Settings of an index: which are known, and their forms.
-- Kept flat, each value a string: `{ ["index.number_of_shards"] = "1" }`.
-- @module blip.index.settings
local fail = require "blip.fail"
local json = require "runtime.json"

local settings = {}

local function integer(least, most)
  return function(name, value)
    local number = math.tointeger(tonumber(value))
    if not number then
      return fail.es {
        status = 400, type = "illegal_argument_exception",
        reason = ("Failed to parse value [%s] for setting [%s]"):format(value, name),
        caused_by = { type = "number_format_exception", reason = ('For input string: "%s"'):format(value) },
      }
    end
    if number < least then
      return fail.invalid("Failed to parse value [%s] for setting [%s] must be >= %d", value, name, least)
    end
    if number > most then
      return fail.invalid("Failed to parse value [%s] for setting [%s] must be <= %d", value, name, most)
    end
    return true
  end
end

local function boolean(name, value)
  if value == "true" or value == "false" then return true end
  return fail.invalid("Failed to parse value [%s] as only [true] or [false] are allowed.", value, name)
end

local function any() return true end

--- What may be set. Shards, replicas and refreshing have no meaning in one process, where what was
-- answered can be searched at once: they are kept to be shown, as clients expect.
local KNOWN = {
  ["index.number_of_shards"] = integer(1, 1024), ["index.number_of_replicas"] = integer(0, 2147483647),
  ["index.auto_expand_replicas"] = any, ["index.refresh_interval"] = any, ["index.codec"] = any,
  ["index.hidden"] = boolean, ["index.max_result_window"] = integer(1, 2147483647),
  ["index.mapping.total_fields.limit"] = integer(0, 9223372036854775807),
  ["index.mapping.depth.limit"] = integer(1, 9223372036854775807),
  ["index.blocks.write"] = boolean, ["index.blocks.read_only"] = boolean,
  ["index.search.slowlog.threshold.query.warn"] = any, ["index.translog.durability"] = any,
  ["index.number_of_routing_shards"] = integer(1, 1024), ["index.priority"] = integer(0, 2147483647),
  ["index.translog.flush_threshold_size"] = any, ["index.translog.sync_interval"] = any,
  ["index.merge.scheduler.max_thread_count"] = integer(1, 1024), ["index.query.default_field"] = any,
  ["index.lifecycle.name"] = any, ["index.provided_name"] = any, ["index.requests.cache.enable"] = boolean,
  ["index.replication.type"] = any, ["index.unassigned.node_left.delayed_timeout"] = any,
}

--- Settings that only a new index takes.
local FINAL = { ["index.number_of_shards"] = true, ["index.number_of_routing_shards"] = true,
                ["index.codec"] = true }

local function flatten(prefix, value, out)
  for key, inner in pairs(value) do
    local name = prefix == "" and key or prefix .. "." .. key
    if type(inner) == "table" and not json.is_array(inner) then
      flatten(name, inner, out)
    else
      out[name] = inner
    end
  end
  return out
end

--- Number of letters to change, add or drop to make one text of another.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + cost)
      diagonal = above
    end
  end
  return row[#b]
end

local function unknown(name)
  local best, least = nil, 4
  for known in pairs(KNOWN) do
    local d = distance(name, known)
    if d < least then best, least = known, d end
  end
  local hint = best and (" did you mean [%s]?"):format(best)
    or " please check that any required plugins are installed, or check the breaking changes documentation "
    .. "for removed settings"
  return fail.es { status = 400, type = "settings_exception",
                   reason = ("unknown setting [%s]%s"):format(name, hint) }
end

--- Reads settings as users write them: nested or dotted, with or without `index.`.
-- @tparam ?table value
-- @tparam[opt] boolean changing of an index that exists
-- @return flat settings (json.null: to be dropped), or nil and the dialect's error
function settings.read(value, changing)
  local out = {}
  local flat = flatten("", value or {}, {})
  local ordered = {}
  for name in pairs(flat) do ordered[#ordered + 1] = name end
  table.sort(ordered)
  for _, short in ipairs(ordered) do
    local name = short:find "^index%." and short or "index." .. short
    local check = KNOWN[name]
    if not check and not name:find "^index%.analysis%." then return unknown(name) end
    if changing and FINAL[name] then
      return fail.invalid("Can't update non dynamic settings [[%s]] for open indices", name)
    end
    local given = flat[short]
    if given == json.null then
      out[name] = json.null
    else
      local text = type(given) == "table" and json.encode(given) or tostring(given)
      local ok, err = (check or any)(name, text)
      if not ok then return nil, err end
      out[name] = text
    end
  end
  return out
end

--- Flat settings as a tree of objects.
function settings.nest(flat)
  local tree = {}
  for name, value in pairs(flat) do
    local node = tree
    local path, last = name:match "^(.*)%.([^.]+)$"
    for part in (path or ""):gmatch "[^.]+" do
      if type(node[part]) ~= "table" then node[part] = {} end
      node = node[part]
    end
    node[last or name] = value
  end
  return tree
end

--- Kept beside the settings, and not shown: the index takes and answers nothing.
settings.CLOSED = "blip.closed"

--- Whether an index is closed.
function settings.is_closed(entry)
  return entry.settings[settings.CLOSED] == "true"
end

--- How many shards and copies of each an index is said to have. Indices of the server's own promise
-- no copies.
-- @treturn integer shards
-- @treturn integer replicas
function settings.shards(entry)
  local own = entry.name:sub(1, 1) == "." or entry.settings["index.auto_expand_replicas"]
  return math.tointeger(entry.settings["index.number_of_shards"] or 1),
    math.tointeger(entry.settings["index.number_of_replicas"] or (own and 0 or 1))
end

--- All settings of an index as GET shows them, flat.
function settings.shown(entry)
  local shards, replicas = settings.shards(entry)
  local shown = {
    ["index.number_of_shards"] = tostring(shards), ["index.number_of_replicas"] = tostring(replicas),
    ["index.replication.type"] = "DOCUMENT", ["index.provided_name"] = entry.name,
    ["index.creation_date"] = tostring(entry.created_ms), ["index.uuid"] = entry.uuid,
    ["index.version.created"] = "137277827",
  }
  for name, value in pairs(entry.settings) do
    if name ~= settings.CLOSED then shown[name] = value end
  end
  if settings.is_closed(entry) then shown["index.verified_before_close"] = "true" end
  return shown
end

return settings
