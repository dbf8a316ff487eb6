--- The indices that results go into.
--
--     alias  .opendistro-anomaly-results  ->  .opendistro-anomaly-results-history-2026.11.24-1
--            opensearch-ad-plugin-result-x -> opensearch-ad-plugin-result-x-history-2026.11.24-1
-- @module blip.result.index
local fields = require "blip.result.fields"
local names = require "blip.index.names"
local own = require "blip.index.own"
local time = require "runtime.time"

local index = { ALIAS = ".opendistro-anomaly-results" }

local function alias_of(d)
  return d.result_index or index.ALIAS
end

local function today()
  return (time.format(time.now_ms()):sub(1, 10):gsub("%-", "."))
end

--- Makes sure that there is an index behind an alias for results.
-- @tparam string alias
-- @return true; or nil and an error
function index.make(alias)
  if names.write_index(alias) then return true end
  local name = ("%s-history-%s-1"):format(alias, today())
  return own.make(name, fields.RESULT, { [alias] = { is_write_index = true } })
end

--- Makes sure that a detector's results have somewhere to go. Outside of a transaction.
function index.prepare(_, d)
  return index.make(alias_of(d))
end

--- Writes result documents, in the open transaction.
-- @param c connection
-- @tparam table d definition
-- @tparam string text NDJSON
-- @return how many; or nil and an error
function index.append(c, d, text)
  local target, err = names.write_index(alias_of(d))
  if not target then return nil, err end
  return c:append_documents(target, text)
end

return index
