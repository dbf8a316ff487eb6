local aggregate = require "blip.query.aggregate"
local anomaly = require "blip.result.anomaly"
local definition = require "blip.detector.definition"
local frame = require "runtime.frame"
local json = require "runtime.json"

local function detector(changes)
  local given = {
    id = 'd"1', origin = "rest", indices = { "logs" }, time_field = "ts", interval_ms = 60000,
    features = {
      { id = "fa", name = "a", expr = aggregate.count() },
      { id = "fb", name = "b", expr = aggregate.avg "x" },
    },
  }
  for key, value in pairs(changes or {}) do given[key] = value end
  return assert(definition.new(given))
end

local COLUMNS = {
  { "time", "int" }, { "host", "text" }, { "f1" }, { "f2" }, { "score" }, { "grade" }, { "confidence" },
  { "threshold" }, { "start_index", "int" }, { "expected_1" }, { "expected_2" }, { "lower_1" }, { "lower_2" },
  { "upper_1" }, { "upper_2" }, { "contribution_1" }, { "contribution_2" }, { "past_1" }, { "past_2" },
  { "imputed_1", "bool" }, { "imputed_2", "bool" }, { "used_1" }, { "used_2" },
}

local NORMAL = {
  time = 120000, f1 = 3, f2 = 0.25, score = 0.8, grade = 0, confidence = 0.9, threshold = 1.5,
  start_index = 0, imputed_1 = false, imputed_2 = false,
}
local STRANGE = {
  time = 180000, f1 = 9, f2 = 0.5, score = 2.5, grade = 0.75, confidence = 0.9, threshold = 1.5,
  start_index = -2, expected_1 = 3, expected_2 = 0.25,
  contribution_1 = 0.75, contribution_2 = 0.25, past_1 = 8, past_2 = 0.5,
}
local WARMING = { time = 0, f1 = 1, f2 = 2 }

local function document(row, options, changes)
  local f = frame.new(COLUMNS):append { row }
  local text, count = anomaly.documents(detector(changes), f, options or {})
  assert.equal(count, select(2, text:gsub("\n", "")))
  return text:gsub("\n", "")
end

describe("blip.result.anomaly", function()
  it("writes a normal interval", function()
    assert.equal('{"detector_id":"d\\"1","schema_version":7,"data_start_time":120000,"data_end_time":180000,'
      .. '"feature_data":[{"feature_id":"fa","feature_name":"a","data":3.0},'
      .. '{"feature_id":"fb","feature_name":"b","data":0.25}],'
      .. '"execution_start_time":5,"execution_end_time":6,'
      .. '"anomaly_score":0.8,"anomaly_grade":0.0,"confidence":0.9,"threshold":1.5}',
      (document(NORMAL, { executed = { 5, 6 } })))
  end)

  it("explains an anomaly", function()
    local d = json.decode((document(STRANGE)))
    assert.equal(60000, d.approx_anomaly_start_time)
    assert.same({
      { feature_id = "fa", data = 0.75 }, { feature_id = "fb", data = 0.25 },
    }, d.relevant_attribution)
    assert.same({ { feature_id = "fa", data = 8.0 }, { feature_id = "fb", data = 0.5 } }, d.past_values)
    assert.same({ {
      likelihood = 1.0,
      value_list = { { feature_id = "fa", data = 3.0 }, { feature_id = "fb", data = 0.25 } },
    } }, d.expected_values)
  end)

  it("writes zeros while the model warms up", function()
    local d = json.decode((document(WARMING)))
    assert.same({ 0.0, 0.0, 0.0, 0.0 }, { d.anomaly_score, d.anomaly_grade, d.confidence, d.threshold })
  end)

  it("leaves a threshold out that the model does not have", function()
    local d = json.decode((document(WARMING, nil, { model = { kind = "ensemble" } })))
    assert.is_nil(d.threshold)
  end)

  it("says whose result it is", function()
    local row = { host = "é", time = 0, f1 = 1, f2 = 1 }
    local d = json.decode((document(row, { task_id = "t", model_id = true }, { category = { "host" } })))
    assert.same({ { name = "host", value = "é" } }, d.entity)
    assert.equal("t", d.task_id)
    assert.matches('^d"1_entity_[%w_-]+$', d.model_id)
    assert.equal('d"1_model_rcf_0', json.decode((document(NORMAL, { model_id = true }))).model_id)
  end)

  it("says that an interval has no data, in a live run", function()
    assert.equal('{"detector_id":"d\\"1","schema_version":7,"data_start_time":60000,"data_end_time":120000,'
      .. '"feature_data":[],"error":"No data in current window between 60000 and 120000 for d\\"1"}',
      (document { time = 60000, f1 = 1 }))
  end)

  it("says that an interval has no data, in an analysis", function()
    assert.equal('{"detector_id":"d\\"1","schema_version":7,"data_start_time":60000,"data_end_time":120000,'
      .. '"error":"No data in current detection window","task_id":"t"}',
      (document({ time = 60000 }, { task_id = "t" })))
  end)

  it("passes over rows before a moment", function()
    assert.equal("", (document(NORMAL, { from_ms = 120001 })))
    assert.not_equal("", (document(NORMAL, { from_ms = 120000 })))
    assert.equal("", (document({ time = 60000 }, { errors_from_ms = 60001 })))
  end)

  it("shows what stands for missing values, and rounds, when they are filled in", function()
    local row = { time = 0, f2 = 1.23456, used_1 = 7, used_2 = 1.23456, imputed_1 = true, imputed_2 = false }
    local d = json.decode((document(row, nil, { impute = { method = "fixed", fixed = { a = 7, b = 8 } } })))
    assert.same({ 7.0, 1.235 }, { d.feature_data[1].data, d.feature_data[2].data })
    assert.same({
      { feature_id = "fa", imputed = true }, { feature_id = "fb", imputed = false },
    }, d.feature_imputed)
  end)

  it("gives scripts a row with names", function()
    local f = frame.new(COLUMNS):append { NORMAL, STRANGE }
    local rows = anomaly.rows(detector(), f)
    assert.equal(1, #rows)
    assert.equal(180000, rows[1].time)
    assert.equal("a", rows[1].cause)
    assert.equal("6 above the expected 3", rows[1].reason)
    assert.same({ a = 9, b = 0.5 }, rows[1].values)
    assert.same({ a = 3, b = 0.25 }, rows[1].expected)
  end)
end)
