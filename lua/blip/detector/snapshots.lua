--- Models between memory and the store.
-- A few are saved with every commit, in turn. The set keeps within a budget by forgetting saved
-- models that were not used for long; they come back when a row of theirs does.
-- @module blip.detector.snapshots
local config = require "blip.config"

local snapshots = {}

-- What one commit saves; ten times as many while the set is too large.
local SAVED_BYTES, SAVED = 16 << 20, 100
local CHUNKS = { 1, 16, 256 } -- entities of one query: few texts, so that statements stay prepared

local SELECT = "SELECT entity, position_ms, bytes FROM blip.snapshots WHERE detector = ? AND entity IN (?%s)"

local function half_of_memory()
  local file = io.open "/proc/meminfo"
  local kb = file and tonumber(file:read("a"):match "MemTotal:%s*(%d+)")
  if file then file:close() end
  return (kb or 4 << 20) * 512
end

local budget

-- Bytes that the models of one run may take.
local function budget_bytes()
  if not budget then
    local given = config.get and config.get()
    budget = given and given.model_memory or 0
    if budget == 0 then budget = half_of_memory() end
  end
  return budget
end

local function load_rows(frame, set)
  for row = 1, #frame do
    local ok, err = set:load(frame:get(row, "entity"), frame:get(row, "bytes"), frame:get(row, "position_ms"))
    if not ok then return nil, err end
  end
  frame:close()
  return true
end

--- Puts all saved models of a run into a set.
-- @return true; or nil and an error
function snapshots.load_all(c, run, set)
  local frame, err = c:get_snapshots(run)
  if not frame then return nil, err end
  return load_rows(frame, set)
end

-- The size of a chunk that holds `count` entities, or the largest.
local function chunk_size(count)
  for _, size in ipairs(CHUNKS) do
    if count <= size then return size end
  end
  return CHUNKS[#CHUNKS]
end

local function load_chunk(c, run, set, keys, first, size)
  local params = { run }
  for i = 0, size - 1 do params[i + 2] = keys[math.min(first + i, #keys)] end
  local frame, err = c:query(SELECT:format((", ?"):rep(size - 1)), params)
  if not frame then return nil, err end
  return load_rows(frame, set)
end

--- Puts the saved models of some entities into a set; those that were never saved are left out.
-- @return true; or nil and an error
function snapshots.load(c, run, set, keys)
  local first = 1
  while first <= #keys do
    local size = chunk_size(#keys - first + 1)
    local ok, err = load_chunk(c, run, set, keys, first, size)
    if not ok then return nil, err end
    first = first + size
  end
  return true
end

--- Saves some of the models that changed; all of them when they are a script's.
-- @param c connection, in a transaction
-- @tparam string run
-- @param set
-- @tparam integer last_ms start of the last interval that the models know
-- @treturn integer how many; or nil and an error
function snapshots.save(c, run, set, last_ms)
  local more = set:size() > budget_bytes() and 10 or 1
  return set:save(function(entity, bytes)
    return c:put_snapshot(run, entity, last_ms, bytes)
  end, SAVED_BYTES * more, SAVED * more)
end

--- Brings a set back into its budget, as far as its models are saved.
-- @tparam[opt] integer bytes another budget
function snapshots.trim(set, bytes)
  bytes = bytes or budget_bytes()
  if set.trim and set:size() > bytes then set:trim(bytes) end
end

return snapshots
