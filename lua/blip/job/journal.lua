--- The operations of a job since its models were saved last: what was posted, flushed, fed.
-- An entry is committed with the results that it led to. After a crash the models come back from the
-- saved ones and from the entries since.
--
--     blip.snapshots   detector      entity               bytes
--                      job:web       models               what the engine saved
--                      job:web       config               the engine's configuration then, as JSON
--                      journal:web   00000000000000000042 {"kind":"data",...} \n body
-- @module blip.job.journal
local fail = require "blip.fail"
local json = require "runtime.json"
local spill = require "blip.job.spill"

local journal = {}

local SELECT = "SELECT bytes FROM blip.snapshots WHERE detector = ? AND entity = ?"
local ENTITIES = "SELECT entity FROM blip.snapshots WHERE detector = ? AND entity > ? ORDER BY entity"
local TRIM = "DELETE FROM blip.snapshots WHERE detector = ? AND entity <= ?"

local function models_of(id) return "job:" .. id end
local function entries_of(id) return "journal:" .. id end
local function entity(seq) return ("%020d"):format(seq) end

--- Appends an operation.
-- @param c connection, in a transaction
-- @tparam string id of the job
-- @tparam integer seq of the operation
-- @tparam table operation `kind`, what else it needs, and by choice `body`, a text of any bytes
-- @return true; or nil and an error
function journal.append(c, id, seq, operation)
  local head = {}
  for name, value in pairs(operation) do
    if name ~= "body" then head[name] = value end
  end
  local bytes = json.encode(head) .. "\n" .. (operation.body or "")
  return c:put_snapshot(entries_of(id), entity(seq), seq, bytes)
end

local function read(bytes)
  local head, body = bytes:match "^([^\n]*)\n(.*)$"
  local operation, err = json.decode(head)
  if not operation then return nil, err end
  operation.body = body ~= "" and body or nil
  return operation
end

--- The operations behind one, in order; one at a time is in memory.
-- @param c connection
-- @tparam string id of the job
-- @tparam integer seq the last operation that is not wanted
-- @tparam function visit `visit(operation)` -> true; or nil and an error, which ends it
-- @return true; or nil and an error
function journal.each(c, id, seq, visit)
  local list, err = c:query(ENTITIES, { entries_of(id), entity(seq) })
  if not list then return nil, err end
  for i = 1, #list do
    local frame, operation, ok
    frame, err = c:query(SELECT, { entries_of(id), list:get(i, "entity") })
    if not frame then return nil, err end
    operation, err = read(frame:get(1, "bytes"))
    frame:close()
    if not operation then return nil, err end
    ok, err = visit(operation)
    if not ok then return nil, err end
  end
  return true
end

--- Keeps the configuration that a job was opened with.
function journal.save_config(c, id, seq, config)
  return c:put_snapshot(models_of(id), "config", seq, json.encode(config))
end

--- Saves the models, and forgets the entries that they know.
-- @param c connection, in a transaction
-- @tparam string id of the job
-- @tparam integer seq the last operation that they know
-- @tparam string models bytes
-- @tparam table config the engine's configuration
-- @return true; or nil and an error
function journal.save_models(c, id, seq, models, config)
  local ok, err = c:put_snapshot(models_of(id), "models", seq, models)
  if ok then ok, err = journal.save_config(c, id, seq, config) end
  if ok then ok, err = c:execute(TRIM, { entries_of(id), entity(seq) }) end
  if not ok then return nil, err end
  return true
end

local function one(c, id, name)
  local frame, err = c:query(SELECT, { models_of(id), name })
  if not frame then return nil, err end
  local bytes = #frame > 0 and frame:get(1, "bytes") or nil
  frame:close()
  return bytes
end

--- The saved models.
-- @treturn ?string bytes, nil when none were saved
-- @treturn table the configuration that goes with them; or nil, nil and an error
function journal.load(c, id)
  local models, err = one(c, id, "models")
  if err then return nil, nil, err end
  local text
  text, err = one(c, id, "config")
  if err then return nil, nil, err end
  if not text then return nil, nil, select(2, fail.not_found("job '%s' was never opened", id)) end
  local config
  config, err = json.decode(text)
  return models, config, err
end

--- Forgets everything of a job.
function journal.delete(c, id)
  local ok, err = c:delete_snapshots(models_of(id))
  if ok then ok, err = c:delete_snapshots(entries_of(id)) end
  if ok then ok, err = spill.delete(c, id) end
  return ok, err
end

return journal
