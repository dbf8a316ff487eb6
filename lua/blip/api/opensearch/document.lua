--- The detector document: the order of its fields, and how it is shown (opensearch-ad.md 4.1).
-- What `parse` returns is what is stored is what is answered: one ordered table.
-- @module blip.api.opensearch.document
local json = require "runtime.json"

local KEYS = {
  "name",
  "description",
  "time_field",
  "indices",
  "filter_query",
  "window_delay",
  "shingle_size",
  "schema_version",
  "feature_attributes",
  "recency_emphasis",
  "history",
  "ui_metadata",
  "last_update_time",
  "category_field",
  "user",
  "result_index",
  "imputation_option",
  "suggested_seasonality",
  "result_index_min_size",
  "result_index_min_age",
  "result_index_ttl",
  "flatten_custom_result_index",
  "last_ui_breaking_change_time",
  "frequency",
  "detection_interval",
  "detector_type",
  "rules",
}
local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&#34;", ["'"] = "&#39;" }

local document = {}

--- Puts the fields of a detector in their order.
function document.ordered(fields)
  return json.ordered(fields, KEYS)
end

--- Text made safe for a page.
function document.encode(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

--- A stored detector as the routes show it: the plugin reads it once more, which encodes its
-- description again.
-- @tparam table stored the document
function document.shown(stored)
  local shown = {}
  for name, value in pairs(stored) do
    shown[name] = value
  end
  if type(shown.description) == "string" then
    shown.description = document.encode(shown.description)
  end
  return document.ordered(shown)
end

--- Whether the detector has category fields.
function document.has_categories(detector)
  return type(detector.category_field) == "table" and #detector.category_field > 0
end

return document
