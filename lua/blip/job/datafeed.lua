--- Starts and stops datafeeds and feeds jobs what their indices have (elastic-ml.md 8.3).
--
--     start ─▶ slice ─▶ slice ─▶ ... caught up ─▶ every `frequency`, `query_delay` behind the clock
--                │                       └▶ reached its end: stopped, and its job closed
--                └ stretch ─▶ records ─▶ job ─▶ results, counts, place: one transaction
--
-- A slice is one background job. It has the datafeed's turn, and so has whoever stops it.
-- @module blip.job.datafeed
local attempt = require "blip.attempt"
local config = require "blip.job.config"
local counts = require "blip.job.counts"
local delayed_data = require "blip.job.delayed_data"
local extract = require "blip.job.extract"
local fail = require "blip.fail"
local feed_config = require "blip.job.feed_config"
local feed_state = require "blip.job.feed_state"
local feeds = require "blip.job.feeds"
local job_state = require "blip.job.state"
local lifecycle = require "blip.job.lifecycle"
local log = require "runtime.log"
local moment = require "blip.query.moment"
local notification = require "blip.job.notification"
local pace = require "blip.pace"
local registry = require "blip.job.registry"
local run = require "blip.job.run"
local schedule = require "runtime.schedule"
local settings = require "blip.job.settings"
local store = require "runtime.store"
local stretches = require "blip.job.stretch"
local time = require "runtime.time"
local work = require "runtime.work"

local datafeed = {}

local WAIT_MS = 60000 -- for a slice that is under way
local MOST_FAILURES = 6 -- in a row, before a datafeed that has an end is stopped
local RETRY_MS = 1000
local ROWS, FIRST_INTERVALS = 50000, 16 -- of a stretch
local SLICE_NS = 500000000 -- after which others have their turn

local function key(id)
  return "datafeed:" .. id
end

local function refused(status, text, ...)
  return fail.es { status = status, type = "status_exception", reason = text:format(...) }
end

local function submit(id)
  return work.submit { module = "blip.job.datafeed", func = "tick", args = id, key = key(id) }
end

-- --- start ----------------------------------------------------------------------------------

-- Where a start goes on: behind what the job knows already, on the grid of the aggregations.
local function place(feed, job, start_ms)
  local latest = counts.load(job).latest_record_timestamp
  local from = latest and math.max(start_ms, latest + 1) or start_ms
  local histogram = feed_config.histogram(feed)
  if not histogram then return from end
  return -(-from // histogram.interval_ms) * histogram.interval_ms
end

local function check_indices(feed, job)
  local stretch = stretches.new(feed, job)
  local indices, err = extract.resolve(stretch)
  if not indices then
    local missing = err.index or table.concat(feed.indices, ",")
    return refused(400, "datafeed [%s] cannot retrieve data because index [%s] does not exist",
      feed.datafeed_id, missing)
  end
  local ok
  ok, err = extract.filter(stretch)
  if ok then ok, err = extract.check_fields(feed.datafeed_id, stretch, indices) end
  return ok, err
end

local function check_can_start(feed, job, row, c)
  local owner = assert(job_state.load(c, job.job_id))
  if owner.state ~= "opened" then
    return refused(409, "cannot start datafeed [%s] because job [%s] is %s", feed.datafeed_id, job.job_id,
      owner.state)
  elseif row.state == "started" then
    return refused(409, "cannot start datafeed [%s] because it has already been started", feed.datafeed_id)
  end
  return check_indices(feed, job)
end

local function begin(c, feed, job, row, range)
  local ok, err = check_can_start(feed, job, row, c)
  if not ok then return nil, err end
  row.state, row.start_ms, row.end_ms = "started", range.start_ms, range.end_ms
  row.position_ms, row.is_real_time = place(feed, job, range.start_ms), false
  row.empty_searches, row.failures = 0, 0
  row.from_ms, row.to_ms, row.checked_ms, row.intervals, row.problem = nil, nil, nil, nil, nil
  assert(feed_state.save(c, row))
  return submit(feed.datafeed_id)
end

-- Calls `work_on(c, row)` with a datafeed's turn.
local function with_turn(feed, work_on)
  local turn <close>, busy = work.take(key(feed.datafeed_id), WAIT_MS)
  if not turn then return nil, busy end
  local c = store.connection()
  local row, err = feed_state.load(c, feed)
  if not row then return nil, err end
  return attempt(work_on, c, row)
end

--- Starts a datafeed.
-- @tparam table feed its configuration
-- @tparam table range `start_ms`, by choice `end_ms`
-- @return true; or nil and the dialect's error
function datafeed.start(feed, range)
  local job = registry.get(feed.job_id)
  local ok, err = with_turn(feed, function(c, row) return begin(c, feed, job, row, range) end)
  if not ok then return nil, err end
  notification.write(job.job_id, "info", "Datafeed started (from: %s to: %s)", time.format(range.start_ms),
    range.end_ms and time.format(range.end_ms) or "real-time")
  return true
end

-- --- stop -----------------------------------------------------------------------------------

local function halt(c, row)
  if row.state ~= "started" then return false end
  schedule.clear(key(row.datafeed))
  row.state = "stopped"
  assert(feed_state.save(c, row))
  return true
end

--- Stops a datafeed; what it has fed stays fed.
-- @tparam table feed its configuration
-- @tparam[opt] boolean force do not wait until a search that is under way is done
-- @treturn boolean whether it ran; or nil and an error
function datafeed.stop(feed, force)
  if force then work.cancel(key(feed.datafeed_id)) end
  local stopped, err = with_turn(feed, halt)
  if stopped == nil then return nil, err end
  if stopped then notification.write(feed.job_id, "info", "Datafeed stopped") end
  return stopped
end

--- Stops the datafeed of a job, if it has one.
-- @return true; or nil and an error
function datafeed.stop_of(job_id, force)
  local feed = feeds.of_job(job_id)
  if not feed then return true end
  local stopped, err = datafeed.stop(feed, force)
  return stopped ~= nil, err
end

--- Does a datafeed run?
function datafeed.is_started(feed)
  return assert(feed_state.load(store.connection(), feed)).state == "started"
end

--- Refuses to change or delete a datafeed that runs.
-- @tparam table feed its configuration
-- @tparam string verb "update" or "delete"
-- @return true; or nil and the dialect's error
function datafeed.check_stopped(feed, verb)
  if not datafeed.is_started(feed) then return true end
  return refused(409, "Cannot %s datafeed [%s] while its status is started", verb, feed.datafeed_id)
end

--- Stops a datafeed and deletes it.
-- @return true; or nil and an error
function datafeed.delete(feed)
  local stopped, err = datafeed.stop(feed, true)
  if stopped == nil then return nil, err end
  feeds.delete(feed.datafeed_id)
  local ok
  ok, err = feed_state.delete(store.connection(), feed.datafeed_id)
  return ok ~= nil, err
end

-- --- feeding --------------------------------------------------------------------------------

-- The end of what may be searched now: the end of the range, or the clock less the delay, on the grid.
local function limit_ms(self)
  local ready = time.now_ms() - feed_config.query_delay_ms(self.feed)
  if self.histogram then ready = ready // self.histogram.interval_ms * self.histogram.interval_ms end
  return self.row.end_ms and math.min(self.row.end_ms, ready) or ready
end

-- The first stretch begins where data does; so does one behind an empty stretch.
local function skip_to_data(self, limit)
  local first, err = extract.first_ms(self.stretch, self.row.position_ms)
  if err then return nil, err end
  if not first or first >= limit then return limit end
  return math.max(self.row.position_ms, first // self.grid_ms * self.grid_ms)
end

local function end_of_chunk(self, from, limit)
  local chunking = self.feed.chunking_config
  local to = self.pace:stop(from, limit)
  if chunking.mode == "manual" then to = math.min(to, from + stretches.chunk_ms(chunking)) end
  return to
end

-- Feeds one stretch; its place is committed with what it led to.
local function feed_stretch(self, from, to)
  local row, started = self.row, time.monotonic_ns()
  local stretch = stretches.at(self.stretch, from, to)
  local err
  stretch.ends, err = moment.now(assert(extract.resolve(stretch)))
  if not stretch.ends then return nil, err end
  local fed
  fed, err = run.apply(row.job, { kind = "feed", feed = stretch }, function(c, answer)
    row.intervals = self.pace:learn(answer.rows, to - from)
    row.position_ms, row.from_ms, row.to_ms, row.failures, row.problem = to, from, to, 0, nil
    row.search_count = row.search_count + 1
    row.search_ms = row.search_ms + (time.monotonic_ns() - started) / 1e6
    row.bucket_count = row.bucket_count + math.max(1, (to - from) // self.span_ms)
    return feed_state.save(c, row)
  end)
  return fed and fed.rows, err
end

-- Feeds stretch after stretch until the limit, or until others have their turn.
-- @return whether the limit is reached; or nil and an error
local function feed_slice(self, limit)
  local started = time.monotonic_ns()
  while self.row.position_ms < limit do
    work.check()
    if self.skips then
      local from, err = skip_to_data(self, limit)
      if not from then return nil, err end
      self.row.position_ms, self.skips = from, false
      if from >= limit then break end
    end
    local from = self.row.position_ms
    local rows, err = feed_stretch(self, from, end_of_chunk(self, from, limit))
    if not rows then return nil, err end
    self.rows = self.rows + rows
    self.skips = rows == 0
    if time.monotonic_ns() - started > SLICE_NS then return self.row.position_ms >= limit end
  end
  return true
end

-- --- slices ---------------------------------------------------------------------------------

local function open(feed, job, row)
  local histogram = feed_config.histogram(feed)
  local span_ms = config.bucket_span_ms(job)
  local grid_ms = histogram and histogram.interval_ms or math.min(span_ms, 60000)
  return {
    feed = feed, job = job, row = row, histogram = histogram, span_ms = span_ms, grid_ms = grid_ms,
    stretch = stretches.new(feed, job), rows = 0, skips = not row.is_real_time,
    pace = pace.new(grid_ms, { first = row.intervals or FIRST_INTERVALS, rows = ROWS }),
  }
end

-- The range is done: the job closes and its datafeed stops. In this order a crash between the two leaves
-- no job open: the datafeed finds it closed and stops.
local function finish(c, self)
  local closed, err = lifecycle.close(self.job)
  if closed == nil then return nil, err end
  assert(halt(c, self.row))
  notification.write(self.job.job_id, "info", "Datafeed stopped")
  return true
end

local function next_search_ms(self)
  local frequency = feed_config.frequency_ms(self.feed, self.job)
  local delay = feed_config.query_delay_ms(self.feed)
  local now_ms = time.now_ms()
  return ((now_ms - delay) // frequency + 1) * frequency + delay
end

local function schedule_at(id, due_ms)
  return schedule.set(key(id), due_ms, "blip.job.datafeed", "tick", id)
end

local function count_empty(self)
  local row = self.row
  row.empty_searches = self.rows == 0 and row.empty_searches + 1 or 0
  local most = self.feed.max_empty_searches
  return most and row.is_real_time and row.empty_searches >= most
end

-- Everything up to now is fed: interim results of the open bucket, then the clock. The past always ends
-- with them, whatever the last slice of it had.
local function catch_up(c, self)
  local row = self.row
  if self.rows > 0 or not row.is_real_time then
    local ok, err = run.apply(row.job, { kind = "flush", options = { calc_interim = true } })
    if not ok then return nil, err end
  end
  if row.end_ms and row.position_ms >= row.end_ms then return finish(c, self) end
  if count_empty(self) then
    notification.write(self.job.job_id, "warning", "Datafeed has been retrieving no data for a while")
    return halt(c, row)
  end
  if not row.is_real_time then
    notification.write(self.job.job_id, "info", "Datafeed lookback completed")
    row.is_real_time = true
    local ok, err = run.persist(self.job) -- so that a crash need not read all of it again
    if not ok then return nil, err end
  end
  delayed_data.check(self.feed, self.job, row)
  assert(feed_state.save(c, row))
  return schedule_at(row.datafeed, next_search_ms(self))
end

-- A search failed: it is tried again, but not for ever when somebody waits for the end.
local function failed(c, self, err)
  local row = self.row
  row.failures = row.failures + 1
  if row.problem ~= err.reason then
    row.problem = err.reason
    notification.write(self.job.job_id, "error", "Datafeed is encountering errors extracting data: %s",
      err.reason)
  end
  log.warn("datafeed_failed", { datafeed = row.datafeed, reason = err.reason })
  if row.end_ms and row.failures >= MOST_FAILURES then return finish(c, self) end
  assert(feed_state.save(c, row))
  local wait = row.is_real_time and next_search_ms(self) or time.now_ms() + RETRY_MS
  return schedule_at(row.datafeed, wait)
end

-- What is due now, and then the next moment.
local function step(c, self)
  local done, err = feed_slice(self, limit_ms(self))
  if done == nil then return nil, err end
  if done then return catch_up(c, self) end
  return submit(self.feed.datafeed_id)
end

local function slice(c, feed, row)
  if row.state ~= "started" then return true end
  local job = registry.find(feed.job_id)
  if not job then return halt(c, row) end
  if settings.upgrade_mode() then return schedule_at(row.datafeed, time.now_ms() + RETRY_MS) end
  local self = open(feed, job, row)
  local answer, err = attempt(step, c, self)
  if answer ~= nil then return answer end
  c:rollback() -- of what an error that was raised left open
  self.row = assert(feed_state.load(c, feed)) -- what was committed, whatever the failure
  if err.kind == "cancelled" then return true end
  if err.status == 409 then return halt(c, self.row) end
  return failed(c, self, err)
end

--- The background job: feeds what is due, then sets the next moment. Whatever goes wrong, there is a next
-- moment, until the datafeed is stopped.
-- @tparam string id
function datafeed.tick(id)
  local feed = feeds.find(id)
  if not feed then return true end
  local answer, err = with_turn(feed, function(c, row) return slice(c, feed, row) end)
  if answer ~= nil or err.kind == "cancelled" then return true end
  log.warn("datafeed_put_off", { datafeed = id, reason = err.reason })
  return schedule_at(id, time.now_ms() + RETRY_MS)
end

--- Goes on with what ran when the server stopped.
function datafeed.resume()
  local rows, err = feed_state.started(store.connection())
  if not rows then return nil, err end
  for _, row in ipairs(rows) do submit(row.datafeed) end
  return true
end

return datafeed
