--- What a detector would have found: a sample of a range, scored by models of its own
-- (opensearch-ad.md 5.9).
--
--     range ─▶ up to 300 sampled intervals ─▶ straight lines between them ─▶ models ─▶ at most 1000
-- @module blip.detector.preview
local anomaly = require "blip.result.anomaly"
local definition = require "blip.detector.definition"
local features = require "blip.detector.features"
local fail = require "blip.fail"
local frame_of = require "runtime.frame".new
local json = require "runtime.json"
local models = require "blip.detector.models"
local rules = require "blip.detector.rules"
local run = require "blip.detector.run"
local work = require "runtime.work"

local preview = {}

local MINUTE = 60000
local SAMPLE_SHARE, MOST_SAMPLES = 0.25, 300
local LEAST_POINTS = 400
local MOST_RESULTS = 1000
local MOST_ENTITIES = 5

-- Sampled intervals: one of every `stride`.
local function strides(d, from, to)
  local buckets = (to - from) // d.interval_ms
  local samples = math.max(math.min(buckets * SAMPLE_SHARE, MOST_SAMPLES), 1)
  local stride = math.max(1, math.floor(buckets / samples))
  return stride, math.ceil(buckets / stride)
end

local function is_complete(values, row)
  for _, column in ipairs(values) do
    local value = column[row]
    if value ~= value or value == math.huge or value == -math.huge then return false end
  end
  return true
end

-- The sampled rows of one series that have all features: `{ time =, values = { column, ... } }`.
local function sample(r, from, to, changes)
  local d = r.d
  local stride, count = strides(d, from, to)
  local step = stride * d.interval_ms
  local stop = from + (count - 1) * step + d.interval_ms
  local frame, err = r.source.scan(r:plan(from, stop, changes))
  if not frame then return nil, err end
  local ok
  ok, err = features.compute(d, frame)
  if not ok then return nil, err end
  local time, columns, kept = frame:column "time", {}, {}
  for i, name in ipairs(features.columns(d)) do columns[i] = frame:column(name) end
  for row = 1, #frame do
    if (time[row] - from) % step == 0 and is_complete(columns, row) then kept[#kept + 1] = row end
  end
  return { rows = kept, time = time, columns = columns, stride = stride }
end

-- One column of samples, with stride - 1 values on the line between each two.
local function between(samples, column, stride)
  local values, rows = {}, samples.rows
  for i = 1, #rows - 1 do
    local a, b = column[rows[i]], column[rows[i + 1]]
    for k = 0, stride - 1 do values[#values + 1] = a + (b - a) * k / stride end
  end
  values[#values + 1] = column[rows[#rows]]
  return values
end

-- All points of a series as a frame, nil when they are too few.
local function interpolate(d, samples)
  local count = samples.stride * (#samples.rows - 1) + 1
  if #samples.rows == 0 or count < LEAST_POINTS then return nil end
  local frame, blank = frame_of { { "time", "int" } }, {}
  for i, time in ipairs(between(samples, samples.time, samples.stride)) do
    blank[i] = { time = math.floor(time) }
  end
  frame:append(blank)
  for i, name in ipairs(features.columns(d)) do
    frame:set_column(name, between(samples, samples.columns[i], samples.stride))
  end
  return frame
end

-- An even selection of at most MOST_RESULTS lines.
local function thin(lines)
  local count = #lines
  if count <= MOST_RESULTS then return lines end
  local kept = {}
  for i = 0, MOST_RESULTS - 1 do
    kept[i + 1] = lines[i * (count - 1) // (MOST_RESULTS - 1) + 1]
  end
  return kept
end

-- Category values beside the points of an entity.
local function add_entity(d, frame, entity)
  for i, field in ipairs(d.category) do
    local values = {}
    for row = 1, #frame do values[row] = entity[i] end
    frame:set_column(field, values, "text")
  end
end

local function score(d, frame)
  local set, err = models.new_set(d)
  if not set then return nil, err end
  local columns = { features = features.columns(d), entity = d.category }
  local ok
  ok, err = set:score(frame, columns)
  if not ok then return nil, err end
  rules.suppress(d, frame)
  return true
end

-- Adds the results of one series to the list.
local function preview_series(r, from, to, entity, results)
  work.check()
  local d = r.d
  local samples, err = sample(r, from, to, entity and { entities = { entity } })
  if not samples then return nil, err end
  local frame = interpolate(d, samples)
  if not frame then return true end
  if entity then add_entity(d, frame, entity) end
  local ok
  ok, err = score(d, frame)
  if not ok then return nil, err end
  local text, problem = anomaly.documents(d, frame, { schema_version = 0 })
  if not text then return nil, problem end
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  for _, line in ipairs(thin(lines)) do results[#results + 1] = json.decode(line) end
  return true
end

-- The entities with most documents, each as its values in category order.
local function top_entities(r, from, to)
  local frame, err = r.source.scan(r:plan(from, to, {
    interval_ms = to - from,
    offset_ms = from % (to - from),
    features = {},
  }))
  if not frame then return nil, err end
  frame:sort { "-rows" }
  local entities = {}
  for row = 1, math.min(#frame, MOST_ENTITIES) do
    entities[row] = {}
    for i, field in ipairs(r.d.category) do entities[row][i] = frame:get(row, field) end
  end
  return entities
end

--- Previews a detector.
-- @tparam table d definition
-- @tparam integer from start of the range, ms; cut to whole minutes
-- @tparam integer to end of the range, ms; likewise
-- @tparam[opt] table options `source`
-- @treturn table list of result documents as tables (opensearch-ad.md 6.1, schema_version 0, no
-- execution times, `detector_id` = `d.id`), those of an entity one after the other; empty when
-- there is too little data; or nil and an error
function preview.run(d, from, to, options)
  from, to = from - from % MINUTE, to - to % MINUTE
  if to <= from then return fail.invalid "the range of a preview is empty" end
  local grid = { source = options and options.source, offset_ms = from % d.interval_ms }
  local r, err = run.open(d, grid)
  if not r then return nil, err end
  local entities = { false }
  if not definition.is_single(d) then
    entities, err = top_entities(r, from, to)
    if not entities then return nil, err end
  end
  local results = {}
  for _, entity in ipairs(entities) do
    local ok
    ok, err = preview_series(r, from, to, entity or nil, results)
    if not ok then return nil, err end
  end
  return results
end

return preview
