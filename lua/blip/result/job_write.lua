--- Writes result documents, in the open transaction.
-- @module blip.result.job_write
local documents = require "blip.index.documents"
local fail = require "blip.fail"
local json = require "runtime.json"

local job_write = {}

local function resolve(c, bulk)
  for i, target in ipairs(bulk:targets()) do
    local index, err = documents.target(target.name, { no_create = true })
    if not index then return nil, err end
    bulk:resolve(i, c, index)
  end
  return true
end

local function run(c, bulk)
  local ok, err = resolve(c, bulk)
  if ok then ok, err = bulk:run(c) end
  if not ok then return nil, err end
  local items, failed = bulk:items(false)
  if failed then return fail.failed("a result was refused: %s", items:match '"error":(%b{})' or items) end
  return true
end

--- Writes the lines of a bulk request; all of them, or none when the transaction is rolled back.
-- @param c connection, in a transaction. The index must be there
-- @tparam string index that lines go to which name none
-- @tparam string lines action and document lines
-- @return true; or nil and an error
function job_write.lines(c, index, lines)
  if lines == "" then return true end
  local bulk, err = c:bulk(lines, index)
  if not bulk then return nil, err end
  local ok
  ok, err = run(c, bulk)
  bulk:close()
  return ok, err
end

--- The lines that put one document in its place.
-- @tparam ?string id one is made when it is nil
-- @param document table or json value
function job_write.line(id, document)
  return json.encode { index = json.object { _id = id } } .. "\n" .. json.encode(document) .. "\n"
end

--- The line that deletes one document.
function job_write.deletion(id)
  return json.encode { delete = { _id = id } } .. "\n"
end

return job_write
