--- Fields of the documents that the engine keeps, as mappings (opensearch-ad.md 6.5).
-- @module blip.result.fields
local fields = {}

local KEYWORD, DOUBLE = { type = "keyword" }, { type = "double" }
local DATE = { type = "date", format = "strict_date_time||epoch_millis" }
local INTEGER, BOOLEAN = { type = "integer" }, { type = "boolean" }
local TEXT = { type = "text", fields = { keyword = { type = "keyword", ignore_above = 256 } } }

fields.KEYWORD, fields.DATE, fields.TEXT = KEYWORD, DATE, TEXT
fields.INTEGER, fields.BOOLEAN = INTEGER, BOOLEAN

--- An object that is kept but cannot be searched.
fields.UNREAD = { type = "object", enabled = false }

--- Objects in an array, each searched by itself.
function fields.nested(properties)
  return { type = "nested", properties = properties }
end

local nested = fields.nested

fields.ENTITY = nested { name = KEYWORD, value = KEYWORD }
fields.USER = nested { name = TEXT, backend_roles = TEXT, roles = TEXT, custom_attribute_names = TEXT }

local VALUE = { feature_id = KEYWORD, data = DOUBLE }

--- The mapping of result documents.
fields.RESULT = {
  schema_version = INTEGER,
  detector_id = KEYWORD,
  task_id = KEYWORD,
  model_id = KEYWORD,
  is_anomaly = BOOLEAN,
  anomaly_score = DOUBLE,
  anomaly_grade = DOUBLE,
  confidence = DOUBLE,
  threshold = DOUBLE,
  data_start_time = DATE,
  data_end_time = DATE,
  execution_start_time = DATE,
  execution_end_time = DATE,
  approx_anomaly_start_time = DATE,
  error = { type = "text" },
  feature_data = nested { feature_id = KEYWORD, feature_name = KEYWORD, data = DOUBLE },
  relevant_attribution = nested(VALUE),
  past_values = nested(VALUE),
  expected_values = nested { likelihood = DOUBLE, value_list = nested(VALUE) },
  feature_imputed = nested { feature_id = KEYWORD, imputed = BOOLEAN },
  entity = fields.ENTITY,
  user = fields.USER,
}

return fields
