--- Keeps the series that a job has moved out of memory, in the store.
-- A series has a number that is never used twice, so that a job that was saved finds what it knew.
--
--     blip.snapshots   detector      entity                 bytes
--                      spill:web     00000000000000000007   one series
-- @module blip.job.spill
local fail = require "blip.fail"

local spill = {}

local SELECT = "SELECT bytes FROM blip.snapshots WHERE detector = ? AND entity = ?"
local DELETE = "DELETE FROM blip.snapshots WHERE detector = ? AND entity = ?"

local function place(id) return "spill:" .. id end
local function entity(number) return ("%020d"):format(number) end

--- Who keeps the series of a job.
-- @param c connection
-- @tparam string id of the job
-- @treturn table for the engine's `keep`
function spill.keeper(c, id)
  return {
    put = function(number, bytes) return c:put_snapshot(place(id), entity(number), number, bytes) end,
    get = function(number)
      local frame, err = c:query(SELECT, { place(id), entity(number) })
      if not frame then return nil, err end
      local bytes = #frame > 0 and frame:get(1, "bytes") or nil
      frame:close()
      if not bytes then return fail.not_found("series %d of job '%s' is not kept", number, id) end
      return bytes
    end,
  }
end

--- Forgets what a saved job does not need any more.
-- @param c connection, in the transaction that saves it
-- @tparam string id of the job
-- @param live its models
-- @return true; or nil and an error
function spill.forget(c, id, live)
  for _, number in ipairs(live:take_released()) do
    local ok, err = c:execute(DELETE, { place(id), entity(number) })
    if not ok then return nil, err end
  end
  return true
end

--- Forgets everything of a job.
function spill.delete(c, id)
  return c:delete_snapshots(place(id))
end

return spill
