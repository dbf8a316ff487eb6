--- Bytes of a saved forest of one tree that a spec has drawn itself: a model that knows exactly
-- these points, cut exactly so. Mirrors runtime/model/{model,stream_save,forest_save}.c.
-- @module support.forest_snapshot
local forest_snapshot = {}

local MAGIC, FORMAT, FOREST = 0x4D504C42, 1, 0
local LEAF, NO_ROW, NO_KEY = 0x8000, 0xFFFF, -32768
local DEVIATION = 4 * 8
local TRANSFORM = 5 * DEVIATION + 8
local DECAY = 1 / 2560
local ROWS_SEEN = 10 -- no longer held back

--- The checksum of model/pack.c.
function forest_snapshot.checksum(bytes)
  local prime = 0x9E3779B97F4A7C15
  local hash = #bytes * prime
  local padded = bytes .. ("\0"):rep(-#bytes % 8)
  for at = 1, #padded, 8 do
    hash = (hash ~ string.unpack("<I8", padded, at)) * prime
    hash = hash ~ (hash >> 29)
  end
  return hash
end

local function options(dims, samples)
  return string.pack("<I8I8I8I8I8dI8dddBBBB", 0, 0, 1, 1, samples, DECAY, 1, 1.0, 3.0, 0.005, 1, 1, 0, 3)
    .. ("\0"):rep(dims * 8 + dims * 32 + 8 + 8)
end

local function stream(dims)
  return string.pack("<I8I8I8", ROWS_SEEN, ROWS_SEEN, 0)
    .. ("\0"):rep(2 * DEVIATION + dims * TRANSFORM + 2 * dims * 8 + 1)
end

local function corrector(dims)
  return ("\0"):rep(3 * DEVIATION + 3 * 8 + 1 + 4 + 1 + 1 + 8 + 8 + 4 + 2 * dims * 4 + dims * 8
    + dims * 2 * DEVIATION)
end

-- Each point is a row; its copies are samples that share the row, the first is the leaf.
local function samples_of(points, copies, capacity)
  local rows, keys, first = {}, {}, {}
  for i = 1, #points do
    first[i] = #rows
    for _ = 1, copies[i] or 1 do
      rows[#rows + 1], keys[#keys + 1] = string.pack("<I2", i - 1), string.pack("<i2", 0)
    end
  end
  for i = #rows + 1, capacity do
    rows[i], keys[i] = string.pack("<I2", NO_ROW), string.pack("<i2", NO_KEY)
  end
  return table.concat(rows) .. table.concat(keys), first
end

local function ring(points)
  local out = {}
  for i, point in ipairs(points) do
    out[i] = string.pack("<" .. ("f"):rep(#point), table.unpack(point))
  end
  return table.concat(out)
end

--- Bytes for model.load().
-- @tparam {{number,...},...} points coordinates of each distinct point
-- @tparam {integer,...} copies of each point, 1 where it is nil
-- @tparam table nodes the tree, parents first, left before right: `{ dim =, cut = }` (dim counts
--   from 0) or `{ leaf = }` (number of a point, from 1)
function forest_snapshot.bytes(points, copies, nodes)
  local dims, capacity = #points[1], 256
  local samples, first = samples_of(points, copies, capacity)
  local tree = {}
  for i, node in ipairs(nodes) do
    tree[i] = node.leaf and string.pack("<I2", LEAF + first[node.leaf])
      or string.pack("<I2f", node.dim, node.cut)
  end
  local body = string.pack("<I4I4I4I4", MAGIC, FORMAT, FOREST, dims) .. options(dims, capacity)
    .. string.pack("<I8", #points) .. stream(dims) .. corrector(dims)
    .. string.pack("<I8I8I8I2", 0, #points, #points, capacity) .. ring(points)
    .. string.pack("<I8BI8", 7, 0, 0) .. samples .. table.concat(tree)
  return body .. string.pack("<I8", forest_snapshot.checksum(body))
end

return forest_snapshot
