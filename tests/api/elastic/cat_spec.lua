-- luacheck: no max line length
-- The rows of elastic-ml.md 12.18 about _cat, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

describe("job_cat_apis", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, "job-stats-test")
    jobs.create(blip, "jobs-get-stats-datafeed-job")
    blip:put("/_ml/datafeeds/datafeed-1", { job_id = "jobs-get-stats-datafeed-job", indices = { "farequote" } })
    blip:post "/_ml/anomaly_detectors/job-stats-test/_open"
    blip:post("/_ml/anomaly_detectors/job-stats-test/_data", '{"time":1403481600}\n{"time":1403481700}\n{"time":1403485300}\n')
  end)
  teardown(function() blip:stop() end)

  local function cat(rest) return blip:get("/_cat/ml/" .. rest) end

  it("header row with default columns, values for known jobs", function()
    local lines = {}
    for line in cat("anomaly_detectors?v").body:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.truthy(lines[1]:find "^id%s+state%s+data%.processed_records%s+model%.bytes%s+model%.memory_status%s+forecasts%.total%s+buckets%.count$")
    assert.truthy(lines[2]:find "^job%-stats%-test%s+opened%s+3%s+[%d.]+[kmg]?b%s+ok%s+0%s+%d+$")
    assert.truthy(lines[3]:find "^jobs%-get%-stats%-datafeed%-job%s+closed%s+0%s+0b%s+ok%s+0%s+0$")
  end)

  it("chosen columns, sorted", function()
    assert.equal("jobs-get-stats-datafeed-job closed 0\njob-stats-test              opened 3\n",
      cat("anomaly_detectors?h=id,s,dpr&s=dpr").body)
    assert.equal("2014-06-23T00:00:00.000Z\n", cat("anomaly_detectors/job-stats-test?h=data.earliest_record").body)
  end)

  it("missing pattern empty, unknown 404", function()
    assert.same({ 200, "" }, { cat("anomaly_detectors/missing-*").status, cat("anomaly_detectors/missing-*").body })
    assert.equal(404, cat("anomaly_detectors/missing-*?allow_no_match=false").status)
    assert.equal(404, cat("anomaly_detectors/missing").status)
    assert.equal(404, cat("datafeeds/missing").status)
  end)

  it("datafeed_cat_apis: header row with default columns, values", function()
    local body = cat("datafeeds?v").body
    assert.truthy(body:find "^id%s+state%s+buckets%.count%s+search%.count\ndatafeed%-1%s+stopped%s+0%s+0\n$")
  end)

  it("format=json", function()
    local list = cat("datafeeds?format=json").json
    assert.same({ { id = "datafeed-1", state = "stopped", ["buckets.count"] = "0", ["search.count"] = "0" } }, list)
  end)

  it("sizes and times in the unit that is asked for", function()
    assert.truthy(cat("anomaly_detectors/job-stats-test?h=mb&bytes=b").body:find "^%d+\n$")
    assert.truthy(cat("anomaly_detectors/job-stats-test?h=btt&time=ms").body:find "^%d+\n$")
  end)

  it("help names every column", function()
    local help = cat("anomaly_detectors?help").body
    for _, name in ipairs { "forecasts.memory.avg", "node.address", "buckets.time.exp_avg_hour", "model.rare_category_count" } do
      assert.truthy(help:find(name, 1, true))
    end
  end)
end)
