local detect = require "support.detect"
local live = require "blip.detector.live"
local minutes = require "support.minutes"
local model = require "runtime.model"
local snapshots = require "blip.detector.snapshots"
local store = require "runtime.store"

-- As after kill -9: what was in memory is gone.
local function crash(id)
  model.drop(id)
end

local function run(d, minute, options)
  local state, done = live.run(d, detect.at(minute), options)
  assert(state, done)
  return state, done
end

-- Results of a fresh detector that runs in each of these minutes; `between` is called in between.
local function results_of(id, changes, at, between, options)
  local d = detect.definition(id, "spec-live", changes)
  for _, minute in ipairs(at) do
    run(d, minute, options)
    if between then between(id) end
  end
  return detect.results(id)
end

describe("blip.detector.live", function()
  setup(function()
    minutes.load("spec-live", { minutes = 400, hosts = 3, plant = { [350] = 60 }, gaps = { [310] = true } })
  end)

  it("trains on history and stores its results, up to the newest interval", function()
    local list = results_of("live-train", nil, { 300 })
    assert.equal(37, #list) -- 36 of history (32 + shingle) and the newest
    assert.equal(detect.at(263), list[1].data_start_time)
    assert.equal(detect.at(300), list[37].data_end_time)
    assert.equal("live-train_model_rcf_0", list[37].model_id)
    assert.is_true(list[37].anomaly_score > 0)
    assert.is_nil(list[37].task_id)
  end)

  it("ends its intervals at the moment of its start, a script's on the epoch grid", function()
    local start = detect.at(300) + 1234
    local rest = detect.definition("live-grid", "spec-live")
    assert.equal(start, live.run(rest, start).position_ms)
    local script = detect.definition("live-epoch", "spec-live", { origin = "script", delay_ms = 1000 })
    assert.equal(detect.at(300), live.run(script, start).position_ms)
  end)

  it("scores every interval once, in order, also after a pause", function()
    local list = results_of("live-pause", nil, { 300, 300, 301, 309, 355 })
    for i = 2, #list do assert.equal(list[i - 1].data_end_time, list[i].data_start_time) end
    assert.equal(detect.at(355), list[#list].data_end_time)
  end)

  it("says so when an interval has no data, but not of its history", function()
    local list = results_of("live-gap", nil, { 305, 312 })
    local errors = {}
    for _, r in ipairs(list) do errors[#errors + 1] = r.error end
    assert.same({ ("No data in current window between %d and %d for live-gap"):format(
      detect.at(310), detect.at(311)) }, errors)
    list = results_of("live-gap-before", nil, { 330 })
    for _, r in ipairs(list) do assert.is_nil(r.error) end
  end)

  it("finds a planted anomaly", function()
    local grades = {}
    for _, r in ipairs(results_of("live-find", { history = 200 }, { 340, 352 })) do
      if (r.anomaly_grade or 0) > 0 then grades[r.data_start_time] = r end
    end
    local r = assert(grades[detect.at(350)])
    assert.is_true(r.anomaly_grade > 0.5)
    assert.equal("fid", r.relevant_attribution[1].feature_id)
    assert.equal(1, r.relevant_attribution[1].data)
  end)

  it("tells the script about anomalies", function()
    local heard = {}
    local changes = { history = 200, on_anomaly = function(a) heard[#heard + 1] = a end }
    results_of("live-heard", changes, { 349, 352 })
    assert.equal(1, #heard)
    assert.equal(detect.at(350), heard[1].time)
    assert.equal("cpu", heard[1].cause)
    assert.is_true(heard[1].values.cpu > heard[1].expected.cpu)
    results_of("live-history", changes, { 355 }) -- the anomaly is history by then
    assert.equal(1, #heard)
  end)

  for _, entities in ipairs { false, true } do
    local what = entities and "of entities" or "of one series"
    local changes = { history = 100, category = entities and { "host" } or nil }

    it("goes on as if nothing had happened after a crash: " .. what, function()
      local suffix = entities and "-hc" or ""
      local whole = detect.lines(results_of("live-whole" .. suffix, changes, { 300, 390 }))
      local at = { 300, 301, 320, 349, 350, 351, 390 }
      assert.same(whole, detect.lines(results_of("live-cut" .. suffix, changes, at, crash)))
      local four = results_of("live-four" .. suffix, changes, { 300, 333, 390 }, crash, { threads = 4 })
      assert.same(whole, detect.lines(four))
    end)
  end

  it("runs a model written in Lua, through crashes too", function()
    local running_mean = {
      kind = "script",
      new = function() return { sum = 0, rows = 0 } end,
      push = function(state, _, values)
        local mean = state.rows > 0 and state.sum / state.rows or values[1]
        state.sum, state.rows = state.sum + values[1], state.rows + 1
        local away = math.abs(values[1] - mean)
        return { score = away, grade = away > 40 and 1 or 0, confidence = 1, expected = { mean } }
      end,
      save = function(state) return ("%a %d"):format(state.sum, state.rows) end,
      load = function(text)
        local sum, rows = text:match "(%S+) (%d+)"
        return { sum = tonumber(sum), rows = math.tointeger(rows) }
      end,
    }
    local changes = { origin = "script", category = { "host" }, model = running_mean }
    local whole = results_of("live-lua", changes, { 300, 360 })
    local cut = results_of("live-lua-cut", changes, { 300, 333, 360 }, crash)
    assert.same(detect.lines(whole), detect.lines(cut))
    local strange = {}
    for _, r in ipairs(whole) do
      if r.anomaly_grade == 1 then strange[#strange + 1] = r.data_start_time end
    end
    assert.same({ detect.at(350), detect.at(350), detect.at(350) }, strange)
  end)

  it("replays rows that are in no snapshot", function()
    local whole = detect.lines(results_of("live-kept", { category = { "host" } }, { 300, 360 }))
    local function lose(id)
      local c = store.connection()
      crash(id)
      assert.equal(1, c:execute("DELETE FROM blip.snapshots WHERE detector = ? AND entity = 'h2'", { id }))
      assert.equal(1, c:execute("UPDATE blip.runs SET unsaved_ms = from_ms WHERE run = ?", { id }))
    end
    local lost = results_of("live-lost", { category = { "host" } }, { 300, 320, 360 }, lose)
    assert.same(whole, detect.lines(lost))
  end)

  it("forgets saved models when memory is short, and brings them back", function()
    local changes, at = { history = 100, category = { "host" } }, { 300, 301, 320, 349, 350, 351, 390 }
    local whole = detect.lines(results_of("live-roomy", changes, at))
    local trim = snapshots.trim
    snapshots.trim = function(set)
      trim(set, 0)
      assert.equal(0, set:count())
    end
    local tight = detect.lines(results_of("live-tight", changes, at))
    snapshots.trim = trim
    assert.same(whole, tight)
  end)

  it("leaves no results behind when a commit fails", function()
    local d = detect.definition("live-failed", "spec-live")
    run(d, 300)
    local before = #detect.results("live-failed")
    local state, err = live.run(d, detect.at(305), { also = function() return nil, { kind = "failed" } end })
    assert.is_nil(state)
    assert.equal("failed", err.kind)
    assert.equal(before, #detect.results("live-failed"))
    run(d, 305)
    assert.equal(before + 5, #detect.results("live-failed"))
  end)

  it("leaves no transaction open when something raises in a commit", function()
    local d = detect.definition("live-raised", "spec-live")
    run(d, 300)
    local function also() error { kind = "failed", reason = "r" } end
    local state, err = live.run(d, detect.at(305), { also = also })
    assert.is_nil(state)
    assert.equal("r", err.reason)
    run(d, 305)
    assert.equal(37 + 5, #detect.results("live-raised"))
  end)

  it("trains anew when the detector was edited", function()
    local d = detect.definition("live-edit", "spec-live", { version = "1" })
    run(d, 300)
    local edited = detect.definition("live-edit", "spec-live", { version = "2" })
    local state = run(edited, 310)
    assert.equal("2", state.version)
    assert.equal(detect.at(309), state.emit_ms)
  end)

  it("trains anew after too long a gap", function()
    local d = detect.definition("live-late", "spec-live")
    run(d, 300)
    local state = run(d, 300 + 10002)
    assert.equal(detect.at(300 + 10001), state.emit_ms)
  end)

  it("forgets a run", function()
    local d = detect.definition("live-forget", "spec-live")
    run(d, 300)
    assert.is_true(#store.connection():get_snapshots("live-forget") > 0)
    assert(live.forget("live-forget"))
    assert.equal(0, #store.connection():get_snapshots("live-forget"))
    local _, err = live.state("live-forget")
    assert.equal("not_found", err.kind)
  end)
end)
