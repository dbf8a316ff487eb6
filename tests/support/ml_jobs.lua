--- Jobs of the Elastic dialect and results that a client puts there, for specs.
--     local jobs = require "support.ml_jobs"
--     jobs.create(blip, "requests", { groups = { "web" } })
--     jobs.results(blip, "requests", "bucket", { { timestamp = 0, anomaly_score = 60 } })
-- @module support.ml_jobs
local json = require "runtime.json"

local jobs = {}

--- The body of a job that counts records; `changes` replace fields of it.
function jobs.body(changes)
  local body = {
    analysis_config = { bucket_span = "1h", detectors = { { ["function"] = "count" } } },
    data_description = { time_field = "time", time_format = "epoch" },
  }
  for name, value in pairs(changes or {}) do body[name] = value end
  return body
end

--- Creates a job; raises when it is refused.
function jobs.create(blip, id, changes)
  local answer = blip:put("/_ml/anomaly_detectors/" .. id, jobs.body(changes))
  assert(answer.status == 200, answer.body)
  return answer.json
end

--- Opens a job; raises when it is refused.
function jobs.open(blip, id)
  local answer = blip:post(("/_ml/anomaly_detectors/%s/_open"):format(id))
  assert(answer.status == 200, answer.body)
  return answer.json
end

--- Puts result documents where a job's results are; `list` has what each is to have beside `job_id`
-- and `result_type`.
function jobs.results(blip, id, result_type, list)
  for i, document in ipairs(list) do
    document.job_id, document.result_type = id, result_type
    local answer = blip:put(("/.ml-anomalies-%s/_doc/%s_%s_%d"):format(id, id, result_type, i), document)
    assert(answer.status == 201, answer.body)
  end
  blip:post("/.ml-anomalies-shared/_refresh")
end

--- Asserts that an answer is a refusal.
function jobs.refused(answer, status, reason)
  local luassert = require "luassert"
  luassert.equal(status, answer.status, answer.body)
  if reason then
    local said = json.encode(answer.json)
    luassert.is_true(said:find(reason, 1, true) ~= nil, said)
  end
end

--- The values of one field in a list of objects.
function jobs.pluck(list, name)
  local values = {}
  for i, one in ipairs(list) do values[i] = one[name] end
  return values
end

return jobs
