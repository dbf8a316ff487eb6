-- luacheck: no max line length
local counts = require "blip.job.counts"
local json = require "runtime.json"
local size = require "blip.job.size"
local timing = require "blip.job.timing"

describe("blip.job.timing", function()
  local HOUR_MS = 3600000

  local function fresh() return { job_id = "j", bucket_count = 0, total_bucket_processing_time_ms = 0.0 } end

  it("takes the first buckets as they are", function()
    local stats = timing.add(fresh(), 4, 8.0, HOUR_MS)
    assert.same({ 4, 8.0, 2.0, 2.0, 2.0 }, {
      stats.bucket_count, stats.total_bucket_processing_time_ms, stats.minimum_bucket_processing_time_ms,
      stats.maximum_bucket_processing_time_ms, stats.average_bucket_processing_time_ms,
    })
    assert.equal(2.0, stats.exponential_average_bucket_processing_time_ms)
    assert.equal(2.0, stats.exponential_average_bucket_processing_time_per_hour_ms)
  end)

  it("keeps the extremes, the mean, and an average that forgets slowly", function()
    local stats = timing.add(timing.add(fresh(), 1, 1.0, HOUR_MS), 1, 5.0, HOUR_MS)
    assert.same({ 1.0, 5.0, 3.0 }, {
      stats.minimum_bucket_processing_time_ms, stats.maximum_bucket_processing_time_ms,
      stats.average_bucket_processing_time_ms,
    })
    assert.near(1.04, stats.exponential_average_bucket_processing_time_ms, 1e-12)
  end)

  it("counts as many buckets as an hour has", function()
    local stats = timing.add(fresh(), 1, 3.0, HOUR_MS // 12)
    assert.equal(36.0, stats.exponential_average_bucket_processing_time_per_hour_ms)
  end)

  it("says in its document what it is", function()
    local document = timing.document(timing.add(fresh(), 1, 1.0, HOUR_MS))
    assert.equal("timing_stats", document.result_type)
    assert.equal(1, json.encode(document):find('{"job_id":"j","result_type":"timing_stats","bucket_count":1', 1, true))
  end)
end)

describe("blip.job.counts", function()
  it("shows every counter, and times that there are", function()
    local shown = counts.show("j", { processed_record_count = 2, latest_record_timestamp = 5 }, { log_time = 9 })
    assert.equal('{"job_id":"j","processed_record_count":2,"processed_field_count":0,"input_bytes":0,'
      .. '"input_field_count":0,"invalid_date_count":0,"missing_field_count":0,"out_of_order_timestamp_count":0,'
      .. '"empty_bucket_count":0,"sparse_bucket_count":0,"bucket_count":0,"latest_record_timestamp":5,'
      .. '"input_record_count":0,"log_time":9}', json.encode(shown))
  end)

  it("reads times that a client wrote as dates", function()
    local shown = counts.show("j", { latest_record_timestamp = "2016-06-01T00:00:00Z" })
    assert.equal(1464739200000, shown.latest_record_timestamp)
  end)
end)

describe("blip.job.size", function()
  it("shows zeros for a job that never ran", function()
    local shown = size.show("j", {})
    assert.same({ 0, 0, "ok", "ok" }, {
      shown.model_bytes, shown.total_partition_field_count, shown.memory_status, shown.categorization_status,
    })
    assert.is_nil(shown.log_time)
  end)

  it("differs by what people look at", function()
    local one = size.show("j", { model_bytes = 5 }, { log_time = 1 })
    assert.is_false(size.differs(size.show("j", { model_bytes = 5 }, { log_time = 2 }), one))
    assert.is_true(size.differs(size.show("j", { model_bytes = 6 }, { log_time = 2 }), one))
    assert.is_true(size.differs(size.show("j", { model_bytes = 5, memory_status = "hard_limit" }), one))
  end)

  it("has an id of its job and moment", function()
    assert.equal("j_model_size_stats_17", size.id(size.show("j", {}, { log_time = 17 })))
  end)
end)
