-- Functions that are no numeric series: rare, freq_rare, time_of_day, time_of_week, lat_long.
local engine = require "support.engine"
local job = require "runtime.job"

local FROM = 1500000000 - 1500000000 % 86400
local HOUR = 3600

--- A job of hourly buckets.
local function hourly(detector, more)
  local config = { bucket_span_s = HOUR, detectors = { detector } }
  for name, value in pairs(more or {}) do config[name] = value end
  return engine.config(config)
end

local function run(config, rows)
  local j = assert(job.new(config))
  engine.post(j, rows)
  assert(j:flush { advance_ms = (rows[#rows].time + HOUR) * 1000 })
  local documents = engine.documents(j)
  return engine.only(documents, "record"), engine.only(documents, "influencer"), j
end

--- Results without what the clock on the wall has in them.
local function timeless(text)
  return (text:gsub('"processing_time_ms":%d+', ""):gsub('"log_time":%d+', ""))
end

local function hour_of(record) return (record.timestamp / 1000 - FROM) // HOUR end

--- Hours of two usual processes, and of what `extra` adds.
local function processes(hours, extra)
  local rows = {}
  for hour = 0, hours - 1 do
    for i, name in ipairs { "nginx", "postgres", "cron" } do
      if i < 3 or hour % 3 == 0 then
        rows[#rows + 1] = { time = FROM + hour * HOUR + i, process = name, host = "h" .. hour % 4 }
      end
    end
    for _, row in ipairs(extra and extra(hour) or {}) do
      row.time = FROM + hour * HOUR + 60
      rows[#rows + 1] = row
    end
  end
  return rows
end

describe("runtime.job rare", function()
  it("names a value that was never there before", function()
    local records = run(hourly({ ["function"] = "rare", by = "process" }, { influencers = { "host" } }),
      processes(400, function(hour)
        return hour == 300 and { { process = "miner", host = "h9" } } or nil
      end))
    local worst = engine.worst(records)
    assert.equal(300, hour_of(worst))
    assert.equal("miner", worst.by_field_value)
    assert.equal("rare", worst["function"])
    assert.equal("rare", worst.function_description)
    assert.same({ 1.0 }, worst.actual)
    assert.is_true(worst.typical[1] > 0 and worst.typical[1] < 0.01)
    assert.same({ "h9" }, worst.influencers[1].influencer_field_values)
    assert.is_true(worst.anomaly_score_explanation.by_field_first_occurrence)
  end)

  it("is not impressed by what happens now and then", function()
    local records = run(hourly { ["function"] = "rare", by = "process" }, processes(400))
    assert.equal(0, #records)
  end)

  it("gets used to a value", function()
    local records = run(hourly { ["function"] = "rare", by = "process" },
      processes(500, function(hour)
        return hour >= 300 and hour % 4 == 0 and { { process = "backup" } } or nil
      end))
    assert.equal(300, hour_of(records[1]))
    assert.is_nil(records[1].anomaly_score_explanation.by_field_relative_rarity)
    assert.is_nil(records[2].anomaly_score_explanation.by_field_first_occurrence)
    assert.is_true(records[2].anomaly_score_explanation.by_field_relative_rarity > 10)
    assert.is_true(hour_of(records[#records]) < 420)
  end)

  it("keeps partitions apart", function()
    local records = run(hourly { ["function"] = "rare", by = "process", partition = "host" },
      (function()
        local rows = {}
        for hour = 0, 299 do
          for _, host in ipairs { "a", "b" } do
            rows[#rows + 1] = { time = FROM + hour * HOUR, host = host, process = "on_" .. host }
            rows[#rows + 1] = { time = FROM + hour * HOUR, host = host, process = "usual" }
          end
        end
        rows[#rows + 1] = { time = FROM + 299 * HOUR + 9, host = "a", process = "on_b" }
        return rows
      end)())
    local worst = engine.worst(records)
    assert.equal("a", worst.partition_field_value)
    assert.equal("on_b", worst.by_field_value)
  end)

  it("over a field counts the persons who ever had a value", function()
    local rows = {}
    for hour = 0, 29 do
      for user = 1, 200 do
        rows[#rows + 1] = { time = FROM + hour * HOUR + user, user = "u" .. user,
          app = user % 2 == 0 and "mail" or "chat" }
      end
      if hour >= 20 then
        rows[#rows + 1] = { time = FROM + hour * HOUR + 50, user = "u7", app = "tunnel" }
      end
    end
    local records = run(hourly { ["function"] = "rare", by = "app", over = "user" }, rows)
    local worst = engine.worst(records)
    assert.equal("u7", worst.over_field_value)
    assert.equal("tunnel", worst.causes[1].by_field_value)
    assert.equal("rare", worst.causes[1].function_description)
  end)

  it("is the same after a save and a load", function()
    local config = hourly({ ["function"] = "rare", by = "process" })
    local rows = processes(200, function(hour)
      return hour % 67 == 66 and { { process = "odd" .. hour } } or nil
    end)
    local half = #rows // 2
    local one, two = assert(job.new(config)), assert(job.new(config))
    engine.post(one, rows)
    engine.post(two, { table.unpack(rows, 1, half) })
    local first = two:take_results()
    two = assert(job.load(config, two:save()))
    engine.post(two, { table.unpack(rows, half + 1) })
    assert.is_true(timeless(one:take_results()) == timeless(first .. two:take_results()))
  end)
end)

describe("runtime.job freq_rare", function()
  --- Two hundred users; two of them use what nobody else does, one often and one once.
  local function rows()
    local list = {}
    for hour = 0, 4 do
      for user = 1, 200 do
        for i = 1, 10 do
          local odd = hour == 4 and (user == 3 or user == 4 and i == 1)
          list[#list + 1] = { time = FROM + hour * HOUR + i, user = "u" .. user,
            app = odd and "odd" .. user or "app" .. i % 3 }
        end
      end
    end
    return list
  end

  it("prefers the frequent offender", function()
    local records = run(hourly { ["function"] = "freq_rare", by = "app", over = "user" }, rows())
    local scores = {}
    for _, record in ipairs(records) do
      if hour_of(record) == 4 then scores[record.over_field_value] = record.probability end
    end
    assert.is_number(scores.u3)
    assert.is_true(scores.u3 < (scores.u4 or 1))
  end)
end)

describe("runtime.job time_of_day and time_of_week", function()
  --- Logins at nine and at five, and those of `extra`.
  local function logins(days, extra)
    local rows, seed = {}, 5
    local function minutes()
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % 3600 - 1800
    end
    for day = 0, days - 1 do
      for _, at in ipairs { 9, 17 } do
        rows[#rows + 1] = { time = FROM + day * 86400 + at * HOUR + minutes(), user = "ann" }
      end
      for _, at in ipairs(extra and extra(day) or {}) do
        rows[#rows + 1] = { time = FROM + day * 86400 + at * HOUR, user = "ann" }
      end
    end
    table.sort(rows, function(a, b) return a.time < b.time end)
    return rows
  end

  it("alert at night", function()
    local records = run(hourly { ["function"] = "time_of_day" }, logins(40, function(day)
      return day == 35 and { 2.5 } or nil
    end))
    local worst = engine.worst(records)
    assert.equal(35 * 24 + 2, hour_of(worst))
    assert.equal("time", worst.function_description)
    assert.same({ 2.5 * HOUR }, worst.actual)
    assert.is_true(worst.probability < 1e-4)
    local typical = worst.typical[1]
    assert.is_true(math.abs(typical - 9 * HOUR) < HOUR or math.abs(typical - 17 * HOUR) < HOUR)
  end)

  it("are quiet while all is as usual, and while they are young", function()
    local records = run(hourly { ["function"] = "time_of_day", by = "user" }, logins(40))
    assert.is_true(#records <= 4, tostring(#records))
    for _, record in ipairs(records) do assert.is_true(record.record_score < 50) end
  end)

  it("tell one day of the week from another", function()
    local rows = {}
    for day = 0, 69 do
      local weekday = (FROM // 86400 + day) % 7
      if weekday < 5 or day == 68 or day == 69 then
        rows[#rows + 1] = { time = FROM + day * 86400 + 12 * HOUR + day % 7 * 60 }
      end
    end
    local records = run(hourly { ["function"] = "time_of_week" }, rows)
    local worst = engine.worst(records)
    assert.is_true(hour_of(worst) // 24 >= 68)
    assert.is_true(worst.probability < 0.001)
  end)

  it("go on after a save and a load as if nothing had been", function()
    local config = hourly { ["function"] = "time_of_day", by = "user" }
    local rows = logins(30, function(day) return day == 28 and { 3 } or nil end)
    local one, two = assert(job.new(config)), assert(job.new(config))
    engine.post(one, rows)
    engine.post(two, { table.unpack(rows, 1, 31) })
    local first = two:take_results()
    two = assert(job.load(config, two:save()))
    engine.post(two, { table.unpack(rows, 32) })
    assert.is_true(timeless(one:take_results()) == timeless(first .. two:take_results()))
  end)
end)

describe("runtime.job lat_long", function()
  it("names a place that is far from all usual ones", function()
    local rows, seed = {}, 3
    local function near()
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % 1000 / 10000 - 0.05
    end
    for hour = 0, 299 do
      local lat, lon = 52.5 + near(), 13.4 + near()
      if hour % 2 == 0 then lat, lon = 48.9 + near(), 2.35 + near() end
      if hour == 280 then lat, lon = 40.7, -74 end
      rows[#rows + 1] = { time = FROM + hour * HOUR, place = ("%.4f,%.4f"):format(lat, lon) }
    end
    local records = run(hourly { ["function"] = "lat_long", field = "place" }, rows)
    local worst = engine.worst(records)
    assert.equal(280, hour_of(worst))
    assert.equal("lat_long", worst.function_description)
    assert.same({ 40.7, -74.0 }, worst.actual)
    assert.is_true(math.abs(worst.typical[1] - 48.9) < 0.5)
    assert.is_true(math.abs(worst.typical[2] - 2.35) < 0.5)
    assert.equal("40.700000000000,-74.000000000000", worst.geo_results.actual_point)
    assert.is_true(worst.record_score > 75)
  end)
end)
