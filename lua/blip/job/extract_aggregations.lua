--- The answers of aggregations as records: one per leaf of the tree (elastic-ml.md 8.4).
--
--     histogram bucket ─ terms bucket ─ metrics     { time = max of the time field, host = "a",
--                                                     took = 1.5, doc_count = 12 }
--
-- Most datafeeds have a histogram with terms and metrics inside: these are one statement, whose rows
-- are the records (@{blip.job.extract_plan}). All others are searched and their answer is walked.
-- @module blip.job.extract_aggregations
local frames = require "runtime.frame"
local json = require "runtime.json"
local plan = require "blip.job.extract_plan"
local search = require "blip.query.search"

local aggregations = {}

local COUNT = "doc_count"

-- --- walking an answer ----------------------------------------------------------------------

-- The value of a metric's answer: a number, or nil when it has none.
local function metric_value(answer)
  local value = answer.value
  if type(value) == "number" then return value end
  if answer.location then return ("%.12f,%.12f"):format(answer.location.lat, answer.location.lon) end
  local values = answer.values
  if values then
    local _, first = next(values)
    return type(first) == "number" and first or nil
  end
  return nil
end

local function is_answer(value)
  return type(value) == "table" and not json.is_array(value)
end

-- Names of the aggregations below a bucket, in order.
local function names_in(bucket)
  local list = {}
  for name, value in pairs(bucket) do
    if is_answer(value) and name ~= "key" then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function text_of(key)
  return math.type(key) == "float" and key == key // 1 and ("%.0f"):format(key) or tostring(key)
end

local Walk = {}
Walk.__index = Walk

-- Takes one record down: what was gathered on the way, with the count of its bucket.
function Walk:emit(bucket)
  local record = {}
  for name, value in pairs(self.path) do record[name] = value end
  record[COUNT] = bucket.doc_count
  if record[self.time_field] then
    record[self.time_field] = math.floor(record[self.time_field])
    self.records[#self.records + 1] = record
  end
end

-- Calls `inner` while a name stands for a value.
function Walk:with(name, value, inner)
  local before = self.path[name]
  self.path[name] = value
  inner()
  self.path[name] = before
end

function Walk:buckets(name, list)
  for _, bucket in ipairs(list) do
    if bucket.doc_count > 0 then
      local key = bucket.key
      if is_answer(key) then
        self:composite(key, bucket)
      elseif name == self.histogram then
        self:bucket(bucket)
      else
        self:with(name, bucket.key_as_string or text_of(key), function() self:bucket(bucket) end)
      end
    end
  end
end

-- The sources of a composite bucket's key are names with values.
function Walk:composite(key, bucket)
  local before = {}
  for name, value in pairs(key) do
    before[name] = self.path[name]
    if value ~= json.null and name ~= self.histogram then self.path[name] = text_of(value) end
  end
  self:bucket(bucket)
  for name in pairs(key) do self.path[name] = before[name] end
end

-- Metrics first, then what branches, of which there is at most one; without one it is a leaf.
function Walk:bucket(bucket)
  local branches, held = {}, {}
  for _, name in ipairs(names_in(bucket)) do
    local answer = bucket[name]
    if answer.buckets or answer.doc_count then
      branches[#branches + 1] = name
    else
      local value = metric_value(answer)
      local target = name == self.time_name and self.time_field or name
      held[target] = self.path[target] or false
      if value ~= nil then self.path[target] = value end
    end
  end
  for _, name in ipairs(branches) do
    local answer = bucket[name]
    if answer.buckets then self:buckets(name, answer.buckets) else self:bucket(answer) end
  end
  if #branches == 0 then self:emit(bucket) end
  for name, value in pairs(held) do self.path[name] = value or nil end
end

-- --- what the aggregations are called -------------------------------------------------------

local HISTOGRAMS = { date_histogram = true, histogram = true }

-- The name of the histogram, or of the composite source that is one; and of the maximum of the time.
local function find_names(definitions, time_field, found)
  for name, definition in pairs(definitions or {}) do
    for kind, body in pairs(definition) do
      if HISTOGRAMS[kind] then found.histogram = name end
      if kind == "max" and body.field == time_field then found.time = name end
      if kind == "composite" then
        for _, source in ipairs(body.sources) do
          local inner, of = next(source)
          if of.date_histogram then found.histogram = inner end
        end
      end
    end
    find_names(definition.aggregations or definition.aggs, time_field, found)
  end
  return found
end

local function composite_of(definitions)
  for name, definition in pairs(definitions) do
    if definition.composite then return name, definition.composite end
  end
  return nil
end

-- Asks for page after page of a composite aggregation; otherwise once.
local function each_answer(stretch, indices, where, visit)
  local name, composite = composite_of(stretch.aggregations)
  local after = composite and composite.after
  repeat
    if composite then composite.after = after end
    local body = { size = 0, aggregations = stretch.aggregations }
    local answer, err = search.run(indices, body, { filter = where })
    if not answer then return nil, err end
    local found = json.plain(answer.aggregations)
    visit(found)
    after = name and found[name].after_key
  until not after
  if composite then composite.after = nil end
  return true
end

-- --- frames ---------------------------------------------------------------------------------

local function column_type(records, name)
  for _, record in ipairs(records) do
    local value = record[name]
    if value ~= nil then return type(value) == "string" and "text" or "double" end
  end
  return "double"
end

local function frame_of(records, time_field)
  local seen, order = { [time_field] = true }, {}
  for _, record in ipairs(records) do
    for name in pairs(record) do
      if not seen[name] then order[#order + 1] = name end
      seen[name] = true
    end
  end
  table.sort(order)
  local columns = { { time_field, "int" } }
  for i, name in ipairs(order) do columns[i + 1] = { name, column_type(records, name) } end
  return frames.new(columns):append(records)
end

--- Takes the answer of a stretch's aggregations.
-- @tparam table stretch `aggregations`, `time_field`
-- @tparam table indices resolved
-- @param where filter
-- @tparam[opt] integer limit
-- @return a frame; or nil and an error
function aggregations.frame(stretch, indices, where, limit)
  local compiled = plan.read(stretch.aggregations, stretch.time_field)
  if compiled then return plan.frame(compiled, indices, where, limit) end
  local found = find_names(stretch.aggregations, stretch.time_field, {})
  local walk = setmetatable({
    records = {}, path = {}, time_field = stretch.time_field, time_name = found.time,
    histogram = found.histogram,
  }, Walk)
  local ok, err = each_answer(stretch, indices, where, function(answer) walk:bucket(answer) end)
  if not ok then return nil, err end
  local frame = frame_of(walk.records, stretch.time_field)
  return frame:sort { stretch.time_field }
end

return aggregations
