-- luacheck: no max line length
-- The rows of elastic-ml.md 12.7 about which jobs an expression names, each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"

describe("job_groups", function()
  local blip

  setup(function()
    blip = server.start()
    for name, groups in pairs {
      ["foo-1"] = { "foo-group", "ones" }, ["foo-2"] = { "foo-group", "twos" }, ["bar-1"] = { "bar-group", "ones" },
      ["bar-2"] = { "bar-group", "twos" },
    } do
      jobs.create(blip, "test-job-groups-" .. name, { groups = groups })
    end
    jobs.create(blip, "test-job-groups-nogroup")
  end)
  teardown(function() blip:stop() end)

  local function named(expression)
    local answer = blip:get(JOBS .. expression)
    assert.equal(200, answer.status, answer.body)
    assert.equal(answer.json.count, #answer.json.jobs)
    local short = {}
    for i, id in ipairs(jobs.pluck(answer.json.jobs, "job_id")) do short[i] = id:match "^test%-job%-groups%-(.*)$" end
    return table.concat(short, " ")
  end

  it("id equal to a group (and vice versa, and own id)", function()
    for id, groups in pairs { ["foo-group"] = {}, j = { "test-job-groups-foo-1" }, own = { "own" } } do
      local answer = blip:put(JOBS .. id, jobs.body { groups = #groups > 0 and groups or nil })
      refused(answer, 400, "job and group names must be unique but job [")
      assert.equal("resource_already_exists_exception", answer.json.error.type)
    end
  end)

  it("empty group / ___", function()
    for _, group in ipairs { "", "___" } do
      refused(blip:put(JOBS .. "j", jobs.body { groups = { group } }), 400, ("Invalid group id '%s'; must be non-empty string "
        .. "and may contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric"):format(group))
    end
  end)

  it("_all", function() assert.equal("bar-1 bar-2 foo-1 foo-2 nogroup", named "_all") end)
  it("id", function() assert.equal("bar-1", named "test-job-groups-bar-1") end)
  it("foo-group", function() assert.equal("foo-1 foo-2", named "foo-group") end)
  it("bar-group", function() assert.equal("bar-1 bar-2", named "bar-group") end)
  it("ones", function() assert.equal("bar-1 foo-1", named "ones") end)
  it("twos", function() assert.equal("bar-2 foo-2", named "twos") end)
  it("*-group", function() assert.equal("bar-1 bar-2 foo-1 foo-2", named "*-group") end)

  it("bar-group,test-job-groups-nogroup", function()
    assert.equal("bar-1 bar-2 nogroup", named "bar-group,test-job-groups-nogroup")
  end)

  it("get jobs (explicit/implicit all, wildcard, list)", function()
    assert.equal(5, blip:get("/_ml/anomaly_detectors").json.count)
    assert.equal(5, blip:get("/_ml/anomaly_detectors/*").json.count)
    assert.equal("bar-1 bar-2", named "test-job-groups-bar-*")
    assert.equal("bar-1 foo-1", named "test-job-groups-foo-1,test-job-groups-bar-1")
  end)

  it("a name that nothing has is missing beside those that there are", function()
    refused(blip:get(JOBS .. "ones,nothing,neither"), 404, "No known job with id 'nothing,neither'")
    assert.equal("bar-1 foo-1", named "ones,nothing*")
  end)
end)
