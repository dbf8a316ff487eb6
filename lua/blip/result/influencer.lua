--- Influencers as the dialect shows them (elastic-ml.md 5.3).
-- @module blip.result.influencer
local fields = require "blip.result.job_fields"
local json = require "runtime.json"
local view = require "blip.result.view"

local influencer = {}

local ZEROS = { influencer_score = 0.0, initial_influencer_score = 0.0, probability = 0.0 }

local function order_of(field)
  return {
    "job_id", "result_type", "influencer_field_name", "influencer_field_value", field, "influencer_score",
    "initial_influencer_score", "probability", "sequence_num", "bucket_span", "is_interim", "timestamp",
  }
end

--- A stored influencer, shown: its value stands also under its field's own name, unless a result has a
-- field of that name anyway.
-- @tparam table document changed in place
function influencer.show(document)
  view.fill(view.common(document, "influencer"), ZEROS)
  local field = document.influencer_field_name
  if type(field) == "string" and not fields.RESULT[field] then
    document[field] = document.influencer_field_value
  end
  return json.ordered(document, order_of(field))
end

return influencer
