--- The routes of _cat: what there is, as tables for people.
-- @module blip.api.cat
local access = require "blip.security.access"
local catalog = require "blip.index.catalog"
local fail = require "blip.fail"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local settings = require "blip.index.settings"
local store = require "runtime.store"
local text_table = require "blip.api.text_table"
local time = require "runtime.time"

local routes = {}

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
  local shards, replicas = settings.shards(entry)
  local row = {
    health = replicas == 0 and "green" or "yellow", status = "open", index = name, uuid = entry.uuid,
    pri = tostring(shards), rep = tostring(replicas),
    ["creation.date"] = tostring(entry.created_ms), ["creation.date.string"] = time.format(entry.created_ms),
  }
  if settings.is_closed(entry) then
    row.status = "close"
  else
    row["docs.count"], row["docs.deleted"] = tostring(count_documents(name)), "0"
    row["store.size"], row["pri.store.size"] = "0b", "0b"
  end
  return row
end

local HEALTHS = { green = true, yellow = true, red = true }

local function cat_indices(request)
  request:allow(text_table.PARAMETERS)
  if request:flag "help" then return text_table.help(INDEX_COLUMNS) end
  local health = request.query.health
  if health and not HEALTHS[health:lower()] then
    assert(fail.invalid("unknown cluster health status [%s]", health))
  end
  local rows = {}
  for _, name in ipairs(assert(names.expand(request.params.index or "_all", {
    expand_wildcards = request.query.expand_wildcards or "open,closed",
  }))) do
    local row = index_row(name)
    if not health or health:lower() == row.health then rows[#rows + 1] = row end
  end
  return text_table.answer(request, INDEX_COLUMNS, rows)
end

--- A table of the indices.
routes["GET /_cat/indices"] = needs("indices:monitor/stats", cat_indices)
routes["GET /_cat/indices/{index}"] = needs("indices:monitor/stats", cat_indices)

local COUNT_COLUMNS = {
  { "epoch", "t,time", "seconds since 1970-01-01 00:00:00" },
  { "timestamp", "ts,hms,hhmmss", "time in HH:MM:SS" },
  { "count", "dc,docs.count,docsCount", "the document count" },
}

local function cat_count(request)
  request:allow(text_table.PARAMETERS)
  if request:flag "help" then return text_table.help(COUNT_COLUMNS) end
  local total = 0
  for _, name in ipairs(assert(names.expand(request.params.index or "_all"))) do
    total = total + count_documents(name)
  end
  local now = time.now_ms()
  return text_table.answer(request, COUNT_COLUMNS, { {
    epoch = tostring(now // 1000), timestamp = time.format(now):sub(12, 19), count = tostring(total),
  } })
end

--- The number of documents.
routes["GET /_cat/count"] = needs("indices:data/read/search", cat_count)
routes["GET /_cat/count/{index}"] = needs("indices:data/read/search", cat_count)

local ALIAS_COLUMNS = {
  { "alias", "a", "alias name" },
  { "index", "i,idx", "index alias points to" },
  { "filter", "f,fi", "filter" },
  { "routing.index", "ri,routingIndex", "index routing" },
  { "routing.search", "rs,routingSearch", "search routing" },
  { "is_write_index", "w,isWriteIndex", "write index" },
}

local function cat_aliases(request)
  request:allow(text_table.PARAMETERS)
  if request:flag "help" then return text_table.help(ALIAS_COLUMNS) end
  local rows = {}
  for alias, behind in pairs(catalog.aliases()) do
    local wanted = not request.params.alias
    for pattern in (request.params.alias or ""):gmatch "[^,]+" do
      wanted = wanted or alias:find(names.pattern(pattern)) ~= nil
    end
    wanted = wanted and access.may("indices:admin/aliases/get", alias)
    for _, target in ipairs(wanted and behind or {}) do
      rows[#rows + 1] = {
        alias = alias, index = target.index, filter = "-",
        ["routing.index"] = target.index_routing or "-", ["routing.search"] = target.search_routing or "-",
        is_write_index = target.is_write_index == nil and "-" or tostring(target.is_write_index),
      }
    end
  end
  table.sort(rows, function(a, b) return a.alias .. "\0" .. a.index < b.alias .. "\0" .. b.index end)
  return text_table.answer(request, ALIAS_COLUMNS, rows)
end

--- A table of the aliases.
routes["GET /_cat/aliases"] = needs("indices:admin/aliases/get", cat_aliases)
routes["GET /_cat/aliases/{alias}"] = needs("indices:admin/aliases/get", cat_aliases)

--- What tables there are.
routes["GET /_cat"] = needs("cluster:monitor/main", function(request)
  request:allow { "help" }
  return reply.text(200, "=^.^=\n/_cat/indices\n/_cat/indices/{index}\n/_cat/count\n/_cat/count/{index}\n"
    .. "/_cat/aliases\n/_cat/aliases/{alias}\n/_cat/ml/anomaly_detectors\n"
    .. "/_cat/ml/anomaly_detectors/{job_id}\n/_cat/ml/datafeeds\n/_cat/ml/datafeeds/{datafeed_id}\n")
end)

return routes
