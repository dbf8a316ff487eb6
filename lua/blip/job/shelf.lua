--- Documents of one kind in one of the server's own indices: what the registries of jobs, datafeeds,
-- calendars and filters have in common.
--     local shelf = shelves.new { index = ".ml-config", prefix = "datafeed-", kind = "datafeed",
--                                 missing = "No datafeed with id [%s] exists" }
-- A document is a table; the shelf adds `config_type` (in `.ml-meta` `type`), which says its kind, and
-- takes it away again.
-- @module blip.job.shelf
local documents = require "blip.index.documents"
local ids = require "blip.job.ids"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local own = require "blip.index.own"
local refuse = require "blip.job.refuse"
local store = require "runtime.store"

local KINDS = { [".ml-config"] = "config_type", [".ml-meta"] = "type" }
local RETRIES = 10
local KEYWORD, UNREAD = { type = "keyword" }, { type = "object", enabled = false }

local INDICES = {
  [".ml-config"] = {
    config_type = KEYWORD, job_id = KEYWORD, datafeed_id = KEYWORD, groups = KEYWORD, job_type = KEYWORD,
    create_time = { type = "date" }, finished_time = { type = "date" }, results_index_name = KEYWORD,
    analysis_config = UNREAD, custom_settings = UNREAD, query = UNREAD, aggregations = UNREAD,
    script_fields = UNREAD, runtime_mappings = UNREAD, indices_options = UNREAD,
  },
  [".ml-meta"] = {
    type = KEYWORD, calendar_id = KEYWORD, filter_id = KEYWORD, job_ids = KEYWORD,
    event_id = KEYWORD, description = KEYWORD, start_time = { type = "date" }, end_time = { type = "date" },
    items = KEYWORD,
  },
}

local Shelf = {}
Shelf.__index = Shelf

local shelf = {}

--- A shelf.
-- @tparam table options `index`, `prefix` of document ids, `kind`, `missing` (format of the 404),
-- `ordered` (function that puts the fields of a document in their order)
function shelf.new(options)
  return setmetatable(options, Shelf)
end

function Shelf:key(id)
  return self.prefix .. id
end

local function dressed(self, document)
  local copy, keys = {}, json.keys(document)
  for name, value in pairs(document) do copy[name] = value end
  local kind = KINDS[self.index]
  copy[kind], keys[#keys + 1] = self.kind, kind
  return json.ordered(copy, keys)
end

local function bare(self, source)
  source[KINDS[self.index]] = nil
  return self.ordered and self.ordered(source) or source
end

--- Stores a new document.
-- @treturn boolean false when the id is taken; raises what the store says otherwise
function Shelf:create(id, document)
  assert(own.make(self.index, INDICES[self.index]))
  local ok, err = documents.put(self.index, self:key(id), dressed(self, document), { op_type = "create" })
  if ok then return true end
  if err.kind == "conflict" then return false end
  error(err, 0)
end

--- Stores a document, whatever was there.
function Shelf:put(id, document)
  assert(own.make(self.index, INDICES[self.index]))
  assert(documents.put(self.index, self:key(id), dressed(self, document)))
  return document
end

local function row_of(self, id)
  return documents.row(self.index, self:key(id))
end

local function read(self, text)
  return bare(self, assert(json.decode(text)))
end

--- A document; nil when there is none.
function Shelf:find(id)
  local row = row_of(self, id)
  return row and read(self, row._source)
end

--- A document; raises the shelf's 404.
function Shelf:get(id)
  return self:find(id) or refuse.missing(self.missing, id)
end

--- The documents that an expression names, in the order of their ids.
-- @tparam ?string expression see @{blip.job.ids.expand}
-- @tparam function names_of gives the names of a document that the expression may use
-- @tparam[opt=true] boolean allow_no_match whether a pattern may match nothing
-- @treturn {table,...} documents; raises the shelf's 404
function Shelf:list(expression, names_of, allow_no_match)
  local members = {}
  for i, document in ipairs(self:all()) do
    members[i] = { document = document, names = names_of(document) }
  end
  local chosen, unmatched = ids.expand(expression, members, allow_no_match)
  if #unmatched > 0 then refuse.missing(self.missing, table.concat(unmatched, ",")) end
  local list = {}
  for i, member in ipairs(chosen) do list[i] = member.document end
  return list
end

--- All documents, in the order of their ids.
function Shelf:all()
  local m = mapping.get(self.index)
  if not m then return {} end
  local frame = assert(assert(store.connection()):query(
    ("SELECT _source FROM main.%s WHERE starts_with(_id, ?) ORDER BY _id"):format(m.table), { self.prefix }))
  local list = {}
  for i = 1, #frame do list[i] = read(self, frame:get(i, "_source")) end
  return list
end

--- Changes a document: `change(document)` gets it and returns the new one, or nil to leave it.
-- When somebody was faster it is called again, with what they wrote.
-- @treturn table the document as it is now; raises the shelf's 404, and what `change` raises
function Shelf:update(id, change)
  for _ = 1, RETRIES do
    local row = row_of(self, id) or refuse.missing(self.missing, id)
    local before = read(self, row._source)
    local after = change(before)
    if not after then return before end
    local ok, err = documents.put(self.index, self:key(id), dressed(self, after),
      { if_seq_no = row._seq_no, if_primary_term = 1 })
    if ok then return after end
    if err.kind ~= "conflict" then error(err, 0) end
  end
  refuse.status(409, "[%s] was modified while the update was in progress", id)
end

--- Removes a document.
-- @treturn boolean whether there was one
function Shelf:delete(id)
  local answer, err = documents.delete(self.index, self:key(id))
  if answer then return answer.result == "deleted" end
  if err.status == 404 or err.kind == "not_found" then return false end
  error(err, 0)
end

return shelf
