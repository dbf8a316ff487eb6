--- Verdicts at rest: result documents as opensearch-ad.md 6.1 describes them, straight from the
-- columns of a scored frame.
--
--     {"detector_id":"d","schema_version":7,"data_start_time":..,"data_end_time":..,
--      "feature_data":[{"feature_id":"f","feature_name":"f","data":0.25}],...,
--      "anomaly_score":0.8,"anomaly_grade":0.0,"confidence":0.97,...,"threshold":1.1}
--
-- A template has the constant text of a detector's results in it, so that a row costs its
-- numbers alone.
-- @module blip.result.anomaly
local cause = require "blip.result.cause"
local json = require "runtime.json"
local render = require "runtime.render"

local anomaly = {}

local SCHEMA_VERSION = 7 -- of stored results (opensearch-ad.md 6.1)

local encode = json.encode

local function columns(prefix, d)
  local names = {}
  for i = 1, #d.features do names[i] = prefix .. i end
  return names
end

local function add(parts, ...)
  for _, part in ipairs { ... } do parts[#parts + 1] = part end
end

-- {"feature_id":..,"feature_name":..,"data":..} of each feature; where values are imputed, what
-- stands in for them.
local function feature_data(d)
  local parts = { ',"feature_data":[' }
  for i, feature in ipairs(d.features) do
    local head = ('%s{"feature_id":%s,"feature_name":%s,"data":'):format(
      i > 1 and "," or "", encode(feature.id), encode(feature.name))
    local value = d.impute and { "used_" .. i, decimals = 3 } or { "f" .. i }
    add(parts, head, value, "}")
  end
  add(parts, "]")
  return parts
end

-- `,"name":[{"feature_id":..,"data":..}, ...]` over the columns of a prefix.
local function by_feature(d, name, prefix)
  local parts = { (',"%s":['):format(name) }
  for i, feature in ipairs(d.features) do
    add(parts, ('%s{"feature_id":%s,"data":'):format(i > 1 and "," or "", encode(feature.id)),
      { prefix .. i }, "}")
  end
  add(parts, "]")
  return parts
end

local function when(condition, names, parts, than)
  parts.when, parts.columns, parts.than = condition, names, than
  return parts
end

local function entity(d)
  local parts = { ',"entity":[' }
  for i, field in ipairs(d.category) do
    add(parts, ('%s{"name":%s,"value":'):format(i > 1 and "," or "", encode(field)),
      { field, missing = '""' }, "}")
  end
  add(parts, "]")
  return parts
end

local function model_id(d)
  if #d.category > 0 then return { ',"model_id":', { "model_id" } } end
  return { (',"model_id":%s'):format(encode(d.id .. "_model_rcf_0")) }
end

local function append(parts, more)
  table.move(more, 1, #more, #parts + 1, parts)
end

local function expected_values(d)
  local list = by_feature(d, "value_list", "expected_")
  list[1] = ',"expected_values":[{"likelihood":1.0' .. list[1]
  list[#list] = "]}]"
  return list
end

-- What only an anomaly has.
local function explained(d)
  local start = { ',"approx_anomaly_start_time":', { sum = { time = 1, start_index = d.interval_ms } } }
  return when("above", { "grade" }, {
    when("below", { "start_index" }, start),
    when("present", columns("contribution_", d), by_feature(d, "relevant_attribution", "contribution_")),
    when("present", columns("past_", d), by_feature(d, "past_values", "past_")),
    when("present", columns("expected_", d), expected_values(d)),
  })
end

local function imputed(d)
  local parts = { ',"feature_imputed":[' }
  for i, feature in ipairs(d.features) do
    add(parts, ('%s{"feature_id":%s,"imputed":'):format(i > 1 and "," or "", encode(feature.id)),
      { "imputed_" .. i }, "}")
  end
  add(parts, "]")
  return when("any", columns("imputed_", d), parts)
end

-- A threshold of a model that has none is left out; of one that is still warming up it is 0.
local function threshold(d)
  if d.model.kind == "forest" then return { ',"threshold":', { "threshold", missing = "0.0" } } end
  return { when("present", { "threshold" }, { ',"threshold":', { "threshold" } }) }
end

local function scores()
  return {
    ',"anomaly_score":', { "score", missing = "0.0" },
    ',"anomaly_grade":', { "grade", missing = "0.0" },
    ',"confidence":', { "confidence", missing = "0.0" },
  }
end

local function executed(options)
  if not options.executed then return {} end
  return { (',"execution_start_time":%d,"execution_end_time":%d'):format(table.unpack(options.executed)) }
end

local function head(d, options)
  return {
    ('{"detector_id":%s,"schema_version":%d,"data_start_time":'):format(
      encode(options.detector_id or d.id), options.schema_version or SCHEMA_VERSION),
    { sum = { time = 1 } },
    ',"data_end_time":',
    { sum = { time = 1 }, plus = options.interval_ms or d.interval_ms },
  }
end

-- Which detector, user and task a result is of.
local function belongs(d, options)
  local parts = #d.category > 0 and entity(d) or {}
  if d.user then add(parts, ',"user":' .. encode(d.user)) end
  if options.task_id then add(parts, (',"task_id":%s'):format(encode(options.task_id))) end
  return parts
end

local function scored(d, options)
  local parts = head(d, options)
  append(parts, feature_data(d))
  append(parts, executed(options))
  append(parts, scores())
  append(parts, belongs(d, options))
  if options.model_id then append(parts, model_id(d)) end
  add(parts, explained(d))
  append(parts, threshold(d))
  if d.impute then add(parts, imputed(d)) end
  add(parts, "}")
  return parts
end

-- An interval without data: opensearch-ad.md 5.6.
local function failed(d, options)
  local parts = head(d, options)
  if not options.task_id then add(parts, ',"feature_data":[]') end
  append(parts, executed(options))
  if options.task_id then
    add(parts, ',"error":"No data in current detection window"')
  else
    add(parts, ',"error":"No data in current window between ', { sum = { time = 1 } }, " and ",
      { sum = { time = 1 }, plus = d.interval_ms }, " for ", (encode(d.id):gsub('^"', "")))
  end
  append(parts, belongs(d, options))
  add(parts, "}")
  return parts
end

--- The template of a detector's result documents.
-- @tparam table d definition
-- @tparam table options
--   `[detector_id]` when it is not `d.id`, `[schema_version]`, `[interval_ms]` a result spans;
--   `[task_id]` of a historical analysis; `[model_id]` whether results carry one;
--   `[executed]` `{ from, to }` ms: when the run was;
--   `[from_ms]` rows before are not written; `[errors_from_ms]` intervals without data before
--   are not written (default: all are)
-- @return a template for `frame:render`
function anomaly.template(d, options)
  local names = columns("f", d)
  local body = scored(d, options)
  if not d.impute then
    body = { when("present", names, body) }
    local error_parts = when("missing", names, failed(d, options))
    add(body, when("above", { "time" }, { error_parts }, (options.errors_from_ms or math.mininteger) - 0.5))
  end
  return render.template { when("above", { "time" }, body, (options.from_ms or math.mininteger) - 0.5) }
end

--- Result documents of a scored frame.
-- @tparam table d definition
-- @param frame
-- @tparam table options as template()
-- @treturn string NDJSON
-- @treturn integer how many
function anomaly.documents(d, frame, options)
  if options.model_id and #d.category > 0 then
    local ok, err = frame:add_model_ids("model_id", d.id .. "_entity_", d.category)
    if not ok then return nil, err end
  end
  return frame:render(anomaly.template(d, options))
end

-- Values of a column per feature, by the feature's name.
local function named(d, frame, row, prefix)
  local values = {}
  for i, feature in ipairs(d.features) do values[feature.name] = frame:get(row, prefix .. i) end
  return values
end

-- The name of the feature to blame: the one that the model names, else the one that contributed
-- most. A column that was constant until it left its range has no share, and yet is the cause.
local function most_blamed(d, frame, row, contribution)
  local named_by_model = frame:type "cause_feature" and frame:get(row, "cause_feature")
  if named_by_model and d.features[named_by_model] then return d.features[named_by_model].name end
  local most
  for _, feature in ipairs(d.features) do
    local share = contribution[feature.name] or 0
    if not most or share > contribution[most] then most = feature.name end
    contribution[most] = contribution[most] or 0
  end
  return most
end

local CAUSE = { "cause", "cause_feature", "cause_rows", "cause_lag", "cause_amount", "cause_distance" }

-- Why the row is strange, in a sentence about the blamed feature.
local function reason(d, frame, row, blamed, values, expected)
  local v = {
    time = frame:get(row, "time"), value = values[blamed], expected = expected[blamed],
    interval_ms = d.interval_ms, names = {},
  }
  for i, feature in ipairs(d.features) do v.names[i] = feature.name end
  for _, column in ipairs(CAUSE) do v[column] = frame:type(column) and frame:get(row, column) or nil end
  return cause.words(v)
end

-- The category values that a model blames, by field; nil where it blames none.
local function influencers(frame, row)
  local text = frame:type "influencers" and frame:get(row, "influencers")
  if not text then return nil end
  local by_field = {}
  for _, one in ipairs(assert(json.decode(text))) do
    by_field[one.influencer_field_name] = one.influencer_field_values
  end
  return by_field
end

--- One row as a script sees it: what `on_anomaly` gets.
-- @tparam table d definition
-- @param frame scored
-- @tparam integer row
-- @treturn table `{ detector =, time = ms, entity = { field = value }, grade =, score =,
-- confidence =, cause = name of the feature to blame, reason = why in a sentence, values =,
-- expected =, lower =, upper =, contribution = { feature = number }, [influencers] = { field = { value } } }`
function anomaly.row(d, frame, row)
  local of_entity = {}
  for _, field in ipairs(d.category) do of_entity[field] = frame:get(row, field) end
  local contribution = named(d, frame, row, "contribution_")
  local values, expected = named(d, frame, row, "f"), named(d, frame, row, "expected_")
  local blamed = most_blamed(d, frame, row, contribution)
  return {
    detector = d.id,
    time = frame:get(row, "time"),
    entity = of_entity,
    grade = frame:get(row, "grade"),
    score = frame:get(row, "score"),
    confidence = frame:get(row, "confidence"),
    cause = blamed,
    reason = reason(d, frame, row, blamed, values, expected),
    values = values,
    expected = expected,
    lower = named(d, frame, row, "lower_"),
    upper = named(d, frame, row, "upper_"),
    contribution = contribution,
    influencers = influencers(frame, row),
  }
end

--- The rows of a scored frame with a grade above 0, as row() gives them.
function anomaly.rows(d, frame)
  local list = {}
  for i, row in ipairs(frame:above("grade", 0)) do list[i] = anomaly.row(d, frame, row) end
  return list
end

return anomaly
