--- Reads a detector from a request body (opensearch-ad.md 4).
-- The fields are read in the order of the text and the first one that cannot be read decides the
-- answer; then the rules of the whole document are checked in the plugin's order. Everything here
-- raises; nothing here asks the store.
-- @module blip.api.opensearch.parse
local json = require "runtime.json"
local canonical = require "blip.api.opensearch.canonical"
local document = require "blip.api.opensearch.document"
local dsl = require "blip.query.dsl"
local features = require "blip.api.opensearch.features"
local imputation = require "blip.api.opensearch.imputation"
local periods = require "blip.api.opensearch.periods"
local refuse = require "blip.api.opensearch.refuse"
local rules = require "blip.api.opensearch.rules"
local tokens = require "blip.api.opensearch.tokens"

local DEFAULT_SHINGLE, MAX_SHINGLE = 8, 128
local SEASONALITY_PER_SHINGLE = 2
local DEFAULT_RECENCY = 2560
local MIN_HISTORY, MAX_HISTORY = 32, 10000
local MAX_DESCRIPTION = 1000
local MAX_FREQUENCY_MULTIPLE = 10000
local RESULT_PREFIX = "opensearch-ad-plugin-result-"
local MAX_RESULT_INDEX = 255

local parse = {}

-- field -> function(reader, detector): takes the value at which the reader stands.
local FIELDS = {}

local function text_of(name)
  FIELDS[name] = function(reader, detector)
    detector[name] = reader:text()
  end
end

local function integer_of(name)
  FIELDS[name] = function(reader, detector)
    detector[name] = reader:integer()
  end
end

-- What is no number counts as not sent.
local function lenient_integer_of(name)
  FIELDS[name] = function(reader, detector)
    if reader.token == "VALUE_NUMBER" then
      detector[name] = reader:integer()
    else
      reader:skip()
    end
  end
end

local function period_of(name, label)
  FIELDS[name] = function(reader, detector)
    detector[name] = periods.read(reader, name, label)
  end
end

text_of "name"
text_of "description"
text_of "time_field"
text_of "result_index"
integer_of "schema_version"
integer_of "shingle_size"
integer_of "recency_emphasis"
integer_of "history"
integer_of "suggested_seasonality"
lenient_integer_of "result_index_min_size"
lenient_integer_of "result_index_min_age"
lenient_integer_of "result_index_ttl"
period_of("detection_interval", "Detection interval")
period_of("window_delay", "Window delay interval")
period_of("frequency", "Frequency")

function FIELDS.indices(reader, detector)
  reader:expect "START_ARRAY"
  while reader:next() ~= "END_ARRAY" do
    detector.indices[#detector.indices + 1] = reader:text()
  end
end

-- Reads a query as the search routes do, so that both say the same of a bad one.
local function checked_query(tree)
  local node, err = dsl.query(tree)
  if node then
    return canonical.query(tree)
  elseif refuse.is_syntax(err) then
    refuse.validation("filter_query", "Custom query error in data filter: %s", err.reason)
  end
  error(err, 0)
end

function FIELDS.filter_query(reader, detector)
  reader:expect "START_OBJECT"
  local tree = reader:tree()
  if next(tree) ~= nil then
    detector.filter_query = checked_query(tree)
  end
end

function FIELDS.feature_attributes(reader, detector)
  detector.feature_attributes = features.read(reader)
end

function FIELDS.category_field(reader, detector)
  if reader.token ~= "START_ARRAY" then
    local line, column = reader:place()
    refuse.content(line, column, "Failed to parse list:  expecting START_ARRAY but got %s", reader.token)
  end
  local fields = {}
  while reader:next() ~= "END_ARRAY" do
    fields[#fields + 1] = reader:text()
  end
  detector.category_field = json.array(fields)
end

function FIELDS.ui_metadata(reader, detector)
  local tree = reader:tree()
  detector.ui_metadata = tokens.keys(tree) and next(tree) ~= nil and tree or nil
end

function FIELDS.imputation_option(reader, detector)
  detector.imputation_option = imputation.read(reader)
end

function FIELDS.flatten_custom_result_index(reader, detector)
  if reader.token == "VALUE_BOOLEAN" then
    detector.flatten_custom_result_index = reader:boolean()
  else
    reader:skip()
  end
end

function FIELDS.rules(reader, detector)
  detector.rules = rules.read(reader)
end

local function is_blank(text)
  return not text or not text:find "%S"
end

-- The rules of the whole document, in the order in which they are checked.
local CHECKS = {}

local function check(rule)
  CHECKS[#CHECKS + 1] = rule
end

check(function(detector)
  if is_blank(detector.name) then
    refuse.validation("name", "name should be set")
  elseif is_blank(detector.time_field) then
    refuse.validation("time_field", "Time field should be set")
  elseif #detector.indices == 0 then
    refuse.validation("indices", "Indices should be set")
  end
end)

--- Why a shingle of this size is not possible; nil when it is.
function parse.shingle_error(size)
  if size < 1 or size > MAX_SHINGLE then
    return ("Suggested shingle size must be between 1 and %d. Got %d."):format(MAX_SHINGLE, size)
  end
end

check(function(detector)
  local wrong = detector.shingle_size and parse.shingle_error(detector.shingle_size)
  if wrong then
    refuse.validation("shingle_size", wrong)
  end
end)

check(function(detector)
  local index = detector.result_index
  if not index then
    return
  elseif index:sub(1, #RESULT_PREFIX) ~= RESULT_PREFIX then
    refuse.validation("result_index", "Result index must start with " .. RESULT_PREFIX)
  elseif utf8.len(index) > MAX_RESULT_INDEX then
    refuse.validation("result_index", "Result index name size must contains less than 255 characters")
  elseif index:find "[^a-z0-9_-]" then
    refuse.validation(
      "result_index",
      "Result index name has invalid character. Valid characters are a-z, 0-9, -(hyphen) and _(underscore)"
    )
  end
end)

check(function(detector)
  if detector.recency_emphasis and detector.recency_emphasis <= 1 then
    refuse.validation("recency_emphasis", "Recency emphasis must be an integer greater than 1.")
  elseif utf8.len(detector.description) > MAX_DESCRIPTION then
    refuse.validation("description", "Description length is too long. Max length is 1000 characters.")
  elseif detector.history and (detector.history <= 0 or detector.history > MAX_HISTORY) then
    refuse.validation("history", "We cannot look back more than 10000 intervals.")
  end
end)

check(function(detector)
  features.check_names(detector.feature_attributes)
end)

check(function(detector)
  if detector.imputation_option then
    imputation.check(detector.imputation_option, detector.feature_attributes)
  end
end)

check(function(detector)
  local frequency, interval = detector.frequency, detector.detection_interval
  if not frequency or not interval or periods.ms(interval) == 0 then
    return
  end
  local multiple = periods.ms(frequency) // periods.ms(interval)
  if periods.ms(frequency) == 0 then
    refuse.validation("frequency", "Frequency must be greater than 0.")
  elseif multiple < 1 or periods.ms(frequency) % periods.ms(interval) ~= 0 then
    refuse.validation(
      "frequency",
      "Frequency (%s) must be a multiple of interval (%s), including the interval itself.",
      periods.words(frequency),
      periods.words(interval)
    )
  elseif multiple > MAX_FREQUENCY_MULTIPLE then
    refuse.validation(
      "frequency",
      "Frequency multiple (%d) exceeds the maximum allowed value (%d). Frequency: %s, Interval: %s.",
      multiple,
      MAX_FREQUENCY_MULTIPLE,
      periods.words(frequency),
      periods.words(interval)
    )
  end
end)

check(function(detector)
  if not detector.detection_interval then
    refuse.validation("detection_interval", "Detection interval should be set")
  elseif detector.detection_interval.period.interval <= 0 then
    refuse.validation("detection_interval", "Detection interval must be a positive integer")
  end
end)

check(function(detector, limits)
  if document.has_categories(detector) and #detector.category_field > limits.categories then
    refuse.validation(
      "category_field",
      "Currently we only support up to %d categorical field/s in order to bound system resource consumption.",
      limits.categories
    )
  end
end)

check(function(detector)
  rules.check(detector.rules or {}, detector.feature_attributes)
end)

-- Options of a custom result index mean nothing without one.
local function settle_result_index(detector)
  if detector.result_index then
    detector.flatten_custom_result_index = detector.flatten_custom_result_index or false
    return
  end
  detector.result_index_min_size, detector.result_index_min_age = nil, nil
  detector.result_index_ttl, detector.flatten_custom_result_index = nil, nil
end

local function fill_in(detector, defaults)
  detector.filter_query = detector.filter_query or canonical.match_all()
  detector.window_delay = detector.window_delay or defaults.window_delay
  detector.shingle_size = detector.shingle_size
    or detector.suggested_seasonality and detector.suggested_seasonality // SEASONALITY_PER_SHINGLE
    or DEFAULT_SHINGLE
  detector.recency_emphasis = detector.recency_emphasis or DEFAULT_RECENCY
  detector.history = detector.history or MIN_HISTORY + detector.shingle_size
  detector.detector_type = document.has_categories(detector) and "MULTI_ENTITY" or "SINGLE_ENTITY"
  if not detector.rules or #detector.rules == 0 then
    detector.rules = rules.default(detector.feature_attributes)
  end
  detector.description = document.encode(detector.description)
end

--- Reads the detector at whose opening brace the reader stands.
-- @tparam tokens.Reader reader
-- @tparam table defaults `{detection_interval=, window_delay=, categories=}`: periods for fields
-- that are not sent (no
--   `detection_interval`: it must be), and how many category fields there may be
-- @return the detector document, complete but for `last_update_time`
function parse.read(reader, defaults)
  local detector = {
    description = "",
    indices = json.array {},
    schema_version = 0,
    feature_attributes = json.array {},
    detection_interval = defaults.detection_interval,
  }
  reader:expect "START_OBJECT"
  reader:each(function(name)
    local field = FIELDS[name]
    if field then
      field(reader, detector)
    else
      reader:skip()
    end
  end)
  if is_blank(detector.result_index) then
    detector.result_index = nil
  end
  for _, rule in ipairs(CHECKS) do
    rule(detector, defaults)
  end
  settle_result_index(detector)
  fill_in(detector, defaults)
  return document.ordered(detector)
end

--- Reads a detector from the text of a body.
function parse.body(text, defaults)
  local reader = tokens.new(text)
  reader:next()
  return parse.read(reader, defaults)
end

return parse
