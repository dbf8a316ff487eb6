--- Routes about the server itself: its name and health, and the text tables of _cat.
-- @module blip.api.cluster
local catalog = require "blip.index.catalog"
local fail = require "blip.fail"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"
local reply = require "blip.api.reply"
local store = require "runtime.store"
local time = require "runtime.time"

local routes = {}

--- The dialect that clients are to speak with us, not our own version.
local DIALECT = {
  distribution = "opensearch", number = "3.6.0", build_type = "unknown", build_hash = "blip",
  build_date = "2026-01-01T00:00:00.000000000Z", build_snapshot = false, lucene_version = "10.4.0",
  minimum_wire_compatibility_version = "2.19.0", minimum_index_compatibility_version = "2.0.0",
}
local DIALECT_ORDER = {
  "distribution", "number", "build_type", "build_hash", "build_date", "build_snapshot", "lucene_version",
  "minimum_wire_compatibility_version", "minimum_index_compatibility_version",
}

--- Who answers.
routes["GET /"] = function(request)
  request:allow {}
  return reply.ok(json.ordered({
    name = "blip", cluster_name = "blip", cluster_uuid = "_na_",
    version = json.ordered(DIALECT, DIALECT_ORDER), tagline = "The OpenSearch Project: https://opensearch.org/",
  }, { "name", "cluster_name", "cluster_uuid", "version", "tagline" }))
end

-- --- health ---------------------------------------------------------------------------------

local STATUSES = { green = true, yellow = true, red = true }

local function index_health()
  return {
    status = "green", number_of_shards = 1, number_of_replicas = 0, active_primary_shards = 1, active_shards = 1,
    relocating_shards = 0, initializing_shards = 0, unassigned_shards = 0,
  }
end

local function with_shards(health)
  health.shards = { ["0"] = {
    status = "green", primary_active = true, active_shards = 1, relocating_shards = 0, initializing_shards = 0,
    unassigned_shards = 0,
  } }
  return health
end

local HEALTH_ORDER = {
  "cluster_name", "status", "timed_out", "number_of_nodes", "number_of_data_nodes", "discovered_master",
  "discovered_cluster_manager", "active_primary_shards", "active_shards", "relocating_shards",
  "initializing_shards", "unassigned_shards", "delayed_unassigned_shards", "number_of_pending_tasks",
  "number_of_in_flight_fetch", "task_max_waiting_in_queue_millis", "active_shards_percent_as_number", "indices",
}

local function nodes_suffice(text)
  if not text then return true end
  local operator, number = text:match "^([<>=]*)(%d+)$"
  number = tonumber(number)
  if not number then operator, number = text:match "^(%a+)%((%d+)%)$" end
  number = tonumber(number) or 1
  local holds = {
    [""] = 1 >= number, [">="] = 1 >= number, ["<="] = 1 <= number, [">"] = 1 > number, ["<"] = 1 < number,
    ge = 1 >= number, le = 1 <= number, gt = 1 > number, lt = 1 < number,
  }
  return holds[operator or ""]
end

local function health(request)
  request:allow {
    "level", "wait_for_status", "timeout", "wait_for_nodes", "wait_for_active_shards", "wait_for_events",
    "wait_for_no_relocating_shards", "wait_for_no_initializing_shards", "local", "master_timeout",
    "cluster_manager_timeout", "expand_wildcards", "awareness_attribute", "ensure_node_weighed_in",
  }
  local wanted = request.query.wait_for_status
  if wanted and not STATUSES[wanted] then
    assert(fail.invalid("No enum constant org.opensearch.cluster.health.ClusterHealthStatus.%s", wanted:upper()))
  end
  local list, err = names.expand(request.params.index or "_all", {
    expand_wildcards = request.query.expand_wildcards or "all",
  })
  local present = list ~= nil
  if not present and err.status ~= 404 then error(err, 0) end
  list = list or {}
  local timed_out = not present or not nodes_suffice(request.query.wait_for_nodes)
  local answer = {
    cluster_name = "blip", status = present and "green" or "red", timed_out = timed_out, number_of_nodes = 1,
    number_of_data_nodes = 1, discovered_master = true, discovered_cluster_manager = true,
    active_primary_shards = #list, active_shards = #list, relocating_shards = 0, initializing_shards = 0,
    unassigned_shards = 0, delayed_unassigned_shards = 0, number_of_pending_tasks = 0,
    number_of_in_flight_fetch = 0, task_max_waiting_in_queue_millis = 0, active_shards_percent_as_number = 100.0,
  }
  local level = request.query.level or "cluster"
  if level ~= "cluster" then
    answer.indices = {}
    for _, name in ipairs(list) do
      answer.indices[name] = level == "shards" and with_shards(index_health()) or index_health()
    end
    json.object(answer.indices)
  end
  return reply.status(timed_out and 408 or 200, json.ordered(answer, HEALTH_ORDER))
end

--- How the server is.
routes["GET /_cluster/health"] = health
routes["GET /_cluster/health/{index}"] = health

-- --- _cat -----------------------------------------------------------------------------------

--- One text table: columns in order, `{ name, aliases, description, right = bool, hidden = bool }`.
local function find_column(columns, name)
  for _, column in ipairs(columns) do
    if column[1] == name then return column end
    for alias in column[2]:gmatch "[^,]+" do
      if alias == name then return column end
    end
  end
  return nil
end

local function chosen_columns(columns, query)
  local chosen = {}
  if not query.h then
    for _, column in ipairs(columns) do
      if not column.hidden then chosen[#chosen + 1] = { column = column, title = column[1] } end
    end
    return chosen
  end
  for name in query.h:gmatch "[^,]+" do
    local pattern = name:find("*", 1, true) and names.pattern(name)
    for _, column in ipairs(columns) do
      if pattern and column[1]:find(pattern) then chosen[#chosen + 1] = { column = column, title = column[1] } end
    end
    local column = not pattern and find_column(columns, name)
    if column then chosen[#chosen + 1] = { column = column, title = name } end
  end
  return chosen
end

local function sort_rows(columns, rows, query)
  local keys = {}
  for part in (query.s or ""):gmatch "[^,]+" do
    local name, order = part:match "^([^:]+):?(%a*)$"
    local column = name and find_column(columns, name)
    if not column then
      assert(fail.es { status = 400, type = "unsupported_operation_exception",
                       reason = ("Unable to sort by unknown sort key `%s`"):format(name or part) })
    end
    keys[#keys + 1] = { name = column[1], down = order == "desc" }
  end
  if #keys == 0 then return end
  table.sort(rows, function(a, b)
    for _, key in ipairs(keys) do
      local x, y = a[key.name], b[key.name]
      if tonumber(x) and tonumber(y) then x, y = tonumber(x), tonumber(y) end
      if x ~= y then
        if key.down then return y < x end
        return x < y
      end
    end
    return false
  end)
end

local function pad(text, width, right, last)
  if right then return (" "):rep(width - #text) .. text end
  return last and text or text .. (" "):rep(width - #text)
end

local function text_table(chosen, rows, with_titles)
  local lines, widths = {}, {}
  if with_titles then
    local titles = {}
    for i, choice in ipairs(chosen) do titles[i] = choice.title end
    lines[1] = titles
  end
  for _, row in ipairs(rows) do
    local line = {}
    for i, choice in ipairs(chosen) do line[i] = row[choice.column[1]] or "" end
    lines[#lines + 1] = line
  end
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for at, line in ipairs(lines) do
    local title = with_titles and at == 1
    for i, cell in ipairs(line) do
      line[i] = pad(cell, widths[i], not title and chosen[i].column.right, i == #line)
    end
    lines[at] = table.concat(line, " ") .. "\n"
  end
  return table.concat(lines)
end

local function help(columns)
  local widths, lines = { 0, 0, 0 }, {}
  for _, column in ipairs(columns) do
    for i = 1, 3 do widths[i] = math.max(widths[i], #column[i]) end
  end
  for i, column in ipairs(columns) do
    lines[i] = ("%s | %s | %s\n"):format(pad(column[1], widths[1]), pad(column[2], widths[2]),
      pad(column[3], widths[3]))
  end
  return reply.text(200, table.concat(lines))
end

local function json_rows(chosen, rows)
  local list = {}
  for i, row in ipairs(rows) do
    local object, order = {}, {}
    for at, choice in ipairs(chosen) do
      object[choice.title] = row[choice.column[1]] or json.null
      order[at] = choice.title
    end
    list[i] = json.ordered(object, order)
  end
  return reply.ok(json.array(list))
end

local CAT = { "h", "v", "s", "help", "format", "time", "bytes", "local", "master_timeout", "cluster_manager_timeout",
              "expand_wildcards", "health", "pri", "include_unloaded_segments", "timeout" }

--- Answers with a table in the form that was asked for.
local function cat(request, columns, rows)
  local query = request.query
  sort_rows(columns, rows, query)
  local chosen = chosen_columns(columns, query)
  local accept = request.headers.accept or ""
  if query.format == "json" or (not query.format and accept:find "application/json") then
    return json_rows(chosen, rows)
  end
  if query.format and query.format ~= "text" and query.format ~= "yaml" then
    assert(fail.invalid("[format] value [%s] is not supported: json, text, yaml", query.format))
  end
  if query.format == "yaml" then return json_rows(chosen, rows) end
  return reply.text(200, text_table(chosen, rows, request:flag "v"))
end

local INDEX_COLUMNS = {
  { "health", "h", "current health status" },
  { "status", "s", "open/close status" },
  { "index", "i,idx", "index name" },
  { "uuid", "id,uuid", "index uuid" },
  { "pri", "p,shards.primary,shardsPrimary", "number of primary shards", right = true },
  { "rep", "r,shards.replica,shardsReplica", "number of replica shards", right = true },
  { "docs.count", "dc,docsCount", "available docs", right = true },
  { "docs.deleted", "dd,docsDeleted", "deleted docs", right = true },
  { "creation.date", "cd", "index creation date (millisecond value)", hidden = true, right = true },
  { "creation.date.string", "cds", "index creation date (as string)", hidden = true },
  { "store.size", "ss,storeSize", "store size of primaries & replicas", right = true },
  { "pri.store.size", "", "store size of primaries", right = true },
}

local function count_documents(index)
  local frame = assert(assert(store.connection()):query(
    "SELECT count(*) AS n FROM main." .. mapping.get(index).table))
  return frame:get(1, "n")
end

local function index_row(name)
  local entry = catalog.find(name)
  return {
    health = "green", status = "open", index = name, uuid = entry.uuid,
    pri = entry.settings["index.number_of_shards"] or "1",
    rep = entry.settings["index.number_of_replicas"] or "1",
    ["docs.count"] = tostring(count_documents(name)), ["docs.deleted"] = "0",
    ["creation.date"] = tostring(entry.created_ms), ["creation.date.string"] = time.format(entry.created_ms),
    ["store.size"] = "0b", ["pri.store.size"] = "0b",
  }
end

local function cat_indices(request)
  request:allow(CAT)
  if request:flag "help" then return help(INDEX_COLUMNS) end
  local rows = {}
  for _, name in ipairs(assert(names.expand(request.params.index or "_all", {
    expand_wildcards = request.query.expand_wildcards,
  }))) do
    local row = index_row(name)
    if not request.query.health or request.query.health == row.health then rows[#rows + 1] = row end
  end
  return cat(request, INDEX_COLUMNS, rows)
end

--- A table of the indices.
routes["GET /_cat/indices"] = cat_indices
routes["GET /_cat/indices/{index}"] = cat_indices

local COUNT_COLUMNS = {
  { "epoch", "t,time", "seconds since 1970-01-01 00:00:00" },
  { "timestamp", "ts,hms,hhmmss", "time in HH:MM:SS" },
  { "count", "dc,docs.count,docsCount", "the document count" },
}

local function cat_count(request)
  request:allow(CAT)
  if request:flag "help" then return help(COUNT_COLUMNS) end
  local total = 0
  for _, name in ipairs(assert(names.expand(request.params.index or "_all"))) do
    total = total + count_documents(name)
  end
  local now = time.now_ms()
  return cat(request, COUNT_COLUMNS, { {
    epoch = tostring(now // 1000), timestamp = time.format(now):sub(12, 19), count = tostring(total),
  } })
end

--- The number of documents.
routes["GET /_cat/count"] = cat_count
routes["GET /_cat/count/{index}"] = cat_count

local ALIAS_COLUMNS = {
  { "alias", "a", "alias name" },
  { "index", "i,idx", "index alias points to" },
  { "filter", "f,fi", "filter" },
  { "routing.index", "ri,routingIndex", "index routing" },
  { "routing.search", "rs,routingSearch", "search routing" },
  { "is_write_index", "w,isWriteIndex", "write index" },
}

local function cat_aliases(request)
  request:allow(CAT)
  if request:flag "help" then return help(ALIAS_COLUMNS) end
  local rows = {}
  for alias, behind in pairs(catalog.aliases()) do
    local wanted = not request.params.alias
    for pattern in (request.params.alias or ""):gmatch "[^,]+" do
      wanted = wanted or alias:find(names.pattern(pattern)) ~= nil
    end
    for _, target in ipairs(wanted and behind or {}) do
      rows[#rows + 1] = {
        alias = alias, index = target.index, filter = "-",
        ["routing.index"] = target.index_routing or "-", ["routing.search"] = target.search_routing or "-",
        is_write_index = target.is_write_index == nil and "-" or tostring(target.is_write_index),
      }
    end
  end
  table.sort(rows, function(a, b) return a.alias .. "\0" .. a.index < b.alias .. "\0" .. b.index end)
  return cat(request, ALIAS_COLUMNS, rows)
end

--- A table of the aliases.
routes["GET /_cat/aliases"] = cat_aliases
routes["GET /_cat/aliases/{alias}"] = cat_aliases

--- What tables there are.
routes["GET /_cat"] = function(request)
  request:allow { "help" }
  return reply.text(200, "=^.^=\n/_cat/indices\n/_cat/indices/{index}\n/_cat/count\n/_cat/count/{index}\n"
    .. "/_cat/aliases\n/_cat/aliases/{alias}\n")
end

return routes
