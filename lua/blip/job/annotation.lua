--- Annotations of the server's own: what happened to a job's data or models, at a time.
-- @module blip.job.annotation
local documents = require "blip.index.documents"
local job_index = require "blip.result.job_index"
local json = require "runtime.json"
local time = require "runtime.time"

local annotation = {}

local ORDER = {
  "annotation", "create_time", "create_username", "timestamp", "end_timestamp", "job_id", "modified_time",
  "modified_username", "type", "event",
}

--- Writes an annotation.
-- @tparam ?string id one that is there is replaced; one is made when it is nil
-- @tparam table fields `job_id`, `annotation`, `event`, `timestamp`, `end_timestamp`
-- @return true; or nil and an error
function annotation.write(id, fields)
  local ok, err = job_index.ensure(job_index.ANNOTATIONS)
  if not ok then return nil, err end
  local now_ms = time.now_ms()
  local document = {
    create_time = now_ms, create_username = "_xpack", modified_time = now_ms, modified_username = "_xpack",
    type = "annotation",
  }
  for name, value in pairs(fields) do document[name] = value end
  ok, err = documents.put(job_index.ANNOTATIONS, id, json.encode(json.ordered(document, ORDER)))
  return ok ~= nil, err
end

return annotation
