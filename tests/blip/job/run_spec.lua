-- luacheck: no max line length
local config = require "blip.job.config"
local documents = require "blip.index.documents"
local engine = require "runtime.job"
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local lifecycle = require "blip.job.lifecycle"
local purge = require "blip.job.purge"
local registry = require "blip.job.registry"
local run = require "blip.job.run"
local state = require "blip.job.state"
local store = require "runtime.store"

local HOUR = 3600

describe("blip.job.run", function()
  -- A job that is open, made anew.
  local function open(id, changes)
    if registry.find(id) then assert(lifecycle.delete(registry.get(id), { force = true })) end
    local body = {
      analysis_config = {
        bucket_span = "1h", influencers = { "host" },
        detectors = { { ["function"] = "mean", field_name = "value", by_field_name = "host" } },
      },
      data_description = { time_field = "time", time_format = "epoch" },
    }
    for name, value in pairs(changes or {}) do body[name] = value end
    local job = registry.create(config.new(body, { id = id }))
    assert(lifecycle.open(job))
    return job
  end

  -- Records of some hours, the last of them far off.
  local function body(first, last)
    local lines = {}
    for hour = first, last do
      for i, host in ipairs { "a", "b" } do
        local value = 10 * i + hour % 3 + (hour == last and 50 or 0)
        lines[#lines + 1] = ('{"time":%d,"host":"%s","value":%d}'):format(hour * HOUR, host, value)
      end
    end
    return table.concat(lines, "\n")
  end

  local function post(id, first, last)
    return assert(run.apply(id, { kind = "data", body = body(first, last), options = {} }))
  end

  -- All results of a job by id, without what tells of the machine.
  local function results(id)
    local answer = assert(job_search.run(registry.get(id), {
      query = { bool = { filter = json.array {
        { term = { job_id = id } }, { terms = { result_type = json.array { "bucket", "record", "influencer" } } },
      } } }, size = 5000,
    }))
    local found = {}
    for _, hit in ipairs(json.plain(answer.hits).hits) do
      local document = json.plain(hit._source)
      document.processing_time_ms, document.job_id = nil, nil
      for _, one in ipairs(document.bucket_influencers or {}) do one.job_id = nil end
      found[hit._id:sub(#id + 1)] = document
    end
    return found
  end

  it("answers with the counts of what was posted, and commits results and counts", function()
    open "run-counts"
    assert.equal(40, post("run-counts", 0, 19).processed_record_count)
    assert.equal(40, documents.get(".ml-anomalies-shared", "run-counts_data_counts")._source.processed_record_count)
    local row = state.load(store.connection(), "run-counts")
    assert.equal(1, row.seq)
    assert.is_true(row.journal_bytes > 0)
    assert.equal("table", type(results("run-counts")["_bucket_0_3600"]))
  end)

  it("goes on without its models in memory as if nothing had been", function()
    open "run-whole"
    open "run-broken"
    for part = 0, 3 do
      post("run-whole", part * 30, part * 30 + 29)
      post("run-broken", part * 30, part * 30 + 29)
      engine.drop "run-broken"
    end
    local expected = results "run-whole"
    assert.is_true(#json.encode(expected) > 10000)
    assert.same(expected, results "run-broken")
    assert.same(run.look("run-whole", function(live) return live:counts() end),
      run.look("run-broken", function(live) return live:counts() end))
  end)

  it("goes on from saved models and what came after them", function()
    local job = open "run-saved"
    open "run-unsaved"
    post("run-saved", 0, 49)
    post("run-unsaved", 0, 49)
    assert(lifecycle.close(job))
    assert(lifecycle.open(registry.get "run-saved"))
    for _, id in ipairs { "run-saved", "run-unsaved" } do
      post(id, 50, 79)
      engine.drop(id)
      post(id, 80, 99)
    end
    assert.same(results "run-unsaved", results "run-saved")
    local row = state.load(store.connection(), "run-saved")
    assert.same({ 3, 1 }, { row.seq, row.saved_seq })
  end)

  it("commits nothing of an operation whose company fails, and forgets it", function()
    open "run-refused"
    post("run-refused", 0, 9)
    local before = results "run-refused"
    local answer, err = run.apply("run-refused", { kind = "data", body = body(10, 19), options = {} }, function()
      return nil, { kind = "failed", reason = "no room" }
    end)
    assert.is_nil(answer)
    assert.equal("no room", err.reason)
    assert.same(before, results "run-refused")
    assert.equal(20, run.look("run-refused", function(live) return live:counts() end).processed_record_count)
    post("run-refused", 10, 19)
    assert.equal(40, run.look("run-refused", function(live) return live:counts() end).processed_record_count)
  end)

  it("tells company what the operation came to", function()
    open "run-company"
    local told
    assert(run.apply("run-company", { kind = "data", body = body(0, 1), options = {} }, function(_, answer)
      told = answer.processed_record_count
      return true
    end))
    assert.equal(4, told)
  end)

  it("keeps what stood before the damage of a body, also when models come back", function()
    open "run-damaged"
    local answer, err = run.apply("run-damaged", {
      kind = "data", body = body(0, 1) .. "\n" .. ("{]\n"):rep(200), options = {},
    })
    assert.is_nil(answer)
    assert.equal("The input JSON data is malformed.", err.reason)
    engine.drop "run-damaged"
    assert.equal(4, run.look("run-damaged", function(live) return live:counts() end).processed_record_count)
  end)

  it("gives up a job whose saved models are damaged; only by force it can be closed", function()
    local job = open "run-lost"
    post("run-lost", 0, 9)
    assert(lifecycle.close(job))
    assert(lifecycle.open(job))
    engine.drop "run-lost"
    assert(store.connection():put_snapshot("job:run-lost", "models", 1, "these are no models"))
    local answer, err = run.apply("run-lost", { kind = "flush", options = {} })
    assert.is_nil(answer)
    assert.same({ 409, "Cannot process data because job [run-lost] does not have a corresponding autodetect process" },
      { err.status, err.reason })
    assert.equal("failed", state.load(store.connection(), "run-lost").state)
    answer, err = lifecycle.close(job)
    assert.is_nil(answer)
    assert.equal("cannot close job [run-lost] because it failed, use force close", err.reason)
    assert.is_true(lifecycle.close(job, true))
    assert.equal("closed", state.load(store.connection(), "run-lost").state)
  end)

  it("has everything again after a close by force", function()
    local job = open "run-forced"
    open "run-calm"
    for _, id in ipairs { "run-forced", "run-calm" } do post(id, 0, 29) end
    engine.drop "run-forced"
    assert(store.connection():put_snapshot("job:run-forced", "models", 0, "damaged"))
    assert.is_nil(run.apply("run-forced", { kind = "flush", options = {} })) -- it fails now
    assert(store.connection():execute("DELETE FROM blip.snapshots WHERE detector = 'job:run-forced' AND entity = 'models'"))
    assert.is_true(lifecycle.close(job, true))
    assert(lifecycle.open(registry.get "run-forced"))
    for _, id in ipairs { "run-forced", "run-calm" } do post(id, 30, 59) end
    engine.drop "run-forced"
    for _, id in ipairs { "run-forced", "run-calm" } do post(id, 60, 79) end
    assert.same(results "run-calm", results "run-forced")
  end)

  it("saves the models of an open job when it is asked to", function()
    local job = open "run-persisted"
    post("run-persisted", 0, 29)
    assert.equal(0, state.load(store.connection(), "run-persisted").saved_seq)
    assert(run.persist(job))
    local row = state.load(store.connection(), "run-persisted")
    assert.same({ 1, 0, "opened" }, { row.saved_seq, row.journal_bytes, row.state })
    assert.is_true(row.saved_bytes > 0)
  end)

  it("saves the models instead of keeping much in its journal", function()
    open "run-large"
    local long = ('{"time":3600,"host":"%s","value":1}\n'):format(("x"):rep(17 << 20)):rep(2)
    assert(run.apply("run-large", { kind = "data", body = long, options = {} }))
    local row = state.load(store.connection(), "run-large")
    assert.same({ 1, 1, 0 }, { row.seq, row.saved_seq, row.journal_bytes })
    engine.drop "run-large"
    assert.equal(2, run.look("run-large", function(live) return live:counts() end).processed_record_count)
  end)

  it("refuses a job that is closed", function()
    local job = open "run-closed"
    assert(lifecycle.close(job))
    local answer, err = run.apply("run-closed", { kind = "flush", options = {} })
    assert.is_nil(answer)
    assert.same({ 409, "Cannot perform requested action because job [run-closed] is not open" },
      { err.status, err.reason })
  end)

  it("replaces the document about saved models by the newest", function()
    local job = open "run-snapshot"
    post("run-snapshot", 0, 5)
    assert(lifecycle.close(job))
    local first = registry.get("run-snapshot").model_snapshot_id
    assert.equal("string", type(first))
    assert.equal(first, documents.get(".ml-anomalies-shared", "run-snapshot_model_snapshot_" .. first)._source.snapshot_id)
    local stats = documents.get(".ml-anomalies-shared", "run-snapshot_model_snapshot_" .. first)._source
    assert.equal(5 * HOUR * 1000, stats.latest_record_time_stamp)
  end)
end)

describe("blip.job.purge", function()
  it("deletes what a query matches and nothing else", function()
    for i = 1, 7 do assert(documents.put("spec-purge", tostring(i), { n = i, kind = i % 2 == 0 and "even" or "odd" })) end
    assert.equal(3, purge.matching(store.connection(), "spec-purge", { term = { ["kind.keyword"] = "even" } }))
    assert.equal(4, json.plain(documents.search("spec-purge", { size = 0 }).hits).total.value)
    assert.equal(0, purge.matching(store.connection(), "spec-purge", { term = { ["kind.keyword"] = "even" } }))
  end)

  it("has nothing to do where there is no index", function()
    assert.equal(0, purge.matching(store.connection(), "spec-purge-nowhere", { match_all = {} }))
  end)
end)
