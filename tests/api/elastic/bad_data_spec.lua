-- luacheck: no max line length
-- Bodies of `_data` that nobody should send: the server stays, keeps what it has answered, and says what
-- is wrong.
local jobs = require "support.ml_jobs"
local random = require "support.random"
local server = require "support.server"

local ML = "/_ml/anomaly_detectors/"

describe("bad data", function()
  local blip

  setup(function() blip = server.start { limits = { body = "30mb" } } end)
  teardown(function() blip:stop() end)

  local function open(id, detector, more)
    local body = { analysis_config = { bucket_span = "1h", detectors = { detector } } }
    for name, value in pairs(more or {}) do body[name] = value end
    jobs.create(blip, id, body)
    jobs.open(blip, id)
    return ML .. id
  end

  local MEAN = { ["function"] = "mean", field_name = "value", partition_field_name = "host" }

  local function post(path, text) return blip:post(path .. "/_data", text) end
  local function counts(path) return blip:get(path .. "/_stats").json.jobs[1].data_counts end

  it("megabytes of garbage are refused, and the job goes on", function()
    local path = open("garbage", MEAN)
    local generator, parts = random.new(5), {}
    for i = 1, 200000 do parts[i] = string.char(math.floor(generator:uniform() * 256)) end
    jobs.refused(post(path, table.concat(parts):rep(100)), 400, "The input JSON data is malformed.")
    assert.equal(202, post(path, '{"time":1403481600,"host":"a","value":1}').status)
    assert.equal(1, counts(path).processed_record_count)
  end)

  it("a record of ten megabytes is one record", function()
    local path = open("long", MEAN)
    local answer = post(path, ('{"time":1403481600,"host":"%s","value":1}'):format(("x"):rep(10 << 20)))
    assert.equal(202, answer.status, answer.body)
    assert.equal(1, answer.json.processed_record_count)
    assert.equal(202, post(path, '{"time":1403485200,"host":"a","value":1}').status)
    assert.equal(200, blip:post(path .. "/_close").status)
    jobs.open(blip, "long")
  end)

  it("fifty thousand partitions in a minute keep to the memory that the job may have", function()
    local path = open("crowded", MEAN, { analysis_limits = { model_memory_limit = "10mb" } })
    for part = 0, 4 do
      local lines = {}
      for i = 1, 10000 do
        lines[i] = ('{"time":%d,"host":"host-%d","value":%d}'):format(1403481600 + part, part * 10000 + i, i)
      end
      assert.equal(202, post(path, table.concat(lines, "\n")).status)
    end
    assert.equal(202, post(path, '{"time":1403485200,"host":"host-1","value":1}').status)
    local stats = blip:get(path .. "/_stats").json.jobs[1].model_size_stats
    assert.is_true(stats.model_bytes <= 12 << 20, stats.model_bytes)
    assert.equal(50000, counts(path).processed_record_count - 1)
  end)

  it("times in the year 9999 and before 1970 are dates like others", function()
    local path = open("times", MEAN)
    local answer = post(path, '{"time":-100000,"host":"a","value":1}\n{"time":100000,"host":"a","value":1}')
    assert.equal(202, answer.status, answer.body)
    local far = open("far", MEAN)
    answer = post(far, '{"time":253402300000,"host":"a","value":1}')
    assert.equal(202, answer.status, answer.body)
    assert.equal(200, blip:post(far .. "/_flush?calc_interim=true").status)
    assert.equal(200, blip:post(far .. "/_close").status)
  end)

  it("a jump of the clock over centuries is refused or taken in seconds, not hours", function()
    local path = open("jump", { ["function"] = "count" }, { analysis_config = { bucket_span = "1s", detectors = { { ["function"] = "count" } } } })
    assert.equal(202, post(path, '{"time":1403481600}').status)
    local answer = post(path, '{"time":253402300000}')
    assert.is_true(answer.status < 500, answer.body)
    assert.is_true(post(path, '{"time":1403481601}').status < 500)
  end)

  it("numbers that are none, and the largest that there are, break nothing", function()
    local path = open("numbers", MEAN)
    local lines = {}
    for i = 0, 30 do
      for _, value in ipairs { "1e308", "-1e308", '"NaN"', '"Infinity"', "1e400", "5" } do
        lines[#lines + 1] = ('{"time":%d,"host":"a","value":%s}'):format(1403481600 + i * 3600, value)
      end
    end
    local answer = post(path, table.concat(lines, "\n"))
    assert.is_true(answer.status == 202 or answer.status == 400, answer.body)
    assert.equal(200, blip:post(path .. "/_flush?calc_interim=true").status)
    assert.equal(200, blip:get(path .. "/results/records").status)
    assert.equal(200, blip:post(path .. "/_close").status)
    jobs.open(blip, "numbers")
  end)

  it("an empty body is no records", function()
    local path = open("empty", MEAN)
    local answer = post(path, "")
    assert.equal(202, answer.status, answer.body)
    assert.equal(0, answer.json.input_record_count)
  end)

  it("a body of another kind is refused", function()
    local path = open("kinds", MEAN)
    assert.equal(406, blip:post(path .. "/_data", "a,b\n1,2\n", { ["Content-Type"] = "text/csv" }).status)
  end)
end)
