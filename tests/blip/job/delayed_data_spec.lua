-- luacheck: no max line length
local catalog = require "blip.index.catalog"
local delayed_data = require "blip.job.delayed_data"
local documents = require "blip.index.documents"
local feed_config = require "blip.job.feed_config"
local job_config = require "blip.job.config"
local job_index = require "blip.result.job_index"
local json = require "runtime.json"
local time = require "runtime.time"

local HOUR, INDEX = 3600000, "spec-delayed"
local START = 1500000 * HOUR // 3600000 * 3600000

describe("blip.job.delayed_data", function()
  local job, feed

  setup(function()
    if catalog.find(INDEX) then assert(catalog.delete(INDEX)) end
    assert(catalog.create(INDEX, { mapping = { properties = { ts = { type = "date" } } } }))
    job = job_config.new({
      analysis_config = { bucket_span = "1h", detectors = { { ["function"] = "count" } } },
      data_description = { time_field = "ts" },
    }, { id = "delayed" })
    feed = feed_config.new({ job_id = "delayed", indices = { INDEX } }, "delayed-feed")
    assert(job_index.prepare(job))
    for hour = 0, 3 do
      assert(documents.put(".ml-anomalies-delayed", "delayed_bucket_" .. hour, {
        job_id = "delayed", result_type = "bucket", timestamp = START + hour * HOUR, event_count = 2,
        bucket_span = 3600, is_interim = hour == 3,
      }))
      for i = 1, 2 do assert(documents.put(INDEX, hour .. "-" .. i, { ts = START + hour * HOUR + i })) end
    end
  end)

  local function missing() return delayed_data.missing(feed, job, START, START + 4 * HOUR) end

  it("finds nothing while every document was counted", function()
    assert.equal(0, (missing()))
  end)

  it("counts documents that came after their bucket was final, and says where the last are", function()
    assert(documents.put(INDEX, "late-1", { ts = START + 5 }))
    assert(documents.put(INDEX, "late-2", { ts = START + HOUR + 5 }))
    assert(documents.put(INDEX, "open", { ts = START + 3 * HOUR + 5 }))
    local count, at = missing()
    assert.same({ 2, START + HOUR }, { count, at })
  end)

  it("tells of them once in a while, by an annotation and a notification", function()
    local row = { position_ms = START + 4 * HOUR, datafeed = "delayed-feed" }
    delayed_data.check(feed, job, row)
    assert.is_true(time.now_ms() - row.checked_ms < 60000)
    local found = documents.search(".ml-annotations-*", { query = { term = { job_id = "delayed" } } })
    local hits = json.plain(found.hits).hits
    assert.equal(1, #hits)
    local annotation = json.plain(hits[1]._source)
    assert.same({ "delayed_data", "annotation", "_xpack" }, {
      annotation.event, annotation.type, annotation.create_username,
    })
    assert.is_true(annotation.annotation:find("Datafeed has missed 2 documents due to ingest latency", 1, true) == 1)
    local checked = row.checked_ms
    delayed_data.check(feed, job, row)
    assert.equal(checked, row.checked_ms)
  end)

  it("does not look when it is switched off", function()
    local off = feed_config.new({
      job_id = "delayed", indices = { INDEX }, delayed_data_check_config = { enabled = false },
    }, "delayed-feed")
    local row = { position_ms = START + 4 * HOUR, datafeed = "delayed-feed" }
    delayed_data.check(off, job, row)
    assert.is_nil(row.checked_ms)
  end)
end)
