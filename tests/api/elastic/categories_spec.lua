-- luacheck: no max line length
-- The rows of elastic-ml.md 12.5, each a spec named after it. Blip finds no categories itself; these
-- are documents that a client put there.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local JOB = "jobs-get-result-categories"
local PATH = "/_ml/anomaly_detectors/" .. JOB .. "/results/categories"

describe("jobs_get_result_categories", function()
  local blip

  setup(function()
    blip = server.start()
    jobs.create(blip, JOB)
    for id, value in ipairs { "v1", "v2", "v1" } do
      local answer = blip:put(("/.ml-anomalies-%s/_doc/%d"):format(JOB, id), {
        job_id = JOB, category_id = tostring(id), partition_field_name = "p", partition_field_value = value,
      })
      assert(answer.status == 201, answer.body)
    end
    blip:put("/unrelated/_doc/1", { category_id = 4 })
  end)
  teardown(function() blip:stop() end)

  local function ids(answer)
    assert.equal(200, answer.status, answer.body)
    return jobs.pluck(answer.json.categories, "category_id")
  end

  it("list", function()
    local answer = blip:get(PATH)
    assert.same({ 1, 2, 3 }, ids(answer))
    assert.equal(3, answer.json.count)
    local first = answer.json.categories[1]
    assert.same({ JOB, "p", "v1", "v1", "1", "category_definition" }, {
      first.job_id, first.partition_field_name, first.partition_field_value, first.p, first.mlcategory,
      first.result_type,
    })
    assert.same({ 1, 2, 3 }, ids(blip:get(PATH .. "/")))
  end)

  it("size 1 / from 2 size 2", function()
    assert.same({ 1 }, ids(blip:get(PATH .. "?size=1")))
    assert.same({ 3 }, ids(blip:get(PATH .. "?from=2&size=2")))
  end)

  it("page in body", function()
    assert.same({ 1 }, ids(blip:post(PATH, { page = { size = 1 } })))
    assert.same({ 2 }, ids(blip:post(PATH, { page = { from = 1, size = 1 } })))
  end)

  it("by id", function()
    assert.same({ 1 }, ids(blip:get(PATH .. "/1")))
    assert.same({}, ids(blip:get(PATH .. "/77")))
    jobs.refused(blip:get(PATH .. "/one"), 400, 'For input string: \\"one\\"')
  end)

  it("partition", function()
    assert.same({ 1, 3 }, ids(blip:get(PATH .. "?partition_field_value=v1")))
    assert.same({ 2 }, ids(blip:get(PATH .. "?partition_field_value=v2")))
    assert.same({}, ids(blip:post(PATH, { partition_field_value = "v3" })))
  end)

  it("bad combos (query)", function()
    for _, query in ipairs { "from=0", "size=1", "from=0&size=1" } do
      jobs.refused(blip:get(PATH .. "/1?" .. query), 400,
        "Param [from, size] is incompatible with [category_id].")
    end
  end)

  it("bad combos (body)", function()
    jobs.refused(blip:post(PATH, { from = 0 }), 400, "unknown field [from]")
    jobs.refused(blip:post(PATH, { size = 1 }), 400, "unknown field [size]")
  end)

  it("unknown job", function()
    jobs.refused(blip:get "/_ml/anomaly_detectors/no/results/categories", 404, "No known job with id 'no'")
  end)
end)
