-- luacheck: no max line length
-- The rows of elastic-ml.md 12.15 and those of estimate_model_memory (12.18), each a spec named after it.
local jobs = require "support.ml_jobs"
local server = require "support.server"

local refused = jobs.refused
local JOBS = "/_ml/anomaly_detectors/"

describe("validate", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  local function validate(changes) return blip:post(JOBS .. "_validate", jobs.body(changes)) end

  it("valid (with/without job_id)", function()
    assert.same({ acknowledged = true }, validate().json)
    assert.same({ acknowledged = true }, validate({ job_id = "farequote" }).json)
    assert.equal(0, blip:get("/_ml/anomaly_detectors").json.count)
  end)

  it("format wrong", function()
    local answer = validate { data_description = { format = "wrong" } }
    refused(answer, 400, "[data_description] failed to parse field [format]")
    assert.equal("x_content_parse_exception", answer.json.error.type)
  end)

  it("job id _", function()
    refused(validate { job_id = "_" }, 400, "Invalid job_id; '_' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric")
  end)

  it("model_snapshot_id", function()
    local answer = validate { model_snapshot_id = "wont-create-with-this-setting" }
    refused(answer, 400, "unknown field [model_snapshot_id]")
    assert.equal("x_content_parse_exception", answer.json.error.type)
  end)

  it("duplicate detectors (± detector_index)", function()
    for _, second in ipairs { false, 1 } do
      local detectors = { { ["function"] = "max", field_name = "r" }, { ["function"] = "max", field_name = "r", detector_index = second or nil } }
      local answer = validate { analysis_config = { bucket_span = "1h", detectors = detectors } }
      refused(answer, 400, "Duplicate detectors are not allowed")
      assert.equal("illegal_argument_exception", answer.json.error.type)
    end
  end)

  it("detector count by airline", function()
    assert.same({ acknowledged = true }, blip:post(JOBS .. "_validate/detector", { ["function"] = "count", by_field_name = "airline" }).json)
  end)

  it("mean without field", function()
    refused(blip:post(JOBS .. "_validate/detector", { ["function"] = "mean", by_field_name = "airline" }), 400, "field_name must be set when the 'mean' function is used")
  end)
end)

describe("estimate_model_memory", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  local function estimate(detector, influencers, overall, per_bucket)
    return blip:post(JOBS .. "_estimate_model_memory", {
      analysis_config = { bucket_span = "1h", detectors = { detector }, influencers = influencers },
      overall_cardinality = overall, max_bucket_cardinality = per_bucket,
    })
  end

  local BY = { ["function"] = "max", field_name = "responsetime", by_field_name = "airline" }
  local BOTH = { ["function"] = "max", field_name = "responsetime", by_field_name = "airline", partition_field_name = "country" }

  it("by field", function()
    assert.same({ model_memory_estimate = "3135mb" }, estimate(BY, { "airline" }, { airline = 50000 }).json)
  end)

  it("by field with independent influencer", function()
    assert.same({ model_memory_estimate = "3140mb" }, estimate(BY, { "airline", "country" }, { airline = 50000 }, { country = 500 }).json)
  end)

  it("by and partition", function()
    local overall = { airline = 4000, country = 600 }
    assert.same({ model_memory_estimate = "150010mb" }, estimate(BOTH, nil, overall).json)
    assert.same({ model_memory_estimate = "150015mb" }, estimate(BOTH, { "src_ip" }, overall, { src_ip = 500 }).json)
  end)

  it("a field without a number is refused", function()
    refused(estimate(BY, nil, { country = 5 }), 400, "[overall_cardinality] has no entry for the field [airline]")
    refused(blip:post(JOBS .. "_estimate_model_memory", { overall_cardinality = { a = 1 } }), 400, "[analysis_config] was not specified")
  end)
end)
