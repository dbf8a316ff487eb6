--- Looks for documents that came after their bucket was final: more in the index than the bucket
-- counted (elastic-ml.md 8.4).
-- @module blip.job.delayed_data
local annotation = require "blip.job.annotation"
local config = require "blip.job.config"
local extract = require "blip.job.extract"
local feed_config = require "blip.job.feed_config"
local job_search = require "blip.result.job_search"
local log = require "runtime.log"
local notification = require "blip.job.notification"
local source = require "blip.source.store"
local stretches = require "blip.job.stretch"
local time = require "runtime.time"
local view = require "blip.result.view"

local delayed_data = {}

local MOST_BUCKETS = 10000
local LEAST_INTERVAL_MS = 15 * 60000 -- between two checks, or half a bucket where that is less

-- The final buckets of a stretch: start to event count; and the end of the last one.
local function counted(job, from, to)
  local page, err = job_search.page(job, "bucket", {
    start = tostring(from), ["end"] = tostring(to), exclude_interim = true, sort = "timestamp",
    size = MOST_BUCKETS,
  })
  if not page then return nil, err end
  local found, last = {}, nil
  for _, bucket in ipairs(page.documents) do
    last = view.time(bucket.timestamp)
    found[last] = bucket.event_count or 0
  end
  return found, last
end

-- The documents per bucket that the indices have now.
local function present(stretch, span_ms)
  local where, err = extract.filter(stretch)
  if not where then return nil, err end
  return source.scan {
    indices = stretch.indices, filter = where, interval_ms = span_ms, features = {}, user = stretch.user,
    time = { field = stretch.time_field, from = stretch.from_ms, to = stretch.to_ms },
  }
end

--- How many documents of a stretch no final bucket has counted.
-- @tparam table feed
-- @tparam table job
-- @tparam integer from_ms start of a bucket
-- @tparam integer to_ms end of a bucket
-- @treturn integer how many
-- @treturn ?integer start of the last bucket that lacks some; or nil and an error
function delayed_data.missing(feed, job, from_ms, to_ms)
  local span_ms = config.bucket_span_ms(job)
  local buckets, last = counted(job, from_ms, to_ms)
  if not buckets then return nil, last end
  if not last then return 0 end
  local frame, err = present(stretches.at(stretches.new(feed, job), from_ms, last + span_ms), span_ms)
  if not frame then return nil, err end
  local count, at = 0, nil
  for i = 1, #frame do
    local row = frame:row(i)
    local lacking = buckets[row.time] and row.rows - buckets[row.time] or 0
    if lacking > 0 then count, at = count + lacking, row.time end
  end
  frame:close()
  return math.tointeger(count), at
end

local function tell(job, count, from_ms, at_ms)
  local text = ("Datafeed has missed %d documents due to ingest latency, latest bucket with missing data is "
    .. "[%s]. Consider increasing query_delay"):format(count, time.format(at_ms))
  notification.write(job.job_id, "warning", "%s", text)
  local ok, err = annotation.write(job.job_id .. "_delayed_data_" .. at_ms, {
    job_id = job.job_id, annotation = text, event = "delayed_data", timestamp = from_ms,
    end_timestamp = at_ms + config.bucket_span_ms(job),
  })
  if not ok then log.warn("annotation_lost", { job = job.job_id, reason = err.reason }) end
end

-- Jobs that take summaries count in them what their count field says; only documents are compared.
local function is_wanted(feed, job)
  return feed_config.check_window_ms(feed, job) ~= nil
    and (not feed.aggregations or job.analysis_config.summary_count_field_name == "doc_count")
end

--- Checks a datafeed that has caught up, when it is time to.
-- @tparam table feed
-- @tparam table job
-- @tparam table row of @{blip.job.feed_state}; `checked_ms` moves
function delayed_data.check(feed, job, row)
  local now_ms, span_ms = time.now_ms(), config.bucket_span_ms(job)
  local pause = math.min(LEAST_INTERVAL_MS, span_ms // 2)
  if not is_wanted(feed, job) or now_ms - (row.checked_ms or 0) < pause then return end
  row.checked_ms = now_ms
  local to = row.position_ms // span_ms * span_ms
  local from = (to - feed_config.check_window_ms(feed, job)) // span_ms * span_ms
  local count, at = delayed_data.missing(feed, job, math.max(0, from), to)
  if not count then
    log.warn("delayed_data_check_failed", { datafeed = row.datafeed, reason = at.reason })
  elseif count > 0 then
    tell(job, count, from, at)
  end
end

return delayed_data
