--- The embedded store as a source: a plan in, a frame out.
-- @module blip.source.store
local index_names = require "blip.index.names"
local plan_of = require "blip.query.plan".new
local rights = require "blip.source.rights"
local sql = require "blip.query.sql"
local store = require "runtime.store"

local source = {}

--- The indices of a plan that its `user` may read.
local function readable(plan)
  local subject, err = rights.of(plan.user)
  if err then return nil, err end
  return index_names.resolve(plan.indices, { subject = subject, action = subject and rights.READ })
end

--- Answers a plan.
-- @tparam table plan as @{blip.query.plan.new} takes it
-- @return a frame ordered by time and category: `time` (the bucket's beginning, milliseconds),
-- one text column per category field, `rows`, one double column per feature. Buckets without
-- rows are absent
-- @return or nil and an error
function source.scan(plan)
  local complete, err = plan_of(plan)
  if not complete then return nil, err end
  local indices
  indices, err = readable(complete)
  if not indices then return nil, err end
  local statement, params = sql.scan(complete, indices)
  if not statement then return nil, params end
  return store.connection():query(statement, params)
end

return source
