--- Documents by id, for the routes and for what the server itself keeps in indices.
-- @module blip.index.documents
local access = require "blip.security.access"
local catalog = require "blip.index.catalog"
local fail = require "blip.fail"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local names = require "blip.index.names"
local settings = require "blip.index.settings"
local store = require "runtime.store"

local documents = {}

--- Makes an index for documents that name one which is not there. A caller who writes documents must
-- be allowed to; what the server itself keeps has its indices made for it.
local function auto_create(name)
  local ok, err = names.check(name)
  if ok and access.index_action() then ok, err = names.permit(name, "indices:admin/auto_create") end
  if not ok then return nil, err end
  ok, err = catalog.create(name, {})
  if ok or err.type == "resource_already_exists_exception" then return name end
  return nil, err
end

--- The index that a name's documents go into, made when it is not there.
-- @tparam string name of an index or an alias
-- @tparam[opt] table options `require_alias`, `no_create`
-- @return the index's name, or nil and an error
function documents.target(name, options)
  options = options or {}
  if options.require_alias and not catalog.alias(name) then
    return fail.es {
      status = 404, type = "index_not_found_exception", index = name, index_uuid = "_na_",
      reason = ("no such index [%s] and [require_alias] request flag is [true] and [%s] is not an alias")
        :format(name, name),
    }
  end
  local index, err = names.write_index(name)
  if index and settings.is_closed(catalog.find(index)) then return names.closed(catalog.find(index)) end
  if index or err then return index, err end
  if options.no_create then return catalog.missing(name, "index_expression") end
  return auto_create(name)
end

--- The error object of a refused operation as an error of `blip.fail`.
local function refused(item)
  local err = json.decode(item.error)
  err.status = item.status
  return fail.es(err)
end

--- Carries out one operation.
-- @tparam string name of an index or an alias
-- @tparam table operation `action` ("index", "create", "update" or "delete"), `id`, `source` (JSON;
-- of an update its body), `if_seq_no`, `if_primary_term`, `version`, `version_type`
-- @tparam[opt] table options as @{documents.target} takes them
-- @treturn table `_index`, `_id`, `_version`, `_seq_no`, `_primary_term`, `result`, `status`; or nil
-- and an error
function documents.write(name, operation, options)
  local index, err = documents.target(name, options)
  if not index then return nil, err end
  local c = assert(store.connection())
  local bulk
  bulk, err = c:bulk_one(index, operation)
  if not bulk then return nil, err end
  local ok
  bulk:resolve(1, c, index)
  ok, err = bulk:run(c)
  local item = ok and bulk:item(1)
  bulk:close()
  if not ok then return nil, err end
  if item.error then return refused(item) end
  return item
end

--- Stores a document.
-- @tparam string index made when it is not there
-- @tparam ?string id one is made when it is nil
-- @tparam table|string source a table or its JSON
-- @tparam[opt] table options `if_seq_no`, `if_primary_term`, `op_type` ("create")
-- @treturn table as @{documents.write}; or nil and an error, of kind `conflict` when somebody was
-- faster
function documents.put(index, id, source, options)
  options = options or {}
  return documents.write(index, {
    action = options.op_type or "index", id = id,
    source = type(source) == "table" and json.encode(source) or source,
    if_seq_no = options.if_seq_no, if_primary_term = options.if_primary_term,
  })
end

--- The row of a document: `_version`, `_seq_no`, `_source` (JSON); nil when there is none.
-- @tparam string index not an alias
-- @tparam string id
function documents.row(index, id)
  local m = mapping.get(index)
  if not m then return nil end
  local frame = assert(assert(store.connection()):query(
    "SELECT _version, _seq_no, _source FROM main." .. m.table .. " WHERE _id = ?", { id }))
  if #frame == 0 then return nil end
  return frame:row(1)
end

--- Fetches a document.
-- @tparam string index or an alias of one index
-- @tparam string id
-- @tparam[opt] table options of @{blip.index.names.expand}
-- @treturn table `_index`, `_id`, `_version`, `_seq_no`, `_primary_term`, `_source` (a table); or nil
-- and an error of kind `not_found`
function documents.get(index, id, options)
  local list, err = names.expand(index, options)
  if not list then return nil, err end
  for _, name in ipairs(list) do
    local row = documents.row(name, id)
    if row then
      return { _index = name, _id = id, _version = row._version, _seq_no = row._seq_no, _primary_term = 1,
               _source = assert(json.decode(row._source)) }
    end
  end
  return fail.not_found("there is no document [%s] in [%s]", id, index)
end

--- Deletes a document.
-- @tparam string index
-- @tparam string id
-- @tparam[opt] table guard `if_seq_no` and `if_primary_term`
-- @treturn table as @{documents.write}, its `result` is "not_found" when there was none
function documents.delete(index, id, guard)
  guard = guard or {}
  return documents.write(index, {
    action = "delete", id = id, if_seq_no = guard.if_seq_no, if_primary_term = guard.if_primary_term,
  }, { no_create = true })
end

--- Searches.
-- @tparam string index an expression; indices that are not there do not count
-- @tparam table body of a `_search`
-- @treturn table Elasticsearch's answer; or nil and an error
function documents.search(index, body)
  local indices, err = names.resolve(index, { ignore_unavailable = true })
  if not indices then return nil, err end
  return require "blip.query.search".run(indices, body, {})
end

return documents
