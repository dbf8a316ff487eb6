--- What a datafeed takes at a time, as @{blip.job.extract} wants it.
-- @module blip.job.stretch
local units = require "blip.job.units"

local stretch = {}

-- Fields of a job's data, in order and each once.
local function fields_of(job)
  local list, seen = {}, {}
  local function add(name)
    if name and not seen[name] then list[#list + 1] = name end
    if name then seen[name] = true end
  end
  local analysis = job.analysis_config
  for _, detector in ipairs(analysis.detectors) do
    add(detector.field_name)
    add(detector.by_field_name)
    add(detector.over_field_name)
    add(detector.partition_field_name)
  end
  for _, name in ipairs(analysis.influencers or {}) do add(name) end
  add(analysis.summary_count_field_name)
  return list
end

--- What a datafeed asks its indices for, without a range of time.
-- @tparam table feed its configuration
-- @tparam table job its job's
function stretch.new(feed, job)
  return {
    indices = feed.indices, indices_options = feed.indices_options, query = feed.query,
    time_field = job.data_description.time_field, aggregations = feed.aggregations, user = feed.user,
    fields = not feed.aggregations and fields_of(job) or nil,
  }
end

--- The same over a range of time.
function stretch.at(base, from_ms, to_ms)
  local one = {}
  for name, value in pairs(base) do one[name] = value end
  one.from_ms, one.to_ms = from_ms, to_ms
  return one
end

--- The length of a chunk that somebody has set by hand, in milliseconds.
function stretch.chunk_ms(chunking)
  return units.time_ms(chunking.time_span, "time_span")
end

return stretch
