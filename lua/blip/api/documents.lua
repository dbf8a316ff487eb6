--- Routes that write and read documents: _doc, _create, _update, _source, _bulk, _mget.
-- @module blip.api.documents
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local source_filter = require "blip.query.source_filter"
local store = require "runtime.store"
local time = require "runtime.time"

local routes = {}

-- --- parameters -----------------------------------------------------------------------------

--- Parameters of every write. One process has no replicas to wait for.
local WRITE = {
  "refresh", "timeout", "routing", "wait_for_active_shards", "pipeline", "if_seq_no", "if_primary_term",
  "version", "version_type", "op_type", "require_alias", "retry_on_conflict", "_source", "_source_includes",
  "_source_excludes", "lang",
}

local READ = {
  "preference", "realtime", "refresh", "routing", "stored_fields", "version", "version_type", "_source",
  "_source_includes", "_source_excludes",
}

local REFRESH = { ["true"] = true, [""] = true, ["false"] = false, wait_for = false }

--- Whether the answer says `forced_refresh`. What was answered can be searched at once anyway.
local function forced_refresh(request)
  local value = request.query.refresh
  if value == nil then return false end
  if REFRESH[value] == nil then
    assert(fail.invalid("Unknown value for refresh: [%s].", value))
  end
  return REFRESH[value]
end

local UNITS = { nanos = true, micros = true, ms = true, s = true, m = true, h = true, d = true }

local function check_timeout(request)
  local value = request.query.timeout
  local number, unit = (value or "1m"):match "^(%-?[%d.]+)(%a+)$"
  if number and UNITS[unit] then return end
  assert(fail.invalid("failed to parse setting [timeout] with value [%s] as a time value: unit is missing or "
    .. "unrecognized", value))
end

local function long_parameter(request, name)
  local value = request.query[name]
  if value == nil then return nil end
  local number = math.tointeger(tonumber(value))
  if number then return number end
  return assert(fail.es {
    status = 400, type = "illegal_argument_exception",
    reason = ("Failed to parse long parameter [%s] with value [%s]"):format(name, value),
    caused_by = { type = "number_format_exception", reason = ('For input string: "%s"'):format(value) },
  })
end

local function not_valid(why)
  return assert(fail.es {
    status = 400, type = "action_request_validation_exception",
    reason = ("Validation Failed: 1: %s;"):format(why),
  })
end

local VERSION_TYPES = { internal = true, external = true, external_gte = true }

--- The conditions of a write, from the query.
local function conditions(request)
  local seq_no = long_parameter(request, "if_seq_no")
  local term = long_parameter(request, "if_primary_term")
  local version = long_parameter(request, "version")
  local version_type = request.query.version_type
  if seq_no and seq_no < 0 then
    assert(fail.invalid("sequence numbers must be non negative. got [%d].", seq_no))
  end
  if seq_no and not term then not_valid "ifSeqNo is set, but primary term is [0]" end
  if term and not seq_no then not_valid(("ifSeqNo is unassigned, but primary term is [%d]"):format(term)) end
  if version_type and not VERSION_TYPES[version_type] then
    assert(fail.invalid("No version type match [%s]", version_type))
  end
  if version and (version_type or "internal") == "internal" then
    not_valid("internal versioning can not be used for optimistic concurrency control. Please use "
      .. "`if_seq_no` and `if_primary_term` instead")
  end
  return { if_seq_no = seq_no, if_primary_term = term, version = version, version_type = version_type }
end

local function body_of(request)
  local text = request:text()
  if text and text:find "%S" then return text end
  return assert(fail.es { status = 400, type = "parse_exception", reason = "request body is required" })
end

local function check_unsupported(request)
  if request.query.pipeline and request.query.pipeline ~= "_none" then
    assert(fail.invalid("pipeline with id [%s] does not exist", request.query.pipeline))
  end
end

-- --- writing --------------------------------------------------------------------------------

local WRITE_ORDER = {
  "_index", "_id", "_version", "result", "forced_refresh", "_shards", "_seq_no", "_primary_term", "get",
}
local ONE_SHARD = json.ordered({ total = 1, successful = 1, failed = 0 }, { "total", "successful", "failed" })

local function escape(text)
  return (text:gsub("[^%w%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function location(item, request)
  local routing = request.query.routing
  return ("/%s/_doc/%s%s"):format(escape(item._index), escape(item._id),
    routing and "?routing=" .. escape(routing) or "")
end

local function answer_of(item, request)
  return json.ordered({
    _index = item._index, _id = item._id, _version = item._version, result = item.result,
    forced_refresh = (forced_refresh(request) and item.result ~= "noop") or nil,
    _shards = item.result == "noop" and json.ordered({ total = 0, successful = 0, failed = 0 },
      { "total", "successful", "failed" }) or ONE_SHARD,
    _seq_no = item._seq_no, _primary_term = item._primary_term, get = item.get,
  }, WRITE_ORDER)
end

--- Carries out one operation and answers as Elasticsearch does.
local function write(request, operation)
  request:allow(WRITE)
  forced_refresh(request)
  check_timeout(request)
  check_unsupported(request)
  for name, value in pairs(conditions(request)) do operation[name] = value end
  local item = assert(documents.write(request.params.index, operation, {
    require_alias = request:flag "require_alias",
    no_create = operation.action == "delete",
  }))
  return item
end

local function put(request, id)
  local op_type = request.query.op_type or "index"
  if op_type == "create" and (request.query.version_type or "internal") ~= "internal" then
    not_valid "create operations only support internal versioning. use index instead"
  end
  if op_type ~= "index" and op_type ~= "create" then
    assert(fail.invalid("opType must be 'create' or 'index', found: [%s]", op_type))
  end
  local item = write(request, { action = op_type, id = id, source = body_of(request) })
  if item.result ~= "created" then return reply.ok(answer_of(item, request)) end
  return reply.created(answer_of(item, request), location(item, request))
end

local function create(request)
  request.query.op_type = "create"
  return put(request, request.params.id)
end

--- Stores a document under its id.
routes["PUT /{index}/_doc/{id}"] = needs("indices:data/write/index", function(request)
  return put(request, request.params.id)
end)
routes["POST /{index}/_doc/{id}"] = routes["PUT /{index}/_doc/{id}"]

--- Stores a document under an id that is made for it.
routes["POST /{index}/_doc"] = needs("indices:data/write/index", function(request)
  return put(request, nil)
end)

--- Stores a document only when its id is new.
routes["PUT /{index}/_create/{id}"] = needs("indices:data/write/index", create)
routes["POST /{index}/_create/{id}"] = needs("indices:data/write/index", create)

--- Deletes a document.
routes["DELETE /{index}/_doc/{id}"] = needs("indices:data/write/delete", function(request)
  local item = write(request, { action = "delete", id = request.params.id })
  return reply.status(item.status, answer_of(item, request))
end)

--- The filter of `_source`, `_source_includes` and `_source_excludes`.
local function wanted_source(query)
  local value = query._source
  if value == "true" then value = true elseif value == "false" then value = false end
  local function list(text)
    local parts = {}
    for part in (text or ""):gmatch "[^,]+" do parts[#parts + 1] = part end
    return json.array(parts)
  end
  if query._source_includes or query._source_excludes then
    value = { includes = list(query._source_includes), excludes = list(query._source_excludes) }
  elseif type(value) == "string" then
    value = list(value)
  end
  return assert(source_filter.read(value))
end

--- What an update's answer shows of the new document, when `_source` asks for it.
local function source_back(request, item)
  local query = request.query
  local asked = query._source or query._source_includes or query._source_excludes
  if not (asked and asked ~= "false") and not item.source then return nil end
  local row = documents.row(item._index, item._id)
  if not row then return nil end
  return json.ordered({
    _seq_no = row._seq_no, _primary_term = 1, found = true,
    _source = source_filter.apply(wanted_source(query), row._source),
  }, { "_seq_no", "_primary_term", "found", "_source" })
end

--- Changes some fields of a document, or makes it from `upsert`.
routes["POST /{index}/_update/{id}"] = needs("indices:data/write/update", function(request)
  local item = write(request, { action = "update", id = request.params.id, source = body_of(request) })
  item.get = source_back(request, item)
  if item.result ~= "created" then return reply.ok(answer_of(item, request)) end
  return reply.created(answer_of(item, request), location(item, request))
end)

-- --- many at once ---------------------------------------------------------------------------

local BULK = {
  "refresh", "timeout", "routing", "wait_for_active_shards", "pipeline", "require_alias", "_source",
  "_source_includes", "_source_excludes", "type", "batch_size",
}
local BULK_ORDER = { "took", "errors", "items" }

--- The error object of a target that cannot be written to, as an item shows it.
local function refusal(err)
  local kind = fail.kinds[err.kind] or fail.kinds.failed
  local object = { type = err.type or kind.type, reason = err.reason }
  for _, key in ipairs { "index", "index_uuid", "resource.id", "resource.type" } do object[key] = err[key] end
  return err.status or kind.status, json.encode(json.ordered(object, { "type", "reason" }))
end

--- What the caller must be allowed for each kind of operation.
local ACTIONS = {
  index = "indices:data/write/index", create = "indices:data/write/index",
  update = "indices:data/write/update", delete = "indices:data/write/delete",
}

--- Refuses the kinds of operations on a target that the caller may not carry out; whether any is left.
local function refuse_kinds(bulk, i, target)
  local left = false
  for kind in pairs(target.actions) do
    local ok, err = names.permit(target.name, ACTIONS[kind])
    left = left or ok ~= nil
    if not ok then
      local status, object = refusal(err)
      bulk:refuse(i, status, object, kind)
    end
  end
  return left
end

local function resolve_targets(bulk, c, options)
  for i, target in ipairs(bulk:targets()) do
    local index, err
    if refuse_kinds(bulk, i, target) then
      index, err = documents.target(target.name, {
        require_alias = target.require_alias or options.require_alias, no_create = target.only_deletes,
      })
    end
    if index then bulk:resolve(i, c, index) end
    if err then bulk:refuse(i, refusal(err)) end
  end
end

local function bulk_route(request)
  request:allow(BULK)
  local started = time.monotonic_ns()
  local refresh = forced_refresh(request)
  check_timeout(request)
  check_unsupported(request)
  local body = body_of(request)
  local c = assert(store.connection())
  local bulk <close> = assert(c:bulk(body, request.params.index))
  resolve_targets(bulk, c, { require_alias = request:flag "require_alias" })
  assert(bulk:run(c))
  local items, errors = bulk:items(refresh)
  return reply.ok(json.ordered({
    took = (time.monotonic_ns() - started) // 1000000, errors = errors,
    items = request.query.filter_path and json.decode(items) or json.raw(items),
  }, BULK_ORDER))
end

--- Carries out many operations, each with its own outcome.
routes["POST /_bulk"] = needs("indices:data/write/bulk", bulk_route)
routes["PUT /_bulk"] = needs("indices:data/write/bulk", bulk_route)
routes["POST /{index}/_bulk"] = needs("indices:data/write/bulk", bulk_route)
routes["PUT /{index}/_bulk"] = needs("indices:data/write/bulk", bulk_route)

-- --- reading --------------------------------------------------------------------------------

local GET_ORDER = { "_index", "_id", "_version", "_seq_no", "_primary_term", "_routing", "found", "_source" }

--- The error of an alias of several indices where one was meant.
local function several_indices(alias, list)
  return fail.invalid("alias [%s] has more than one index associated with it [%s], can't execute a single "
    .. "index op", alias, table.concat(list, ", "))
end

--- The one index that a name means, for reading.
local function read_index(name)
  local list = assert(names.expand(name, { kind = "index_expression", refuse_closed = true }))
  if #list == 1 and not name:find "[*,]" then return list[1] end
  if catalog.alias(name) then return assert(several_indices(name, list)) end
  return assert(fail.invalid("unable to return a single index as the index and options provided got "
    .. "resolved to multiple indices"))
end

local function not_found(index, id)
  return json.ordered({ _index = index, _id = id, found = false }, { "_index", "_id", "found" })
end

local function found(index, id, row, filter)
  return json.ordered({
    _index = index, _id = id, _version = row._version, _seq_no = row._seq_no, _primary_term = 1, found = true,
    _source = filter.wanted and source_filter.apply(filter, row._source) or nil,
  }, GET_ORDER)
end

local function check_version(request, index, row)
  local wanted = long_parameter(request, "version")
  if not wanted or wanted == row._version then return end
  assert(fail.es {
    status = 409, type = "version_conflict_engine_exception",
    reason = ("[%s]: version conflict, current version [%d] is different than the one provided [%d]"):format(
      request.params.id, row._version, wanted),
    index = index, shard = "0", index_uuid = catalog.find(index).uuid,
  })
end

local function read_row(request)
  request:allow(READ)
  local index = read_index(request.params.index)
  local row = documents.row(index, request.params.id)
  if row then check_version(request, index, row) end
  return index, row
end

--- The value at a path of a decoded document, or nil.
local function value_at(document, path)
  for part in path:gmatch "[^.]+" do
    if type(document) ~= "table" then return nil end
    document = document[part]
  end
  return document
end

--- Adds the `fields` that `stored_fields` asks for: those whose mapping says `store`. The source is
-- then shown only when it is asked for as well.
local function add_stored(request, answer, index, row)
  local query = request.query
  local fields, source = {}, assert(json.decode(row._source))
  for path in query.stored_fields:gmatch "[^,]+" do
    local definition = mapping.get(index).definitions[path]
    local value = definition and tostring(definition.store) == "true" and value_at(source, path)
    if value ~= nil and value ~= false then
      fields[path] = json.is_array(value) and value or json.array { value }
    end
  end
  if next(fields) then answer.fields = fields end
  if not (query._source or query._source_includes or query._source_excludes) then answer._source = nil end
end

--- Fetches a document.
routes["GET /{index}/_doc/{id}"] = needs("indices:data/read/get", function(request)
  local index, row = read_row(request)
  if not row then return reply.status(404, not_found(index, request.params.id)) end
  local answer = found(index, request.params.id, row, wanted_source(request.query))
  if request.query.stored_fields then add_stored(request, answer, index, row) end
  return reply.ok(answer)
end)

--- Fetches a document's source alone.
routes["GET /{index}/_source/{id}"] = needs("indices:data/read/get", function(request)
  local index, row = read_row(request)
  if not row then
    return fail.es { status = 404, type = "resource_not_found_exception",
                     reason = ("Document not found [%s]/[%s]"):format(index, request.params.id) }
  end
  return reply.ok(source_filter.apply(wanted_source(request.query), row._source))
end)

--- Whether there is one.
routes["HEAD /{index}/_doc/{id}"] = routes["GET /{index}/_doc/{id}"]
routes["HEAD /{index}/_source/{id}"] = routes["GET /{index}/_source/{id}"]

-- --- _mget ----------------------------------------------------------------------------------

local MGET_KEYS = {
  _index = true, _id = true, _source = true, routing = true, _type = true, version = true,
  version_type = true, stored_fields = true,
}

--- The error of a document that could not be looked for, inside the answer.
local function mget_failure(spec, err)
  local body = reply.failure(err).body.error
  return json.ordered({ _index = spec._index, _id = spec._id, error = body }, { "_index", "_id", "error" })
end

local function fetch(spec, default)
  local index, err = names.expand(spec._index, { kind = "index_expression" })
  if not index then return mget_failure(spec, err) end
  if #index ~= 1 then
    return mget_failure(spec, select(2, several_indices(spec._index, index)))
  end
  local row = documents.row(index[1], spec._id)
  if not row then return not_found(index[1], spec._id) end
  local filter = spec._source ~= nil and assert(source_filter.read(spec._source)) or default
  return found(index[1], spec._id, row, filter)
end

local function mget_specs(body, index)
  if type(body) ~= "table" then body = {} end
  for key, value in pairs(body) do
    if key ~= "docs" and key ~= "ids" then
      local token = json.is_array(value) and "START_ARRAY" or type(value) == "table" and "START_OBJECT"
        or "VALUE_STRING"
      assert(fail.es { status = 400, type = "parsing_exception", line = 1, col = 9,
                       reason = ("unknown key [%s] for a %s, expected [docs] or [ids]"):format(key, token) })
    end
  end
  local specs = {}
  for _, id in ipairs(body.ids or {}) do specs[#specs + 1] = { _index = index, _id = id } end
  for _, spec in ipairs(body.docs or {}) do
    if type(spec) ~= "table" then spec = { _id = spec } end
    for key in pairs(spec) do
      if not MGET_KEYS[key] then
        assert(fail.es { status = 400, type = "action_request_validation_exception",
                         reason = ("unknown field [%s] in a document of [docs]"):format(key) })
      end
    end
    specs[#specs + 1] = { _index = spec._index or index, _id = spec._id, _source = spec._source }
  end
  return specs
end

local function check_specs(specs)
  if #specs == 0 then not_valid "no documents to get" end
  local problems = {}
  for i, spec in ipairs(specs) do
    if spec._index == nil then problems[#problems + 1] = ("index is missing for doc %d"):format(i - 1) end
    if spec._id == nil then problems[#problems + 1] = ("id is missing for doc %d"):format(i - 1) end
    if spec._id ~= nil then spec._id = tostring(spec._id) end
  end
  if #problems == 0 then return specs end
  local text = {}
  for i, problem in ipairs(problems) do text[i] = ("%d: %s;"):format(i, problem) end
  return assert(fail.es { status = 400, type = "action_request_validation_exception",
                          reason = "Validation Failed: " .. table.concat(text) })
end

local function mget(request)
  request:allow(READ)
  local text = request:text()
  if not text or not text:find "%S" then
    return fail.es { status = 400, type = "parse_exception",
                     reason = "request body or source parameter is required" }
  end
  local default = wanted_source(request.query)
  local docs = {}
  for i, spec in ipairs(check_specs(mget_specs(request:json(), request.params.index))) do
    docs[i] = fetch(spec, default)
  end
  return reply.ok { docs = json.array(docs) }
end

--- Fetches many documents.
routes["GET /_mget"] = needs("indices:data/read/mget", mget)
routes["POST /_mget"] = needs("indices:data/read/mget", mget)
routes["GET /{index}/_mget"] = needs("indices:data/read/mget", mget)
routes["POST /{index}/_mget"] = needs("indices:data/read/mget", mget)

return routes
