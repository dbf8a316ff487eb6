--- Which detectors there are: documents made through REST, and scripts beside them.
--
--     registry.get(id)      -> the stored document (REST only)
--     registry.resolve(id)  -> the definition, whatever its origin
--
-- A REST detector is a document in `.opendistro-anomaly-detectors`. What its JSON means is known
-- by the dialect, and what a script means by the script loader: both hand a reader over when
-- they are loaded, so that the engine, which resumes detectors after a restart, depends on
-- neither.
-- @module blip.detector.registry
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local system = require "blip.detector.system"

local INDEX = system.DETECTORS

local registry = { INDEX = INDEX }

-- Readers by origin, in this worker's Lua state.
local readers = {}

--- Says who makes definitions of an origin.
-- @tparam string origin "rest" or "script"
-- @tparam table reader `find(id) -> definition`, or nil and an error (`not_found` lets the next
-- reader try); for "script" also `list() -> { definition, ... }`
function registry.reader(origin, reader)
  readers[origin] = reader
end

--- The definition of a detector.
-- @tparam string id
-- @treturn table definition; or nil and an error: `not_found`, or what is wrong with its source
function registry.resolve(id)
  for _, origin in ipairs { "script", "rest" } do
    local reader = readers[origin]
    if reader then
      local d, err = reader.find(id)
      if d or err.kind ~= "not_found" then return d, err end
    end
  end
  return fail.not_found("there is no detector '%s'", id)
end

--- The definitions of all scripts.
function registry.scripts()
  return readers.script and readers.script.list() or {}
end

--- Stores a new detector document under an id of its own.
-- @tparam table|string source the document, as a table or as JSON
-- @treturn table `{ _id, _version, _seq_no, _primary_term, result }`; or nil and an error
function registry.create(source)
  local ok, err = system.ensure(INDEX)
  if not ok then return nil, err end
  return documents.put(INDEX, nil, source, { op_type = "create" })
end

--- The stored document of a REST detector.
-- @tparam string id
-- @treturn table `{ _id, _version, _seq_no, _primary_term, _source }`; or nil and `not_found`
function registry.get(id)
  return documents.get(INDEX, id)
end

--- Replaces a detector document.
-- @tparam string id
-- @tparam table|string source
-- @tparam[opt] table guard `if_seq_no` and `if_primary_term`
-- @treturn table as create(); or nil and an error: `conflict` when somebody was faster
function registry.update(id, source, guard)
  return documents.put(INDEX, id, source, guard)
end

--- Deletes a detector document and what the engine keeps about it (positions, snapshots).
-- Its results stay.
-- @tparam string id
-- @tparam[opt] table guard as update()
-- @treturn table the answer of the store; or nil and an error
function registry.delete(id, guard)
  local answer, err = documents.delete(INDEX, id, guard)
  if not answer then return nil, err end
  system.forget(id)
  return answer
end

--- Searches detector documents.
-- @tparam table body a `_search` body
-- @treturn table Elasticsearch's answer; or nil and an error
function registry.search(body)
  return documents.search(INDEX, body)
end

return registry
