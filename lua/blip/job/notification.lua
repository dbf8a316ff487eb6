--- Notifications: what happened to a job, for people to read; documents in `.ml-notifications-000002`.
-- @module blip.job.notification
local documents = require "blip.index.documents"
local job_index = require "blip.result.job_index"
local json = require "runtime.json"
local log = require "runtime.log"
local time = require "runtime.time"

local notification = {}

local ORDER = { "job_id", "level", "message", "timestamp", "node_name", "job_type" }

--- Writes a notification. One that cannot be written is logged: nothing fails for it.
-- @tparam string job_id
-- @tparam string level "info", "warning" or "error"
-- @tparam string message a format, with what it takes behind it
function notification.write(job_id, level, message, ...)
  local text = select("#", ...) > 0 and message:format(...) or message
  local ok, err = job_index.ensure(job_index.NOTIFICATIONS)
  if ok then
    ok, err = documents.put(job_index.NOTIFICATIONS, nil, json.encode(json.ordered({
      job_id = job_id, level = level, message = text, timestamp = time.now_ms(), node_name = "blip",
      job_type = "anomaly_detector",
    }, ORDER)))
  end
  if not ok then log.warn("notification_lost", { job = job_id, message = text, reason = err.reason }) end
end

return notification
