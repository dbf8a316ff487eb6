--- A model set on the engine of jobs: the same methods as one of `runtime.model`.
-- All entities share one engine, which judges an interval as a whole. Rows reach it without passing
-- through Lua; only what it found strange does.
--
--     frame ─▶ engine ─▶ records ─▶ verdict columns of the rows that they are about
-- @module blip.detector.seasonal_set
local engine = require "runtime.job"
local json = require "runtime.json"
local seasonal = require "blip.detector.seasonal"

local SeasonalSet = {}
SeasonalSet.__index = SeasonalSet

local seasonal_set = {}

local WHOLE = "" -- the one key under which the engine is saved
local SAVED_INTERVALS = 64 -- after which it is saved again
local LEAST_SCORE = 1 -- of a record that counts as an anomaly, of 100
local SEPARATOR = "\31"

local function make(d, live, unsaved_ms)
  local config, err = seasonal.config(d)
  if not config then return nil, err end
  if not live then live, err = engine.new(config) end
  if not live then return nil, err end
  return setmetatable({
    config = config, roles = assert(seasonal.roles(d)), live = live, interval_ms = d.interval_ms,
    unsaved_ms = unsaved_ms,
  }, SeasonalSet)
end

--- An empty set.
-- @tparam table d definition whose model is of kind "seasonal"
-- @return the set; or nil and an error
function seasonal_set.new(d)
  return make(d)
end

local function key_of(id)
  return "detector:" .. id
end

--- The set that another job left in memory.
-- @tparam table d definition
-- @tparam table state of the run, see @{blip.detector.progress}
-- @return the set; or nil and an error of kind `not_found` or `busy`
function seasonal_set.borrow(d, state)
  local live, err = engine.borrow(key_of(state.run))
  if not live then return nil, err end
  local unsaved_ms = state.unsaved_ms
  return make(d, live, unsaved_ms and unsaved_ms < state.position_ms and unsaved_ms or nil)
end

--- Leaves a set in memory for the next job.
function seasonal_set.give_back(run, set)
  return engine.give_back(key_of(run), set.live)
end

--- Forgets what is left in memory.
function seasonal_set.drop(run)
  engine.drop(key_of(run))
end

-- --- scoring --------------------------------------------------------------------------------

-- The records among the lines of results.
local function records_of(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local record = line:find('"result_type":"record"', 1, true) and json.decode(line)
    if record and record.record_score >= LEAST_SCORE then list[#list + 1] = record end
  end
  return list
end

-- Text under which a row, or the part of a record that is about one, is found.
local function place(time_ms, partition, by, over)
  return table.concat({ time_ms, partition or "", by or "", over or "" }, SEPARATOR)
end

-- The rows of a frame by their places.
local function places_of(frame, roles)
  local function values(role) return roles[role] and frame:column(roles[role]) or {} end
  local time, partition, by, over = frame:column "time", values "partition", values "by", values "over"
  local rows = {}
  for row = 1, #frame do rows[place(time[row], partition[row], by[row], over[row])] = row end
  return rows
end

-- What a record is about: itself, or in a population each of its causes.
local function parts_of(record)
  local causes = record.causes
  return causes and #causes > 0 and causes or { record }
end

local function new_columns(features)
  local columns = {
    score = {}, grade = {}, confidence = {}, probability = {}, cause_feature = {}, influencers = {},
  }
  for i = 1, features do
    for _, name in ipairs { "expected_", "lower_", "upper_", "contribution_" } do columns[name .. i] = {} end
  end
  return columns
end

-- A row may be strange in several features: the worst one counts.
local function note(columns, row, record, part)
  if record.record_score / 100 <= columns.grade[row] then return end
  local feature, bounds = record.detector_index + 1, record.anomaly_score_explanation or {}
  columns.score[row], columns.grade[row] = record.record_score, record.record_score / 100
  columns.probability[row], columns.cause_feature[row] = record.probability, feature
  columns["expected_" .. feature][row] = part.typical and part.typical[1]
  columns["lower_" .. feature][row] = bounds.lower_confidence_bound
  columns["upper_" .. feature][row] = bounds.upper_confidence_bound
  columns["contribution_" .. feature][row] = 1.0
  columns.influencers[row] = record.influencers and json.encode(record.influencers) or nil
end

local function fill_columns(frame, columns, roles, records)
  for row = 1, #frame do
    columns.score[row], columns.grade[row], columns.confidence[row] = 0.0, 0.0, 1.0
  end
  if #records == 0 then return end
  local rows = places_of(frame, roles)
  for _, record in ipairs(records) do
    for _, part in ipairs(parts_of(record)) do
      local row = rows[place(record.timestamp, record.partition_field_value, part.by_field_value,
        part.over_field_value)]
      if row then note(columns, row, record, part) end
    end
  end
end

local function add_columns(frame, columns, inputs)
  local scored, start = {}, {}
  for row = 1, #frame do scored[row], start[row] = true, 0 end
  frame:set_column("scored", scored, "bool")
  frame:set_column("start_index", start, "int")
  frame:set_column("cause", {}, "int")
  frame:set_column("cause_feature", columns.cause_feature, "int")
  frame:set_column("influencers", columns.influencers, "text")
  frame:set_column("threshold", {})
  for _, name in ipairs { "score", "grade", "confidence", "probability" } do
    frame:set_column(name, columns[name])
  end
  for i = 1, #inputs do
    for _, name in ipairs { "expected_", "lower_", "upper_", "contribution_" } do
      frame:set_column(name .. i, columns[name .. i])
    end
    frame:set_column("past_" .. i, {})
    frame:set_column("imputed_" .. i, {}, "bool")
    frame:set_column("used_" .. i, frame:column(inputs[i]))
  end
end

-- Hands the rows to the engine and closes their intervals.
local function feed(self, frame)
  local last = frame:get(#frame, "time")
  self.unsaved_ms = self.unsaved_ms or frame:get(1, "time")
  local fed, err = self.live:feed(frame)
  if not fed then return nil, err end
  return self.live:flush { advance_ms = last + self.interval_ms }
end

--- Judges the rows, which are in the order of time, and adds the verdict columns.
function SeasonalSet:score(frame, names)
  local records = {}
  if #frame > 0 then
    local fed, err = feed(self, frame)
    if not fed then return nil, err end
    records = records_of(self.live:take_results "")
    self.live:take_annotations()
  end
  local columns = new_columns(#names.features)
  fill_columns(frame, columns, self.roles, records)
  add_columns(frame, columns, names.features)
  return self
end

-- --- keeping --------------------------------------------------------------------------------

--- Calls `keep(key, bytes)` with the engine, now and then: intervals since are taken again when it is
-- loaded.
-- @treturn integer how many were kept; or nil and an error
function SeasonalSet:save(keep)
  if not self.unsaved_ms then return 0 end
  local position_ms = self.live:position_ms() or self.unsaved_ms
  if position_ms - self.unsaved_ms < SAVED_INTERVALS * self.interval_ms then return 0 end
  local ok, err = keep(WHOLE, self.live:save())
  if not ok then return nil, err end
  self.unsaved_ms = nil
  return 1
end

--- The start of the first interval that is not saved; nil when all of them are.
function SeasonalSet:unsaved_from()
  return self.unsaved_ms
end

--- Puts the saved engine in place.
function SeasonalSet:load(_, bytes)
  local live, err = engine.load(self.config, bytes)
  if not live then return nil, err end
  self.live:close()
  self.live = live
  return self
end

--- No entity has to be known for the rows of others.
function SeasonalSet.keys()
  return {}
end

function SeasonalSet:close()
  self.live:close()
end

--- How many series there are.
function SeasonalSet:count()
  local stats = self.live:size_stats()
  return math.max(1, stats.total_by_field_count + stats.total_over_field_count)
end

function SeasonalSet:size()
  return self.live:size_stats().model_bytes
end

return seasonal_set
