local jobs = require "support.ml_jobs"
local server = require "support.server"

describe("what the dialect has and this server does not", function()
  local blip

  setup(function() blip = server.start() end)
  teardown(function() blip:stop() end)

  it("is an empty list", function()
    for path, name in pairs {
      ["data_frame/analytics"] = "data_frame_analytics",
      ["data_frame/analytics/_stats"] = "data_frame_analytics",
      trained_models = "trained_model_configs", ["trained_models/_stats"] = "trained_model_stats",
    } do
      assert.same({ count = 0, [name] = {} }, blip:get("/_ml/" .. path).json)
    end
  end)

  it("has no member of any name", function()
    jobs.refused(blip:get "/_ml/data_frame/analytics/a", 404, "No known data frame analytics with id [a]")
    jobs.refused(blip:get "/_ml/trained_models/a", 404, "No known trained model with model_id [a]")
    assert.equal(0, blip:get("/_ml/trained_models/a*").json.count)
    jobs.refused(blip:get "/_ml/trained_models/a*?allow_no_match=false", 404)
  end)

  it("is not made", function()
    jobs.refused(blip:put("/_ml/data_frame/analytics/a", { source = {} }), 400, "not supported")
    jobs.refused(blip:put("/_ml/trained_models/a", { input = {} }), 400, "not supported")
    jobs.refused(blip:post("/_ml/find_file_structure", { a = 1 }), 400, "not supported")
  end)
end)
