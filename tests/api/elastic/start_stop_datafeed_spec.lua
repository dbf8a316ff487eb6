-- luacheck: no max line length
-- The rows of elastic-ml.md 12.10 and 12.11, each a spec named after it, and what datafeeds do.
local airline = require "support.airline"
local jobs = require "support.ml_jobs"
local server = require "support.server"
local time = require "runtime.time"

local ML = "/_ml/"
local START = 1487376000000 -- 2017-02-18

describe("datafeeds", function()
  local blip

  setup(function()
    blip = server.start()
    airline.index(blip, airline.INDEX, airline.hours(START, 48, 40))
    for _, id in ipairs { "start-stop-datafeed-job", "get-datafeed-stats-1", "get-datafeed-stats-2" } do
      jobs.create(blip, id, {
        analysis_config = {
          bucket_span = "1h", detectors = { { ["function"] = "count", by_field_name = "airline" } },
        },
        data_description = { time_field = "time" },
      })
    end
  end)
  teardown(function() blip:stop() end)

  local function feed(id, job_id, more)
    local body = { job_id = job_id, indices = { airline.INDEX } }
    for name, value in pairs(more or {}) do body[name] = value end
    local answer = blip:put(ML .. "datafeeds/" .. id, body)
    assert(answer.status == 200, answer.body)
  end

  local function ok(answer)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function call(id, verb, body) return blip:post(("%sdatafeeds/%s/_%s"):format(ML, id, verb), body) end
  local function stats(id) return ok(blip:get(("%sdatafeeds/%s/_stats"):format(ML, id))).datafeeds[1] end
  local function job_stats(id) return ok(blip:get(("%sanomaly_detectors/%s/_stats"):format(ML, id))).jobs[1] end

  -- Waits until a datafeed has stopped and its job has closed.
  local function finished(id, job_id)
    for _ = 1, 1000 do
      if stats(id).state == "stopped" and job_stats(job_id).state == "closed" then return end
      time.sleep_ms(10)
    end
    error("datafeed " .. id .. " does not end")
  end

  local function wait_for(what, test)
    for _ = 1, 1000 do
      if test() then return end
      time.sleep_ms(10)
    end
    error(what .. " does not happen")
  end

  describe("start_stop_datafeed", function()
    local FEED, JOB = "start-stop-datafeed-datafeed-1", "start-stop-datafeed-job"

    setup(function()
      feed(FEED, JOB)
      jobs.open(blip, JOB)
    end)
    before_each(function() call(FEED, "stop") end)

    it("happy path", function()
      assert.same({ started = true, node = "blip" }, ok(call(FEED, "start", { start = "0" })))
      assert.equal("started", stats(FEED).state)
      assert.same({ stopped = true }, ok(call(FEED, "stop")))
      assert.equal("stopped", stats(FEED).state)
    end)

    it("force stop", function()
      ok(call(FEED, "start", { start = 0 }))
      ok(call(FEED, "stop", { force = true }))
      assert.equal("stopped", stats(FEED).state)
    end)

    it("start now", function()
      ok(blip:post(ML .. "datafeeds/" .. FEED .. "/_start?start=now"))
      assert.equal("started", stats(FEED).state)
    end)

    it("missing datafeed", function()
      jobs.refused(call("not-such-datafeed", "start"), 404, "No datafeed with id [not-such-datafeed] exists")
    end)

    it("job not open", function()
      jobs.create(blip, "closed-owner")
      feed("closed-feed", "closed-owner")
      jobs.refused(call("closed-feed", "start", { start = 0 }), 409,
        "cannot start datafeed [closed-feed] because job [closed-owner] is closed")
    end)

    it("already started", function()
      ok(call(FEED, "start", { start = 0 }))
      jobs.refused(call(FEED, "start", { start = 0 }), 409,
        "cannot start datafeed [" .. FEED .. "] because it has already been started")
    end)

    it("end <= start", function()
      jobs.refused(call(FEED, "start", { start = "2017-02-01T01:00:00Z", ["end"] = "2017-02-01T00:00:00Z" }), 400,
        "start [1485910800000] must be earlier than end [1485907200000]")
      jobs.refused(call(FEED, "start", { start = "2017-02-01T01:00:00Z", ["end"] = "2017-02-01T01:00:00Z" }), 400,
        "start [1485910800000] must be earlier than end [1485910800000]")
      jobs.refused(call(FEED, "start", { start = "soon" }), 400,
        "Query param [start] with value [soon] cannot be parsed as a date or converted to a number (epoch).")
    end)

    it("index missing", function()
      jobs.create(blip, "utopian", { data_description = { time_field = "time" } })
      feed("utopian-feed", "utopian", { indices = { "utopia" } })
      jobs.open(blip, "utopian")
      jobs.refused(call("utopian-feed", "start", { start = 0 }), 400,
        "datafeed [utopian-feed] cannot retrieve data because index [utopia] does not exist")
    end)

    it("unmapped field", function()
      jobs.create(blip, "unmapped", {
        analysis_config = { bucket_span = "1h", detectors = { { ["function"] = "count", by_field_name = "airline2" } } },
        data_description = { time_field = "time" },
      })
      feed("unmapped-feed", "unmapped")
      jobs.open(blip, "unmapped")
      jobs.refused(call("unmapped-feed", "start", { start = 0 }), 400,
        "[unmapped-feed] cannot retrieve field [airline2] because it has no mappings")
    end)

    it("stop missing", function()
      jobs.refused(call("not-such-datafeed", "stop"), 404, "No datafeed with id [not-such-datafeed] exists")
    end)

    it("stop no match true / false, body form", function()
      assert.same({ stopped = true }, ok(call("missing-*", "stop")))
      jobs.refused(blip:post(ML .. "datafeeds/missing-*/_stop?allow_no_match=false"), 404)
      assert.same({ stopped = true }, ok(call("missing-*", "stop", { allow_no_match = true })))
      jobs.refused(call("missing-*", "stop", { allow_no_match = false }), 404)
    end)

    it("stop twice", function()
      ok(call(FEED, "start", { start = 0 }))
      ok(call(FEED, "stop"))
      assert.same({ stopped = true }, ok(call(FEED, "stop")))
    end)

    it("stop expression", function()
      for _, name in ipairs { "foo-1", "foo-2", "bar-1" } do
        jobs.create(blip, "stop-" .. name, { data_description = { time_field = "time" } })
        feed("stop-feed-" .. name, "stop-" .. name)
        jobs.open(blip, "stop-" .. name)
        assert.same({ started = true, node = "blip" }, ok(call("stop-feed-" .. name, "start", { start = 0 })))
      end
      ok(call("*foo-*", "stop"))
      assert.equal("stopped", stats("stop-feed-foo-1").state)
      assert.equal("stopped", stats("stop-feed-foo-2").state)
      assert.equal("started", stats("stop-feed-bar-1").state)
      ok(call("stop-feed-bar-1", "stop"))
    end)

    it("assignment disabled", function()
      local name = "cluster.persistent_tasks.allocation.enable"
      ok(blip:put("/_cluster/settings", { transient = { [name] = "none" } }))
      jobs.refused(call(FEED, "start", { start = 0 }), 429,
        "no persistent task assignments are allowed due to cluster settings")
      assert.equal("stopped", stats(FEED).state)
      ok(blip:put("/_cluster/settings", { transient = { [name] = "all" } }))
      ok(call(FEED, "start", { start = 0 }))
    end)

    it("a datafeed that runs is neither changed nor deleted, unless by force", function()
      ok(call(FEED, "start", { start = 0 }))
      jobs.refused(blip:post(ML .. "datafeeds/" .. FEED .. "/_update", { scroll_size = 10 }), 409,
        "Cannot update datafeed [" .. FEED .. "] while its status is started")
      jobs.refused(blip:delete(ML .. "datafeeds/" .. FEED), 409,
        "Cannot delete datafeed [" .. FEED .. "] while its status is started")
    end)
  end)

  describe("get_datafeed_stats", function()
    setup(function()
      feed("datafeed-1", "get-datafeed-stats-1")
      feed("datafeed-2", "get-datafeed-stats-2")
    end)

    it("unknown", function()
      jobs.refused(blip:get(ML .. "datafeeds/missing-datafeed/_stats"), 404)
    end)

    it("stats single stopped", function()
      local one = stats "datafeed-1"
      assert.same({ "datafeed-1", "stopped" }, { one.datafeed_id, one.state })
      assert.is_nil(one.node)
      assert.is_nil(one.running_state)
      assert.same({ 0, 0, "get-datafeed-stats-1" }, {
        one.timing_stats.search_count, one.timing_stats.total_search_time_ms, one.timing_stats.job_id,
      })
    end)

    it("stats after start", function()
      jobs.open(blip, "get-datafeed-stats-1")
      ok(call("datafeed-1", "start", { start = 0 }))
      local one = stats "datafeed-1"
      assert.equal("started", one.state)
      assert.equal("blip", one.node.name)
      assert.equal("string", type(one.node.transport_address))
      assert.is_true(one.running_state.real_time_configured)
    end)

    it("stats implicit all started", function()
      jobs.open(blip, "get-datafeed-stats-2")
      ok(call("datafeed-2", "start", { start = 0 }))
      local started = 0
      for _, one in ipairs(ok(blip:get(ML .. "datafeeds/_stats")).datafeeds) do
        if one.datafeed_id:find "^datafeed%-" then
          assert.equal("started", one.state)
          started = started + 1
        end
      end
      assert.equal(2, started)
    end)

    it("stats after stop", function()
      ok(call("datafeed-2", "stop"))
      assert.equal("stopped", stats("datafeed-2").state)
      ok(call("datafeed-1", "stop"))
    end)

    it("pattern (true/false)", function()
      assert.same({ count = 0, datafeeds = {} }, ok(blip:get(ML .. "datafeeds/missing-*/_stats")))
      jobs.refused(blip:get(ML .. "datafeeds/missing-*/_stats?allow_no_match=false"), 404)
    end)
  end)

  describe("feed", function()
    local function job(id, more)
      local body = {
        analysis_config = {
          bucket_span = "1h", detectors = { { ["function"] = "count", by_field_name = "airline" } },
        },
        data_description = { time_field = "time" },
      }
      for name, value in pairs(more or {}) do body[name] = value end
      jobs.create(blip, id, body)
      jobs.open(blip, id)
    end

    local function buckets(id)
      return ok(blip:get(ML .. "anomaly_detectors/" .. id .. "/results/buckets?exclude_interim=true&size=1000")).buckets
    end

    it("documents up to an end, then the job is closed", function()
      job "documents"
      feed("documents-feed", "documents")
      ok(call("documents-feed", "start", { start = 0, ["end"] = tostring(START + 48 * 3600000) }))
      finished("documents-feed", "documents")
      local counts = job_stats("documents").data_counts
      assert.same({ 134, 134, 47 }, { counts.processed_record_count, counts.input_record_count, counts.bucket_count })
      local list = buckets "documents"
      assert.equal(46, #list) -- the first bucket begins within itself, the last one stays open
      assert.equal(40, list[40].event_count)
      local timing = stats("documents-feed").timing_stats
      assert.is_true(timing.search_count >= 1 and timing.total_search_time_ms > 0)
    end)

    it("aggregations with the counts of their buckets", function()
      job("aggregated", { analysis_config = {
        bucket_span = "1h", summary_count_field_name = "doc_count",
        detectors = { { ["function"] = "count", by_field_name = "airline" } },
      } })
      feed("aggregated-feed", "aggregated", { aggregations = { buckets = {
        date_histogram = { field = "time", fixed_interval = "30m" },
        aggregations = {
          time = { max = { field = "time" } }, airline = { terms = { field = "airline", size = 10 } },
        },
      } } })
      ok(call("aggregated-feed", "start", { start = 0, ["end"] = tostring(START + 48 * 3600000) }))
      finished("aggregated-feed", "aggregated")
      assert.equal(98, job_stats("aggregated").data_counts.processed_record_count)
      local list = buckets "aggregated"
      assert.equal(46, #list)
      assert.equal(40, list[40].event_count)
    end)

    it("what is behind what the job has, when started again", function()
      job "restarted"
      feed("restarted-feed", "restarted")
      ok(call("restarted-feed", "start", { start = 0, ["end"] = tostring(START + 20 * 3600000 + 90000) }))
      finished("restarted-feed", "restarted")
      assert.equal(41, job_stats("restarted").data_counts.processed_record_count)
      jobs.open(blip, "restarted")
      ok(call("restarted-feed", "start", { start = 0, ["end"] = tostring(START + 48 * 3600000) }))
      finished("restarted-feed", "restarted")
      assert.equal(134, job_stats("restarted").data_counts.processed_record_count)
      local whole, again = buckets "documents", buckets "restarted"
      assert.same(jobs.pluck(whole, "event_count"), jobs.pluck(again, "event_count"))
      assert.same(jobs.pluck(whole, "anomaly_score"), jobs.pluck(again, "anomaly_score"))
    end)

    it("over a gap without documents", function()
      airline.index(blip, "gap", airline.hours(START, 3))
      airline.add(blip, "gap", airline.hours(START + 1000 * 3600000, 3))
      job "gap"
      feed("gap-feed", "gap", { indices = { "gap" } })
      ok(call("gap-feed", "start", { start = 0, ["end"] = tostring(START + 1003 * 3600000) }))
      finished("gap-feed", "gap")
      local counts = job_stats("gap").data_counts
      assert.same({ 12, 1002, 997 }, { counts.processed_record_count, counts.bucket_count, counts.empty_bucket_count })
    end)

    it("in real time what has come since, with interim results of the open bucket", function()
      local now_ms = time.now_ms()
      local hour = now_ms // 3600000 * 3600000
      airline.index(blip, "live", {
        { airline = "foo", responsetime = 1, time = hour - 3600000 }, { airline = "foo", responsetime = 1, time = hour - 1800000 },
      })
      job("live", { analysis_config = { bucket_span = "1s", detectors = { { ["function"] = "count" } } } })
      feed("live-feed", "live", { indices = { "live" }, query_delay = "0s", frequency = "1s" })
      ok(call("live-feed", "start", { start = 0 }))
      wait_for("catching up", function() return stats("live-feed").running_state.real_time_running end)
      airline.add(blip, "live", { { airline = "foo", responsetime = 1, time = time.now_ms() + 1500 } })
      wait_for("the third document", function() return job_stats("live").data_counts.processed_record_count == 3 end)
      local running = stats("live-feed").running_state
      assert.is_true(running.search_interval.end_ms > running.search_interval.start_ms)
      ok(call("live-feed", "stop"))
      ok(blip:post(ML .. "anomaly_detectors/live/_close"))
    end)

    it("stops when its job is closed", function()
      job "owner"
      feed("owner-feed", "owner")
      ok(call("owner-feed", "start", { start = 0 }))
      ok(blip:post(ML .. "anomaly_detectors/owner/_close"))
      assert.same({ "stopped", "closed" }, { stats("owner-feed").state, job_stats("owner").state })
    end)

    it("goes away with its job, by force while it runs", function()
      job "doomed"
      feed("doomed-feed", "doomed")
      ok(call("doomed-feed", "start", { start = 0 }))
      jobs.refused(blip:delete(ML .. "anomaly_detectors/doomed"), 409,
        "Cannot delete job [doomed] because the job is opened")
      ok(blip:delete(ML .. "anomaly_detectors/doomed?force=true"))
      jobs.refused(blip:get(ML .. "anomaly_detectors/doomed"), 404)
      jobs.refused(blip:get(ML .. "datafeeds/doomed-feed"), 404)
      assert.equal(0, blip:get("/.ml-anomalies-shared/_count?q=job_id:doomed").json.count)
    end)

    it("over an index that is deleted under it fails in words, and ends", function()
      airline.index(blip, "fleeting", airline.hours(START, 3))
      job "fleeting"
      feed("fleeting-feed", "fleeting", { indices = { "fleeting" }, frequency = "1s", query_delay = "0s" })
      ok(call("fleeting-feed", "start", { start = 0 }))
      wait_for("the documents", function() return job_stats("fleeting").data_counts.processed_record_count == 6 end)
      blip:delete "/fleeting"
      wait_for("the notification", function()
        local found = blip:post("/.ml-notifications-*/_search", { query = { bool = { filter = {
          { term = { job_id = "fleeting" } }, { term = { level = "error" } },
        } } } }).json.hits.hits
        for _, hit in ipairs(found) do
          if hit._source.message:find("no such index [fleeting]", 1, true) then return true end
        end
      end)
      assert.equal("started", stats("fleeting-feed").state)
      ok(call("fleeting-feed", "stop"))
      assert.equal("opened", job_stats("fleeting").state)
    end)
  end)
end)
