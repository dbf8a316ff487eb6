local job = require "runtime.job"
local engine = require "support.engine"
local json = require "runtime.json"

local MEAN = { detectors = { { ["function"] = "mean", field = "value", partition = "host" } },
  influencers = { "host" } }

--- Quiet rows of three hosts, with one host ten times as high in one bucket.
local function planted(at)
  return engine.noise { buckets = at + 10, values = { "a", "b", "c" }, change = function(row, bucket)
    if bucket == at and row.host == "b" then row.value = row.value * 10 end
  end }
end

describe("runtime.job", function()
  it("writes a document for every full bucket, empty ones too", function()
    local rows, from = engine.noise { buckets = 10, change = function(_, bucket) return bucket ~= 5 end }
    local buckets = engine.run(engine.new(), rows).bucket
    assert.equal(10, #buckets)
    assert.equal("j_bucket_" .. from * 1000 .. "_300", buckets[1]._id)
    assert.equal(from * 1000, buckets[1].timestamp)
    assert.equal(5, buckets[1].event_count)
    assert.equal(0, buckets[6].event_count)
    assert.is_false(buckets[1].is_interim)
  end)

  it("writes none for a first bucket that began in its middle", function()
    local rows, from = engine.noise { buckets = 3 }
    table.remove(rows, 1)
    local buckets = engine.run(engine.new(), rows).bucket
    assert.equal(2, #buckets)
    assert.equal((from + 300) * 1000, buckets[1].timestamp)
  end)

  it("names the host, the bucket, what was and what is usual of a planted anomaly", function()
    local rows, from = planted(200)
    local worst = engine.worst(engine.run(engine.new(MEAN), rows).record)
    assert.equal((from + 200 * 300) * 1000, worst.timestamp)
    assert.equal("b", worst.partition_field_value)
    assert.is_true(worst.actual[1] > 900)
    assert.is_true(math.abs(worst.typical[1] - 100) < 10)
    assert.is_true(worst.record_score > 75)
    assert.equal(worst.record_score, worst.initial_record_score)
    assert.same({ "b" }, worst.host)
    assert.same({ { influencer_field_name = "host", influencer_field_values = { "b" } } }, worst.influencers)
  end)

  it("gives a bucket the largest score of its influencers, and every influencer a record", function()
    local rows = planted(150)
    local out = engine.run(engine.new(MEAN), rows)
    local records = {}
    for _, record in ipairs(out.record) do
      records[record.timestamp .. record.partition_field_value] = true
    end
    for _, bucket in ipairs(out.bucket) do
      local largest = 0
      for _, i in ipairs(bucket.bucket_influencers) do largest = math.max(largest, i.anomaly_score) end
      assert.equal(largest, bucket.anomaly_score)
    end
    assert.is_true(#out.influencer > 0)
    for _, i in ipairs(out.influencer) do
      assert.is_true(records[i.timestamp .. i.influencer_field_value])
      assert.equal(i.host, i.influencer_field_value)
    end
  end)

  it("goes on after a save as if there had been none, at any bucket", function()
    local rows = planted(40)
    local function documents(saved)
      local j, lines = engine.new(MEAN), {}
      for i = 1, #rows, 50 do
        engine.post(j, table.move(rows, i, math.min(i + 49, #rows), 1, {}))
        for _, d in ipairs(engine.documents(j)) do
          d.processing_time_ms, d.log_time = nil, nil
          lines[#lines + 1] = json.encode(d)
        end
        if saved then
          local bytes = j:save()
          j = assert(job.load(engine.config(MEAN), bytes))
          assert.is_true(bytes == j:save())
        end
      end
      return table.concat(lines, "\n")
    end
    assert.equal(documents(false), documents(true))
  end)

  it("can be loaded at any bucket of values that never change", function()
    local rows, from = {}, 1500000000 - 1500000000 % 300
    local j = engine.new(MEAN)
    for bucket = 0, 12 do
      for host = 1, 10 do
        rows[host] = { time = from + bucket * 300, host = "h" .. host, value = host % 10 }
      end
      engine.post(j, rows)
      assert.is_table(getmetatable(assert(job.load(engine.config(MEAN), j:save()))))
    end
  end)

  it("refuses bytes that are damaged, or of another configuration", function()
    local j = engine.new(MEAN)
    engine.post(j, (planted(5)))
    local bytes = j:save()
    local _, err = job.load(engine.config(MEAN), bytes:sub(1, -20))
    assert.equal("invalid", err.kind)
    _, err = job.load(engine.config(), bytes)
    assert.matches("another configuration", err.reason)
  end)

  it("scores a lone burst, and not the calm hours after it", function()
    local rows = {}
    for hour = 0, 2999 do
      for i = 0, hour > 0 and hour % 1000 == 0 and 3 or 0 do
        rows[#rows + 1] = { time = 1500000000 - 1500000000 % 3600 + hour * 3600 + i }
      end
    end
    local j = engine.new { bucket_span_s = 3600 }
    engine.post(j, rows)
    local scored = {}
    for i, bucket in ipairs(engine.only(engine.documents(j), "bucket")) do
      if bucket.anomaly_score > 0.1 then scored[#scored + 1] = i - 1 end
    end
    assert.same({ 1000, 2000 }, scored)
  end)

  it("says where its clock stands", function()
    local j = engine.new()
    assert.is_nil(j:position_ms())
    assert.same({}, j:flush {})
    engine.post(j, { { time = 1403481700 } })
    assert.equal(1403481600000, j:flush {}.last_finalized_bucket_end)
    assert.equal(1403482200000, j:flush { advance_ms = 1403482300000 }.last_finalized_bucket_end)
    assert.equal(1403483100000, j:flush { skip_ms = 1403482801000 }.last_finalized_bucket_end)
  end)

  it("writes interim results and deletes them when the next bucket comes", function()
    local j = engine.new()
    local rows, from = engine.noise { buckets = 3 }
    engine.post(j, rows)
    engine.documents(j)
    j:flush { calc_interim = true }
    local interim = engine.documents(j)
    assert.equal(1, #engine.only(interim, "bucket"))
    assert.is_true(interim[#interim].is_interim)
    local id = "j_bucket_" .. (from + 600) * 1000 .. "_300"
    assert.equal(id, interim[#interim]._id)
    engine.post(j, { { time = from + 900 } })
    local final = engine.documents(j)
    assert.same({ _id = id, _deleted = true }, final[1])
    assert.equal(id, engine.only(final, "bucket")[1]._id)
    assert.is_false(engine.only(final, "bucket")[1].is_interim)
  end)

  it("lends a job to one borrower at a time", function()
    local j = engine.new()
    assert.is_true(job.give_back("lent", j))
    assert.has_error(function() j:counts() end)
    local mine = assert(job.borrow "lent")
    local _, err = job.borrow "lent"
    assert.equal("busy", err.kind)
    mine:close()
    _, err = job.borrow "lent"
    assert.equal("not_found", err.kind)
  end)
end)
