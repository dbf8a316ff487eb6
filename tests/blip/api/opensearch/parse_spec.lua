-- luacheck: no max line length
local json = require "runtime.json"
local parse = require "blip.api.opensearch.parse"
local periods = require "blip.api.opensearch.periods"
local refuse = require "blip.api.opensearch.refuse"

local DEFAULTS = {
  detection_interval = periods.new(10, "Minutes"),
  window_delay = periods.new(0, "Seconds"),
  categories = 2,
}

-- The fields of a good detector as JSON texts, in the order in which they are sent.
local GOOD = {
  { "name", '"orders"' },
  { "description", '"d"' },
  { "time_field", '"ts"' },
  { "indices", '["shop"]' },
  {
    "feature_attributes",
    '[{"feature_name":"f1","feature_enabled":true,"aggregation_query":{"f1":{"avg":{"field":"amount"}}}}]',
  },
  { "detection_interval", '{"period":{"interval":1,"unit":"Minutes"}}' },
  { "window_delay", '{"period":{"interval":1,"unit":"Minutes"}}' },
}

-- A body: the good fields, some of them with another text (`false`: left out), others behind them.
local function body(changes)
  local texts, rest = {}, {}
  for name, text in pairs(changes or {}) do
    rest[name] = text
  end
  for _, field in ipairs(GOOD) do
    local text = field[2]
    if rest[field[1]] ~= nil then
      text, rest[field[1]] = rest[field[1]], nil
    end
    if text then
      texts[#texts + 1] = ('"%s":%s'):format(field[1], text)
    end
  end
  for name, text in pairs(rest) do
    texts[#texts + 1] = ('"%s":%s'):format(name, text)
  end
  return "{" .. table.concat(texts, ",") .. "}"
end

local function read(changes)
  return parse.body(body(changes), DEFAULTS)
end

local function refusal(changes)
  local ok, err = pcall(read, changes)
  assert.is_false(ok, "the detector was accepted")
  if type(err) == "string" then
    error(err)
  end
  return err
end

local function interval(text)
  return ('{"period":%s}'):format(text)
end

local function feature(rest)
  return ('[{"feature_name":"f1","feature_enabled":true,"aggregation_query":%s}]'):format(rest)
end

local function rule(condition)
  return ('[{"action":"IGNORE_ANOMALY","conditions":[%s]}]'):format(condition)
end

local function condition(rest)
  return rule('{"feature_name":"f1","threshold_type":"ACTUAL_OVER_EXPECTED_RATIO","operator":"LTE"' .. rest .. "}")
end

describe("blip.api.opensearch.parse", function()
  it("fills in what was not sent, in the plugin's order", function()
    local detector = read { description = false, detection_interval = false, window_delay = false }
    detector.feature_attributes[1].feature_id = "id"
    assert.equal(
      '{"name":"orders","description":"","time_field":"ts","indices":["shop"],'
        .. '"filter_query":{"match_all":{"boost":1.0}},'
        .. '"window_delay":{"period":{"interval":0,"unit":"Seconds"}},"shingle_size":8,"schema_version":0,'
        .. '"feature_attributes":[{"feature_id":"id","feature_name":"f1","feature_enabled":true,'
        .. '"aggregation_query":{"f1":{"avg":{"field":"amount"}}}}],'
        .. '"recency_emphasis":2560,"history":40,'
        .. '"detection_interval":{"period":{"interval":10,"unit":"Minutes"}},"detector_type":"SINGLE_ENTITY",'
        .. '"rules":[{"action":"IGNORE_ANOMALY","conditions":['
        .. '{"feature_name":"f1","threshold_type":"ACTUAL_OVER_EXPECTED_RATIO","operator":"LTE","value":0.2},'
        .. '{"feature_name":"f1","threshold_type":"EXPECTED_OVER_ACTUAL_RATIO","operator":"LTE","value":0.2}]}]}',
      json.encode(detector)
    )
  end)

  it("makes an id for a feature that has none, and keeps one that was sent", function()
    assert.matches("^[%w_-]+$", read().feature_attributes[1].feature_id)
    local sent = '[{"feature_id":"mine","feature_name":"f","feature_enabled":true,'
      .. '"aggregation_query":{"f":{"sum":{"field":"amount"}}}}]'
    assert.equal("mine", read({ feature_attributes = sent }).feature_attributes[1].feature_id)
  end)

  it("derives shingle and history from the seasonality", function()
    local detector = read { suggested_seasonality = "24" }
    assert.same({ 12, 44 }, { detector.shingle_size, detector.history })
  end)

  it("uses the first aggregation of a feature", function()
    local detector = read { feature_attributes = feature '{"z":{"avg":{"field":"a"}},"a":{"max":{"field":"a"}}}' }
    assert.equal('{"z":{"avg":{"field":"a"}}}', json.encode(detector.feature_attributes[1].aggregation_query))
  end)

  it("encodes the description for a page", function()
    assert.equal("&lt;b&gt; &amp; &#39;x&#39;", read({ description = [["<b> & 'x'"]] }).description)
  end)

  it("forgets unknown fields, a client's user and the options of a result index that is not there", function()
    local detector = read { foo = '{"a":[1]}', user = '{"name":"eve"}', result_index_ttl = "3" }
    assert.is_nil(detector.foo or detector.user or detector.result_index_ttl)
  end)

  it("has no rules by default for features that are off", function()
    local off = '[{"feature_name":"f","feature_enabled":false,"aggregation_query":{"f":{"sum":{"field":"a"}}}}]'
    assert.equal("[]", json.encode(read({ feature_attributes = off }).rules))
  end)

  it("reads an empty filter as match_all", function()
    assert.equal('{"match_all":{"boost":1.0}}', json.encode(read({ filter_query = "{}" }).filter_query))
  end)

  describe("refuses with 500 validation_exception", function()
    local long = ("x"):rep(1001)
    local cases = {
      { "name", "no name", { name = false }, "name should be set" },
      { "name", "a blank name", { name = '"  "' }, "name should be set" },
      { "time_field", "no time field", { time_field = false }, "Time field should be set" },
      { "indices", "no indices", { indices = "[]" }, "Indices should be set" },
      {
        "detection_interval",
        "an interval of zero",
        { detection_interval = interval '{"interval":0,"unit":"Minutes"}' },
        "Detection interval must be a positive integer",
      },
      {
        "detection_interval",
        "a negative interval",
        { detection_interval = interval '{"interval":-1,"unit":"Minutes"}' },
        "Detection interval must be a positive integer",
      },
      {
        "window_delay",
        "a negative delay",
        { window_delay = interval '{"interval":-1,"unit":"Minutes"}' },
        "Window delay interval must be a positive integer",
      },
      {
        "frequency",
        "a negative frequency",
        { frequency = interval '{"interval":-5,"unit":"Minutes"}' },
        "Frequency must be a positive integer",
      },
      {
        "frequency",
        "a frequency of zero",
        { frequency = interval '{"interval":0,"unit":"Minutes"}' },
        "Frequency must be greater than 0.",
      },
      {
        "frequency",
        "a frequency that is no multiple",
        { frequency = interval '{"interval":90,"unit":"Seconds"}' },
        "Frequency (90 seconds) must be a multiple of interval (1 minutes), including the interval itself.",
      },
      {
        "frequency",
        "a frequency that is far too long",
        { frequency = interval '{"interval":10001,"unit":"Minutes"}' },
        "Frequency multiple (10001) exceeds the maximum allowed value (10000). "
          .. "Frequency: 10001 minutes, Interval: 1 minutes.",
      },
      {
        "shingle_size",
        "a shingle of 129",
        { shingle_size = "129" },
        "Suggested shingle size must be between 1 and 128. Got 129.",
      },
      {
        "category_field",
        "three category fields",
        { category_field = '["a","b","c"]' },
        "Currently we only support up to 2 categorical field/s in order to bound system resource consumption.",
      },
      {
        "description",
        "a long description",
        { description = '"' .. long .. '"' },
        "Description length is too long. Max length is 1000 characters.",
      },
      { "history", "a long history", { history = "10001" }, "We cannot look back more than 10000 intervals." },
      { "history", "no history", { history = "0" }, "We cannot look back more than 10000 intervals." },
      {
        "recency_emphasis",
        "an emphasis of one",
        { recency_emphasis = "1" },
        "Recency emphasis must be an integer greater than 1.",
      },
      {
        "feature_attributes",
        "an unknown aggregation",
        { feature_attributes = feature '{"f":{"bool":{}}}' },
        "Custom query error: Unknown aggregation type [bool]",
      },
      {
        "feature_attributes",
        "features that are no list",
        { feature_attributes = '"x"' },
        "Custom query error: Failed to parse object: "
          .. "expecting token of type [START_ARRAY] but found [VALUE_STRING]",
      },
      {
        "feature_attributes",
        "two kinds of one aggregation",
        { feature_attributes = feature '{"f":{"avg":{"field":"q"},"max":{"field":"q"}}}' },
        "Custom query error: Found two aggregation type definitions in [f]: [avg] and [max]",
      },
      {
        "feature_attributes",
        "an aggregation without a kind",
        { feature_attributes = feature '{"f":{}}' },
        "Custom query error: Missing definition for aggregation [f]",
      },
      {
        "feature_attributes",
        "one name twice",
        {
          feature_attributes = '[{"feature_name":"a","feature_enabled":true,"aggregation_query":{"x":{"avg":{"field":"q"}}}},'
            .. '{"feature_name":"a","feature_enabled":true,"aggregation_query":{"y":{"avg":{"field":"q"}}}}]',
        },
        "[a] appears more than once. Feature name has to be unique",
      },
      {
        "filter_query",
        "an unknown query",
        { filter_query = '{"foo":{"a":1}}' },
        "Custom query error in data filter: unknown query [foo]",
      },
      {
        "feature_attributes",
        "an unknown query in a filter aggregation",
        { feature_attributes = feature '{"f":{"filter":{"foo":{}},"aggs":{"v":{"avg":{"field":"a"}}}}}' },
        "Custom query error: unknown query [foo]",
      },
      {
        "feature_attributes",
        "an option that an aggregation does not have",
        { feature_attributes = feature '{"f":{"avg":{"field":"a","foo":1}}}' },
        "Custom query error: [1:1] [avg] unknown field [foo]",
      },
      {
        "filter_query",
        "a range that is none",
        { filter_query = '{"range":{"a":5}}' },
        "Custom query error in data filter: [range] query does not support [a]",
      },
      {
        "result_index",
        "a result index of another name",
        { result_index = '"mine"' },
        "Result index must start with opensearch-ad-plugin-result-",
      },
      {
        "result_index",
        "a result index of wrong characters",
        { result_index = '"opensearch-ad-plugin-result-A"' },
        "Result index name has invalid character. Valid characters are a-z, 0-9, -(hyphen) and _(underscore)",
      },
      {
        "result_index",
        "a long result index",
        { result_index = '"opensearch-ad-plugin-result-' .. ("x"):rep(255) .. '"' },
        "Result index name size must contains less than 255 characters",
      },
      {
        "imputation_option",
        "fixed values that are not there",
        { imputation_option = '{"method":"FIXED_VALUES"}' },
        "Enabled features are present, but no default fill values are provided.",
      },
      {
        "imputation_option",
        "a fixed value of another feature",
        { imputation_option = '{"method":"FIXED_VALUES","default_fill":[{"feature_name":"z","data":0}]}' },
        "Missing feature name: f1.",
      },
      {
        "imputation_option",
        "too many fixed values",
        {
          imputation_option = '{"method":"FIXED_VALUES","default_fill":'
            .. '[{"feature_name":"f1","data":0},{"feature_name":"z","data":0}]}',
        },
        "Mismatch between the number of enabled features and default fill values. "
          .. "Number of default fill values: 2. Number of enabled features: 1.",
      },
      {
        "rules",
        "rules without features",
        { feature_attributes = "[]", rules = condition ',"value":1' },
        "Suppression Rule Error: Features are not defined while suppression rules are provided.",
      },
      {
        "rules",
        "a condition without a feature",
        { rules = rule '{"threshold_type":"ACTUAL_IS_OVER_EXPECTED"}' },
        "Suppression Rule Error: A condition is missing the feature name.",
      },
      {
        "rules",
        "a condition without a type",
        { rules = rule '{"feature_name":"f1"}' },
        "Suppression Rule Error: A condition within a suppression rule is not properly defined.",
      },
      {
        "rules",
        "a rule for an unknown feature",
        { rules = rule '{"feature_name":"z","threshold_type":"ACTUAL_IS_OVER_EXPECTED"}' },
        'Suppression Rule Error: Feature "z" specified in a suppression rule does not exist.',
      },
      {
        "rules",
        "a rule for a feature that is off",
        {
          feature_attributes = '[{"feature_name":"f1","feature_enabled":false,"aggregation_query":{"x":{"avg":{"field":"q"}}}}]',
          rules = condition ',"value":1',
        },
        'Suppression Rule Error: Feature "f1" specified in a suppression rule is not enabled.',
      },
      {
        "rules",
        "a threshold of zero",
        { rules = condition ',"value":0' },
        'Suppression Rule Error: The threshold value for feature "f1" must be a positive number.',
      },
      {
        "rules",
        "a value where none belongs",
        { rules = rule '{"feature_name":"f1","threshold_type":"ACTUAL_IS_BELOW_EXPECTED","value":1}' },
        'Suppression Rule Error: For threshold type "ACTUAL_IS_BELOW_EXPECTED", both operator and value must be '
          .. "empty or null, as this rule compares actual to expected values directly",
      },
    }
    for _, case in ipairs(cases) do
      it(case[2], function()
        local err = refusal(case[3])
        assert.equal(case[4], err.reason)
        assert.same({ 500, "validation_exception" }, { err.status, err.type })
        assert.equal(case[1], refuse.found(err).issue)
      end)
    end
  end)

  it("wants an interval where no default is given", function()
    local ok, err = pcall(parse.body, body { detection_interval = false }, { categories = 2 })
    assert.is_false(ok)
    assert.equal("Detection interval should be set", err.reason)
  end)

  describe("refuses with 400", function()
    local argument, parsing = "illegal_argument_exception", "parsing_exception"
    local cases = {
      {
        "hours",
        { detection_interval = interval '{"interval":1,"unit":"Hours"}' },
        argument,
        "Time unit Hours is not supported",
      },
      {
        "a unit that is none",
        { detection_interval = interval '{"interval":1,"unit":"Fortnights"}' },
        argument,
        "No enum constant java.time.temporal.ChronoUnit.FORTNIGHTS",
      },
      { "no unit", { window_delay = interval '{"interval":1}' }, argument, "Time unit null is not supported" },
      { "no period", { window_delay = '{"cron":{}}' }, argument, "Find no schedule definition" },
      {
        "a period that is no object",
        { window_delay = "1" },
        parsing,
        "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NUMBER]",
      },
      {
        "indices that are no list",
        { indices = '"shop"' },
        parsing,
        "Failed to parse object: expecting token of type [START_ARRAY] but found [VALUE_STRING]",
      },
      { "a feature without a name", { feature_attributes = '[{"feature_enabled":true}]' }, argument, "Feature name should be set" },
      {
        "a feature without an aggregation",
        { feature_attributes = '[{"feature_name":"a","feature_enabled":true}]' },
        argument,
        "Feature aggregation query should be set",
      },
      {
        "a feature that is neither on nor off",
        { feature_attributes = '[{"feature_name":"a","aggregation_query":{"a":{"avg":{"field":"x"}}}}]' },
        argument,
        "feature_enabled of feature [a] should be set to true or false",
      },
      {
        "a feature with an empty aggregation",
        { feature_attributes = feature "{}" },
        argument,
        "The aggregation query of feature [f1] names no aggregation",
      },
      {
        "an unknown method of imputation",
        { imputation_option = '{"method":"LINEAR"}' },
        argument,
        "No enum constant org.opensearch.timeseries.dataprocessor.ImputationMethod.LINEAR",
      },
      {
        "an unknown action",
        { rules = '[{"action":"FOO"}]' },
        argument,
        "No enum constant org.opensearch.ad.model.Action.FOO",
      },
      {
        "an unknown threshold type",
        { rules = rule '{"feature_name":"f1","threshold_type":"FOO"}' },
        argument,
        "No enum constant org.opensearch.ad.model.ThresholdType.FOO",
      },
      {
        "a threshold that is missing",
        { rules = condition "" },
        argument,
        'Suppression Rule Error: The threshold value for feature "f1" is missing.',
      },
      {
        "an aggregation of no field",
        { feature_attributes = feature '{"f":{"avg":{}}}' },
        argument,
        "Required one of fields [field, script], but none were specified. ",
      },
      { "a threshold that is a word", { rules = condition ',"value":"abc"' }, "number_format_exception", 'For input string: "abc"' },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local err = refusal(case[2])
        assert.equal(case[4], err.reason)
        assert.same({ 400, case[3] }, { err.status, err.type })
      end)
    end
  end)

  it("reports the first field that cannot be read, and reads before it checks", function()
    assert.matches("Time unit Days", refusal({ name = false, window_delay = interval '{"interval":1,"unit":"Days"}' }).reason)
  end)
end)
