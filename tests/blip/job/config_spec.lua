-- luacheck: no max line length
local config = require "blip.job.config"

-- A job that counts records, with changes to its body and to its analysis.
local function body(changes, analysis)
  local sent = { analysis_config = { detectors = { { ["function"] = "count" } } }, data_description = {} }
  for name, value in pairs(changes or {}) do sent[name] = value end
  for name, value in pairs(analysis or {}) do sent.analysis_config[name] = value end
  return sent
end

local function new(changes, analysis)
  return config.new(body(changes, analysis), { id = "j", now_ms = 1700000000000 })
end

local function refused(reason, changes, analysis)
  local ok, err = pcall(new, changes, analysis)
  assert.is_false(ok)
  assert.equal(reason, err.reason)
  return err
end

describe("blip.job.config", function()
  it("gives a job every default", function()
    local job = new()
    assert.same({
      job_id = "j", job_type = "anomaly_detector", job_version = "8.4.0", create_time = 1700000000000,
      analysis_config = {
        bucket_span = "5m", influencers = {}, model_prune_window = "30d",
        detectors = { { ["function"] = "count", detector_description = "count", detector_index = 0 } },
      },
      analysis_limits = { model_memory_limit = "1024mb", categorization_examples_limit = 4 },
      data_description = { time_field = "time", time_format = "epoch_ms" },
      model_snapshot_retention_days = 10, daily_model_snapshot_retention_after_days = 1,
      results_index_name = "shared", allow_lazy_open = false,
    }, job)
  end)

  it("needs an analysis and a description of the data", function()
    local ok, err = pcall(config.new, { data_description = {} }, { id = "j" })
    assert.is_false(ok)
    assert.equal("An analysis_config must be set", err.reason)
    ok, err = pcall(config.new, { analysis_config = {} }, { id = "j" })
    assert.is_false(ok)
    assert.equal("A data_description must be set", err.reason)
  end)

  it("refuses ids that are none", function()
    for _, id in ipairs { "Upper", "-a", "a-", "_all", "a b", ("a"):rep(65) } do
      local ok, err = pcall(config.new, body(), { id = id })
      assert.is_false(ok, id)
      assert.truthy(err.reason:find("Invalid job_id; '" .. id .. "'", 1, true))
    end
    assert.equal("a.b_c-1", config.new(body(), { id = "a.b_c-1" }).job_id)
  end)

  it("puts the name of an index of its own behind a prefix, once", function()
    assert.equal("custom-mine", new({ results_index_name = "mine" }).results_index_name)
    assert.equal("custom-mine", new({ results_index_name = "custom-mine" }).results_index_name)
    refused("Invalid results_index_name; 'Mine' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric", { results_index_name = "Mine" })
  end)

  it("reads memory limits as mebibytes and as sizes", function()
    local function limit(value) return new({ analysis_limits = { model_memory_limit = value } }).analysis_limits.model_memory_limit end
    assert.same({ "2048mb", "8192mb", "1mb", "15mb" }, { limit(2048), limit "8g", limit "1536k", limit "15" })
    refused("model_memory_limit must be at least 1 MiB. Value = 0", { analysis_limits = { model_memory_limit = "1000kb" } })
    refused("failed to parse setting [model_memory_limit] with value [big] as a size in bytes: unit is missing or unrecognized", { analysis_limits = { model_memory_limit = "big" } })
    refused("categorization_examples_limit cannot be less than 0. Value = -1", { analysis_limits = { categorization_examples_limit = -1 } })
  end)

  it("settles how long snapshots stay", function()
    assert.equal(0, new({ model_snapshot_retention_days = 0 }).daily_model_snapshot_retention_after_days)
    refused("results_retention_days cannot be less than 0. Value = -1", { results_retention_days = -1 })
  end)

  it("refuses spans that are no whole seconds or none at all", function()
    refused("bucket_span cannot be less or equal than 0. Value = 0s", nil, { bucket_span = "0s" })
    refused("bucket_span has to be a multiple of 1s; actual was '1500ms'", nil, { bucket_span = "1500ms" })
    refused("failed to parse setting [bucket_span] with value [5] as a time value: unit is missing or unrecognized", nil, { bucket_span = "5" })
    refused("latency cannot be less than 0. Value = -1", nil, { latency = "-1" })
    refused("background_persist_interval cannot be less than 3600. Value = 60", { background_persist_interval = "1m" })
  end)

  it("shows spans as they were written", function()
    for _, span in ipairs { "1h", "3600s", "3600000ms" } do
      local job = new(nil, { bucket_span = span })
      assert.equal(span, job.analysis_config.bucket_span)
      assert.equal(3600000, config.bucket_span_ms(job))
    end
  end)

  it("keeps silent series for whole spans", function()
    refused("model_prune_window [30d] must be a multiple of bucket_span [7m]", nil, { bucket_span = "7m", model_prune_window = "30d" })
    refused("model_prune_window [1h] must be at least 2 times greater than bucket_span [1h]", nil, { bucket_span = "1h", model_prune_window = "1h" })
    assert.equal("40d", new(nil, { bucket_span = "2d" }).analysis_config.model_prune_window)
  end)

  it("keeps silent series for whole days where that is not much longer", function()
    for span, window in pairs { ["17m"] = "34d", ["5m"] = "30d", ["7s"] = "35d", ["1001ms"] = false, ["9007199254s"] = false } do
      local ok, job = pcall(new, nil, { bucket_span = span })
      if window then assert.equal(window, job.analysis_config.model_prune_window) end
      assert.equal(span ~= "1001ms", ok)
    end
  end)

  it("refuses fields inside of one another", function()
    refused("Fields [a] and [a.b] cannot both be used in the same analysis_config", nil, { influencers = { "a.b", "a" } })
    assert.truthy(new(nil, { influencers = { "a.b", "a.c", "ab" } }))
  end)

  it("refuses more influencers than any index has fields", function()
    local influencers = {}
    for i = 1, 10001 do influencers[i] = "f" .. i end
    refused("analysis_config has 10001 influencers, more than 10000", nil, { influencers = influencers })
  end)

  it("refuses a clock that is analysed", function()
    refused("data_description.time_field may not be used in the analysis_config", nil, { influencers = { "time" } })
  end)

  it("refuses what summed input cannot have", function()
    refused("The 'metric' function cannot be used in jobs that will take pre-summarized input", nil, { summary_count_field_name = "n", detectors = { { field_name = "x" } } })
    refused("summary_count_field_name may not be empty", nil, { summary_count_field_name = "" })
  end)

  it("reads times by patterns", function()
    assert.equal("yyyy-MM-dd HH:mm:ssX", new({ data_description = { time_format = "yyyy-MM-dd HH:mm:ssX" } }).data_description.time_format)
    assert.equal("yyyy-MM-dd VV", new({ data_description = { time_format = "yyyy-MM-dd VV" } }).data_description.time_format)
    refused("Invalid Time format string 'rubbish'", { data_description = { time_format = "rubbish" } })
    assert.same({ format = "delimited", time_field = "time", time_format = "epoch_ms", field_delimiter = "\t", quote_character = '"' },
      new({ data_description = { format = "delimited" } }).data_description)
  end)

  it("tells the engine what it needs", function()
    local job = new({ model_plot_config = { enabled = true, terms = "a" } }, {
      bucket_span = "1h", latency = "2h", influencers = { "host" },
      detectors = { { ["function"] = "high_mean", field_name = "took", by_field_name = "host" } },
    })
    local engine = assert(config.engine(job))
    assert.same({ 3600, 7200, "time", "epoch_ms", 1024 << 20, 30 * 86400 }, {
      engine.bucket_span_s, engine.latency_s, engine.time_field, engine.time_format, engine.memory_limit_bytes, engine.prune_window_s })
    assert.same({ "high_mean", "took", "host" }, { engine.detectors[1]["function"], engine.detectors[1].field, engine.detectors[1].by })
    assert.same({ enabled = true, terms = "a", annotations = true }, engine.model_plot)
  end)

  it("does not let the engine run what it cannot", function()
    local job = new(nil, { categorization_field_name = "m", detectors = { { ["function"] = "count", by_field_name = "mlcategory" } } })
    local engine, err = config.engine(job)
    assert.is_nil(engine)
    assert.equal("invalid", err.kind)
    assert.truthy(err.reason:find "categorization")
  end)

  it("saves jobs at times of their own", function()
    local a, b = config.new(body(), { id = "a" }), config.new(body(), { id = "b" })
    assert.is_true(config.persist_interval_ms(a) >= 3 * 3600000 and config.persist_interval_ms(a) <= 4 * 3600000)
    assert.not_equal(config.persist_interval_ms(a), config.persist_interval_ms(b))
    assert.equal(3600000, config.persist_interval_ms(new { background_persist_interval = "1h" }))
  end)

  it("normalises the last thirty days or hundred buckets", function()
    assert.equal(30 * 86400000, config.renormalization_window_ms(new()))
    assert.equal(100 * 86400000, config.renormalization_window_ms(new(nil, { bucket_span = "1d" })))
    assert.equal(0, config.renormalization_window_ms(new { renormalization_window_days = 0 }))
  end)

  it("exports what can be put again", function()
    local job = new { custom_settings = { created_by = "me", other = 1 } }
    local exported = config.exported(job)
    for _, name in ipairs { "job_type", "job_version", "create_time" } do assert.is_nil(exported[name]) end
    assert.same({ other = 1 }, exported.custom_settings)
    assert.same({ created_by = "me", other = 1 }, job.custom_settings)
  end)
end)

describe("blip.job.categorization", function()
  local BY = { { ["function"] = "count", by_field_name = "mlcategory" } }

  it("belongs to a field and to a detector", function()
    refused("categorization_field_name is set but mlcategory is not used in any detector by/over/partition field", nil, { categorization_field_name = "m" })
    refused("categorization_field_name must be set for mlcategory to be available", nil, { detectors = BY })
    refused("categorization_filters require setting categorization_field_name", nil, { categorization_filters = { "a" } })
    refused("categorization_analyzer requires setting categorization_field_name", nil, { categorization_analyzer = "a" })
  end)

  it("refuses filters that are none", function()
    local function with(filters) return { categorization_field_name = "m", detectors = BY, categorization_filters = filters } end
    refused("categorization_filters are not allowed to contain empty strings", nil, with { "" })
    refused("categorization_filters contain duplicates", nil, with { "a", "a" })
    for _, bad in ipairs { "(a", "[a", "a)", "*a", "a\\" } do
      refused(("categorization_filters contains invalid regular expression '%s'"):format(bad), nil, with { bad })
    end
    assert.truthy(new(nil, with { "\\[.*\\]", "(a|b)+", "[^(]" }))
  end)

  it("checks what each partition has to itself", function()
    local function with(detectors, partition)
      return { categorization_field_name = "m", detectors = detectors, per_partition_categorization = partition or { enabled = true } }
    end
    local function by(partition, field) return { ["function"] = "count", by_field_name = field or "mlcategory", partition_field_name = partition } end
    refused("partition_field_name must be set for detectors that reference mlcategory when per-partition categorization is enabled", nil, with { by() })
    refused("partition_field_name cannot vary between detectors when per-partition categorization is enabled: [a] and [b] are used", nil, with { by "a", by "b" })
    refused("mlcategory cannot be used as a partition_field_name when per-partition categorization is enabled", nil, with { by("mlcategory", "x") })
    refused("stop_on_warn cannot be true in per_partition_categorization when enabled is false", nil, with({ by "a" }, { stop_on_warn = true }))
    assert.same({ enabled = true, stop_on_warn = false }, new(nil, with { by "a" }).analysis_config.per_partition_categorization)
  end)
end)
