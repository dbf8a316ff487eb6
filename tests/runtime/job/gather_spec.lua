-- From records to what each series gathered in each bucket.
local gather = require "runtime.gather"
local gathering = require "support.gathering"
local frame = require "runtime.frame"

local function starts(buckets)
  local list = {}
  for i, bucket in ipairs(buckets) do list[i] = bucket.start end
  return list
end

local function events(buckets)
  local list = {}
  for i, bucket in ipairs(buckets) do list[i] = bucket.events end
  return list
end

describe("buckets", function()
  it("close when a record reaches their end", function()
    local g = gathering.new()
    gathering.post(g, { { time = 0 }, { time = 59.9 } })
    assert.same({}, gathering.take(g))
    gathering.post(g, { { time = 60 } })
    assert.same({ 2 }, events(gathering.take(g)))
    assert.equal(60, g:position_s())
  end)

  it("close one after the other over a gap, empty", function()
    local g = gathering.new()
    gathering.post(g, { { time = 0 }, { time = 200 } })
    assert.same({ 1, 0, 0 }, events(gathering.take(g)))
  end)

  it("wait for late records as long as the latency", function()
    local g = gathering.new { latency_s = 90 }
    local counts = gathering.post(g, { { time = 0 }, { time = 149 }, { time = 30 }, { time = 119 },
      { time = 100 } })
    assert.equal(0, counts.out_of_order_timestamp_count)
    assert.same({}, gathering.take(g))
    gathering.post(g, { { time = 150 } })
    assert.same({ 2 }, events(gathering.take(g)))
    assert.same({ 2, 2 }, events(gathering.close(g, 180)))
  end)

  it("say that the first one was begun in its middle", function()
    local g = gathering.new()
    gathering.post(g, { { time = 10 }, { time = 60 }, { time = 120 } })
    local closed = gathering.take(g)
    assert.same({ true, false }, { closed[1].partial, closed[2].partial })
    local whole = gathering.new()
    gathering.post(whole, { { time = 0 }, { time = 60 } })
    assert.is_false(gathering.take(whole)[1].partial)
  end)

  it("close up to a time that is advanced to", function()
    local g = gathering.new()
    assert.same({}, gathering.close(g, 1000), "before any record")
    gathering.post(g, { { time = 0 } })
    assert.same({ 0, 60 }, starts(gathering.close(g, 170)))
    assert.equal(120, g:position_s())
  end)

  it("are left out where time is skipped, and records before count for nothing", function()
    local g = gathering.new { bucket_span_s = 3600 }
    gathering.post(g, { { time = 1403481600 }, { time = 1403485200 } })
    assert.same({ 1403481600 }, starts(gathering.take(g)))
    g:skip(1403488700)
    assert.equal(1403488800, g:position_s())
    gathering.post(g, { { time = 1403488600 }, { time = 1403488700 } })
    gathering.post(g, { { time = 1403488900 }, { time = 1403492400 } })
    local closed = gathering.take(g)
    assert.same({ 1403488800 }, starts(closed))
    assert.same({ 1 }, events(closed))
    assert.is_false(closed[1].partial)
  end)

  it("forget what is reset while they are open", function()
    local g = gathering.new { latency_s = 120 }
    gathering.post(g, { { time = 0 }, { time = 60 }, { time = 120 } })
    g:reset(60, 61)
    gathering.post(g, { { time = 61 }, { time = 62 } })
    assert.same({ 1, 2, 1 }, events(gathering.close(g, 180)))
  end)

  it("can be read while they are open", function()
    local g = gathering.new { latency_s = 60 }
    gathering.post(g, { { time = 0 }, { time = 70 }, { time = 71 } })
    assert.same({ 1, 2 }, events(gathering.open(g)))
    assert.same({}, gathering.take(g))
  end)

  it("are jumped over where a clock is wrong by years", function()
    local g = gathering.new { bucket_span_s = 1 }
    gathering.post(g, { { time = 0 }, { time = 253402300000 }, { time = 253402300001 } })
    assert.same({ 0, 253402300000 }, starts(gathering.take(g)))
    assert.equal(1, gathering.post(g, { { time = 1403481600 } }).out_of_order_timestamp_count)
  end)
end)

describe("functions", function()
  local of = gathering.of

  it("count records", function()
    assert.same({ 2.0 }, (of({ ["function"] = "count" }, { { time = 0 }, { time = 1 } })))
  end)

  it("take mean, minimum and maximum", function()
    local records = { { time = 0, v = 1 }, { time = 10, v = -5 }, { time = 20, v = 10 } }
    assert.same({ 2.0 }, (of({ ["function"] = "mean", field = "v" }, records)))
    assert.same({ -5.0 }, (of({ ["function"] = "min", field = "v" }, records)))
    assert.same({ 10.0 }, (of({ ["function"] = "max", field = "v" }, records)))
    assert.same({ 2.0, -5.0, 10.0 }, (of({ ["function"] = "metric", field = "v" }, records)))
  end)

  it("take sums, and count nothing for a missing value", function()
    local records = { { time = 0, v = 1 }, { time = 10 }, { time = 20, v = 10.5 }, { time = 20, v = "x" } }
    assert.same({ 11.5 }, (of({ ["function"] = "high_sum", field = "v" }, records)))
    assert.same({ 11.5 }, (of({ ["function"] = "non_null_sum", field = "v" }, records)))
  end)

  it("take the population variance", function()
    local values = of({ ["function"] = "varp", field = "v" }, { { time = 0, v = 1e9 + 1 },
      { time = 1, v = 1e9 + 3 } })
    assert.near(1, values[1], 1e-6)
  end)

  it("take the median of odd and even numbers of values", function()
    assert.same({ 3.0 }, (of({ ["function"] = "median", field = "v" }, { { time = 0, v = 9 },
      { time = 1, v = 3 }, { time = 2, v = 1 } })))
    assert.same({ 2.0 }, (of({ ["function"] = "median", field = "v" }, { { time = 0, v = 3 },
      { time = 1, v = 1 } })))
  end)

  it("keep the median of many values within two hundredths of its rank", function()
    local records = {}
    for i = 1, 50000 do records[i] = { time = 0, v = i * 7919 % 50000 } end
    local values = of({ ["function"] = "median", field = "v" }, records)
    assert.near(25000, values[1], 1000)
  end)

  it("count different values", function()
    local records = {}
    for i = 1, 1000 do records[i] = { time = 0, v = "value" .. i % 100 } end
    assert.same({ 100.0 }, (of({ ["function"] = "distinct_count", field = "v" }, records)))
  end)

  it("take the compressed length of different values, whatever their order", function()
    local function content(list)
      local records = {}
      for i, v in ipairs(list) do records[i] = { time = 0, v = v } end
      return of({ ["function"] = "info_content", field = "v" }, records)[1]
    end
    assert.equal(content { "a", "b" }, content { "b", "a", "b" })
    assert.is_true(content { "x9Qm2", "kP0zv" } > content { "aaaaa", "aaaaa" })
    assert.equal(#"a" + 8, content { "a" }, "a zlib stream of one byte: 2 + 3 + 4 bytes")
  end)

  it("keep times of day and of week", function()
    local day = 86400
    local g = gathering.new { detectors = { { ["function"] = "time_of_day" },
      { ["function"] = "time_of_week" } } }
    gathering.post(g, { { time = 9 * day + 70 }, { time = 9 * day + 80 } })
    local bucket = gathering.close(g, 9 * day + 120)[1]
    assert.equal(75, bucket.detectors[1][1].values[1])
    assert.equal(2 * day + 75, bucket.detectors[2][1].values[1])
    assert.equal(2, #bucket.detectors[1][1].times)
    assert.equal(70, bucket.detectors[1][1].times[1][3])
  end)

  it("take the mean place", function()
    local values = of({ ["function"] = "lat_long", field = "v" },
      { { time = 0, v = "10,20" }, { time = 1, v = "20, 40" }, { time = 2, v = "x" },
        { time = 3, v = "1,500" } })
    assert.same({ { 15.0, 30.0 } }, values)
  end)

  it("say 1 for what was there", function()
    assert.same({ 1.0 }, (of({ ["function"] = "rare", by = "b" }, { { time = 0, b = "x" },
      { time = 0, b = "x" } })))
  end)

  it("have no value where numbers are beyond all bounds, and never infinite ones", function()
    for _, name in ipairs { "mean", "sum", "varp", "median", "min", "max", "metric" } do
      local values = of({ ["function"] = name, field = "v" }, { { time = 0, v = 1e308 },
        { time = 1, v = -1e308 }, { time = 2, v = 1.7e308 } })
      for _, value in ipairs(values) do
        assert.is_true(value == nil or type(value) ~= "number" or math.abs(value) <= 1.7976931348623157e308,
          name)
      end
    end
    assert.same({ 1e308 }, (of({ ["function"] = "max", field = "v" }, { { time = 0, v = 1e308 } })))
  end)
end)

describe("cells", function()
  local by_host = { ["function"] = "count", by = "host", partition = "region" }

  it("are combinations of partition, by and over value", function()
    local g = gathering.new { detectors = { { ["function"] = "count", by = "b", over = "o",
      partition = "p" } } }
    gathering.post(g, {
      { time = 0, b = "x", o = "u", p = "1" }, { time = 0, b = "x", o = "v", p = "1" },
      { time = 0, b = "y", o = "u", p = "1" }, { time = 0, b = "x", o = "u", p = "2" },
      { time = 0, b = "x", o = "u", p = "1" },
    })
    local cells = gathering.close(g, 60)[1].detectors[1]
    assert.equal(4, #cells)
    assert.same({ "1", "x", "u", 2 }, { cells[1].partition, cells[1].by, cells[1].over, cells[1].count })
    assert.same({ 0, 0, 1, 2 }, { cells[1].model, cells[2].model, cells[3].model, cells[4].model },
      "persons of one partition and attribute share a model")
  end)

  it("are made without a by or over value only with use_null", function()
    local records = { { time = 0, region = "eu" }, { time = 0, host = "", region = "eu" },
      { time = 0, host = "a", region = "eu" } }
    local g = gathering.new { detectors = { by_host } }
    gathering.post(g, records)
    local bucket = gathering.close(g, 60)[1]
    assert.same({ a = 1.0 }, gathering.values(bucket, "by"))
    assert.equal(3, bucket.events)
    local with = gathering.new { detectors = { { ["function"] = "count", by = "host", partition = "region",
      use_null = true } } }
    gathering.post(with, records)
    assert.same({ a = 1.0, [""] = 2.0 }, gathering.values(gathering.close(with, 60)[1], "by"))
  end)

  it("take a missing partition as empty text", function()
    local g = gathering.new { detectors = { by_host } }
    gathering.post(g, { { time = 0, host = "a" } })
    assert.equal("", gathering.close(g, 60)[1].detectors[1][1].partition)
  end)

  it("are refused beyond what is admitted, while the others go on", function()
    local g = gathering.new({ detectors = { by_host } }, { cells = 2 })
    for second = 0, 60, 60 do
      local records = {}
      for i = 1, 100 do records[i] = { time = second, host = "h" .. i, region = "eu" } end
      gathering.post(g, records)
    end
    local bucket = gathering.take(g)[1]
    assert.same({ h1 = 1.0, h2 = 1.0 }, gathering.values(bucket, "by"))
    assert.equal(98, bucket.refused)
    assert.equal(100, bucket.events)
  end)

  it("keep memory bounded under two million partitions in a minute", function()
    local g = gathering.new({ detectors = { { ["function"] = "mean", field = "v", partition = "p" } },
      influencers = { "p", "q" } },
      { cells = 1000, bytes = 4 * 2 ^ 20 })
    for start = 1, 2000000, 100000 do
      local lines = {}
      for i = start, start + 99999 do lines[#lines + 1] = ('{"time":0,"p":"%d","q":"%d","v":1}'):format(i,
        i) end
      gathering.post(g, table.concat(lines, "\n"))
    end
    assert.equal(2000000, g:counts().processed_record_count)
    assert.is_true(g:size() < 8 * 2 ^ 20, g:size())
    assert.equal(1999000, gathering.close(g, 60)[1].refused)
  end)

  it("are freed when they were not seen for long, and numbered anew", function()
    local g = gathering.new { detectors = { by_host } }
    gathering.post(g, { { time = 0, host = "a" }, { time = 0, host = "b" }, { time = 60, host = "b" },
      { time = 120, host = "b" } })
    assert.equal(1, g:prune(60))
    assert.equal(0, g:prune(1000), "what an open bucket holds stays")
    gathering.post(g, { { time = 121, host = "c" }, { time = 121, host = "b" } })
    assert.same({ b = 2.0, c = 1.0 }, gathering.values(gathering.close(g, 180)[3], "by"))
  end)

  it("are frequent when they occur in more than a tenth of the buckets", function()
    local g = gathering.new { detectors = { { ["function"] = "count", by = "host",
      exclude_frequent = "by" } } }
    for minute = 0, 39 do
      gathering.post(g, { { time = minute * 60, host = "always" },
        { time = minute * 60, host = "once" .. minute } })
    end
    local frequent = {}
    local closed = gathering.take(g)
    for _, cell in ipairs(closed[#closed].detectors[1]) do frequent[cell.by] = cell.frequent end
    assert.same({ always = true, once38 = false }, frequent)
  end)
end)

describe("influencer values", function()
  local detector = { ["function"] = "sum", field = "v", partition = "region" }
  local records = {
    { time = 0, v = 1, host = "a", region = "eu" }, { time = 1, v = 2, host = "b", region = "eu" },
    { time = 2, v = 4, host = "a", region = "eu" }, { time = 3, v = 8, region = "eu" },
  }

  it("have a statistic of their own, over the rows that carry them", function()
    local _, cell = gathering.of(detector, records, { influencers = { "host", "region" } })
    assert.same({ a = { 2, 5.0 }, b = { 1, 2.0 } }, cell.slices.host)
  end)

  it("have none where the field is the detector's own", function()
    local _, cell = gathering.of(detector, records, { influencers = { "region" } })
    assert.same({}, cell.slices.region)
  end)

  it("are forgotten with their bucket", function()
    local g = gathering.new { detectors = { detector }, influencers = { "host" } }
    gathering.post(g, records)
    gathering.post(g, { { time = 60, v = 1, host = "c", region = "eu" } })
    local closed = gathering.close(g, 120)
    assert.same({ c = { 1, 1.0 } }, closed[2].detectors[1][1].slices.host)
  end)
end)

describe("summary counts", function()
  local config = { summary_count_field = "n", detectors = { { ["function"] = "count" },
    { ["function"] = "mean", field = "v" } } }

  local function gathered(records)
    local g = gathering.new(config)
    gathering.post(g, records)
    local bucket = gathering.close(g, 60)[1]
    local count, mean = bucket.detectors[1][1], bucket.detectors[2][1]
    return bucket.events, count and count.values[1], mean and mean.values[1]
  end

  it("weigh each record", function()
    assert.same({ 4, 4.0, 2.5 }, { gathered { { time = 0, n = 3, v = 2 }, { time = 1, n = "1", v = 4 } } })
  end)

  it("are rounded", function()
    assert.equal(5, (gathered { { time = 0, n = 2.6, v = 2 }, { time = 1, n = 2.4, v = 4 } }))
  end)

  it("pass over a record that counts zero times, or is no number", function()
    assert.same({ 1, 1.0, 4.0 }, { gathered { { time = 0, n = 0, v = 2 }, { time = 0, n = "x", v = 2 },
      { time = 0, n = -1, v = 2 }, { time = 1, n = 1, v = 4 } } })
  end)

  it("say that there is nothing where they are missing, empty or null", function()
    local events_seen, count, mean = gathered { { time = 0, v = 2 }, { time = 0, n = "", v = 2 },
      { time = 0, n = "null", v = 2 } }
    assert.same({ 0, 0.0 }, { events_seen, count })
    assert.is_true(mean == nil or mean == require "runtime.json".null)
  end)
end)

describe("rows of a frame", function()
  local function rows(list)
    local whole = {}
    for i, row in ipairs(list) do whole[i] = { time = row[1], host = row[2], v = row[3] } end
    return frame.new({ { "time", "int" }, { "host", "text" }, { "v" } }):append(whole)
  end

  local config = { time_format = "epoch", detectors = { { ["function"] = "mean", field = "v",
    by = "host" } } }

  it("are gathered like records, their times in milliseconds", function()
    local g = gathering.new(config)
    local counts = assert(g:feed(rows { { 0, "a", 1 }, { 59000, "a", 3 }, { 60000, "b", 5 } }))
    assert.same({ a = 2.0 }, gathering.values(gathering.take(g)[1], "by"))
    assert.same({ 3, 6, 0, 6, 60000 }, { counts.processed_record_count, counts.processed_field_count,
      counts.input_bytes, counts.input_field_count, counts.latest_record_timestamp })
  end)

  it("lack the fields that have no value or no column", function()
    local g = gathering.new { detectors = { { ["function"] = "mean", field = "v", by = "host",
      partition = "zone" } } }
    local counts = assert(g:feed(rows { { 0, "a" }, { 1000, nil, 2 } }))
    assert.equal(4, counts.missing_field_count)
  end)

  it("have numbers where a text is asked for", function()
    local g = gathering.new { detectors = { { ["function"] = "count", by = "v" } } }
    assert(g:feed(rows { { 0, "a", 1.5 }, { 0, "b", 2 } }))
    assert.same({ ["1.5"] = 1.0, ["2.0"] = 1.0 }, gathering.values(gathering.close(g, 60)[1], "by"))
  end)
end)

describe("a saved gatherer", function()
  local config = gathering.config {
    latency_s = 60, influencers = { "i" }, detectors = {
      { ["function"] = "mean", field = "v", by = "b", partition = "p" },
        { ["function"] = "info_content", field = "t" },
      { ["function"] = "distinct_count", field = "t", over = "o" },
        { ["function"] = "count", by = "b", exclude_frequent = "by" },
      { ["function"] = "time_of_day" },
    },
  }

  --- Three records a second, of changing series.
  local function records(from, to)
    local list = {}
    for i = from, to do
      list[#list + 1] = { time = i // 3, v = i * 31 % 17, b = "b" .. i % 5, p = "p" .. i % 2,
        t = "t" .. i * 7 % 11, o = "o" .. i % 3,
        i = "i" .. i % 4 }
    end
    return list
  end

  it("goes on as if it had not been saved, at any record", function()
    local whole = assert(gather.new(config))
    gathering.post(whole, records(1, 1500))
    local wanted = whole:take()
    for _, cut in ipairs { 0, 1, 179, 180, 500, 1000, 1499 } do
      local first = assert(gather.new(config))
      gathering.post(first, records(1, cut))
      local lines = first:take()
      local second = assert(gather.load(config, first:save()))
      gathering.post(second, records(cut + 1, 1500))
      assert.equal(wanted, lines .. second:take())
      assert.same(whole:counts(), second:counts())
      assert.equal(whole:open(), second:open())
    end
  end)

  it("is refused when its bytes are damaged", function()
    local g = assert(gather.new(config))
    gathering.post(g, records(1, 500))
    local bytes = g:save()
    for size = 0, #bytes - 1, 97 do
      local loaded, err = gather.load(config, bytes:sub(1, size))
      assert.is_nil(loaded)
      assert.equal("invalid", err.kind)
    end
  end)

  it("is refused by a job of other detectors", function()
    local g = assert(gather.new(config))
    local other = gathering.config { detectors = { { ["function"] = "count" } } }
    assert.is_nil(gather.load(other, g:save()))
  end)
end)
