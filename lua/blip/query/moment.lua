--- What indices hold at a moment, to be looked at again later as if nothing had come since.
--     { ["web-1"] = 1200 }     by index: the first _seq_no that is not part of it
-- A document that is replaced afterwards counts as one that came afterwards.
-- @module blip.query.moment
local filter = require "blip.query.filter"
local json = require "runtime.json"
local read = require "blip.query.read"
local store = require "runtime.store"

local moment = {}

--- Everything that is there now.
-- @tparam table indices a list of `{ name =, mapping = }`
-- @treturn table the moment; or nil and an error
function moment.now(indices)
  local ends = {}
  for _, index in ipairs(indices) do
    local frame, err = store.connection():query(
      ('SELECT coalesce(max("_seq_no"), -1) + 1 AS n FROM %s'):format(index.mapping.table))
    if not frame then return nil, err end
    ends[index.name] = frame:get(1, "n")
  end
  return json.object(ends)
end

--- The documents that were there.
-- @tparam table ends a moment, also one that was written as JSON and read again
function moment.filter(ends)
  local parts = {}
  for _, name in ipairs(read.keys(ends)) do
    parts[#parts + 1] = filter.term("_index", name) & filter.range("_seq_no", { lt = ends[name] })
  end
  return filter.any_of(parts)
end

return moment
