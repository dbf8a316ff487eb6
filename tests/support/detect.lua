--- Detectors over the series of @{support.minutes}, and their results, for specs of the engine.
-- @module support.detect
local aggregate = require "blip.query.aggregate"
local definition = require "blip.detector.definition"
local documents = require "blip.index.documents"
local json = require "runtime.json"
local minutes = require "support.minutes"

local detect = {}

--- A detector of the average `cpu` a minute: a forest with a shingle of 4 unless said otherwise.
-- @tparam string id
-- @tparam string index
-- @tparam[opt] table changes fields of the definition that differ
function detect.definition(id, index, changes)
  local given = {
    id = id, origin = "rest", indices = { index }, time_field = "ts", interval_ms = minutes.MINUTE,
    features = { { id = "fid", name = "cpu", expr = aggregate.avg "cpu" } },
    model = { kind = "forest", shingle = 4 },
  }
  for key, value in pairs(changes or {}) do given[key] = value end
  return assert(definition.new(given))
end

--- The moment of a minute, ms.
function detect.at(minute)
  return minutes.START + minute * minutes.MINUTE
end

--- All result documents of a detector in order of time and entity.
function detect.results(id)
  local answer = assert(documents.search(".opendistro-anomaly-results", {
    size = 10000,
    query = { term = { detector_id = id } },
    sort = { "data_start_time", "model_id" },
  }))
  local list = {}
  for i, hit in ipairs(answer.hits.hits) do list[i] = json.plain(hit._source) end
  return list
end

--- What results say, one line each: minute, entity, grade and score to nine digits.
function detect.lines(results)
  local list = {}
  for i, r in ipairs(results) do
    list[i] = ("%d %s %s %s"):format((r.data_start_time - minutes.START) // minutes.MINUTE,
      r.entity and r.entity[1].value or "-",
      r.anomaly_grade and ("%.9f"):format(r.anomaly_grade) or "error",
      r.anomaly_score and ("%.9f"):format(r.anomaly_score) or "")
  end
  return list
end

return detect
