-- luacheck: no max line length
local detector = require "blip.job.detector"
local functions = require "blip.job.functions"

local function refused(reason, sent)
  local ok, err = pcall(detector.normal, sent, 0)
  assert.is_false(ok, reason)
  assert.equal(reason, err.reason)
  assert.equal(400, err.status)
end

-- A detector of a function with all the fields that it must have.
local function with_required(name, more)
  local f, sent = functions.find(name), { ["function"] = name }
  for key, part in pairs { field_name = "field", by_field_name = "by", over_field_name = "over" } do
    if f[part] == "required" then sent[key] = "the_" .. part end
  end
  for key, value in pairs(more or {}) do sent[key] = value end
  return sent
end

local ALL = {
  "count", "low_count", "high_count", "non_zero_count", "low_non_zero_count", "high_non_zero_count", "distinct_count",
  "low_distinct_count", "high_distinct_count", "rare", "freq_rare", "info_content", "low_info_content", "high_info_content",
  "metric", "min", "max", "mean", "low_mean", "high_mean", "avg", "low_avg", "high_avg", "median", "low_median",
  "high_median", "varp", "low_varp", "high_varp", "sum", "low_sum", "high_sum", "non_null_sum", "low_non_null_sum",
  "high_non_null_sum", "time_of_day", "time_of_week", "lat_long",
}

describe("blip.job.detector", function()
  it("takes every function with the fields that it needs", function()
    for _, name in ipairs(ALL) do
      local made = detector.normal(with_required(name), 3)
      assert.equal(name, made["function"])
      assert.equal(3, made.detector_index)
    end
  end)

  it("stores short names in full", function()
    for short, full in pairs { nzc = "non_zero_count", low_nzc = "low_non_zero_count", high_nzc = "high_non_zero_count",
      dc = "distinct_count", low_dc = "low_distinct_count", high_dc = "high_distinct_count" } do
      assert.equal(full, detector.normal({ ["function"] = short:upper(), field_name = short:find "dc" and "x" or nil }, 0)["function"])
    end
  end)

  it("refuses names that are no function", function()
    for _, name in ipairs { "c", "low_c", "averag", "" } do refused(("Unknown function '%s'"):format(name), { ["function"] = name }) end
  end)

  it("is a metric when it says nothing", function()
    assert.equal("metric", detector.normal({ field_name = "x" }, 0)["function"])
  end)

  it("needs the fields of its function", function()
    refused("Unless a count or temporal function is used one of field_name, by_field_name or over_field_name must be set", { ["function"] = "mean" })
    refused("field_name must be set when the 'mean' function is used", { ["function"] = "mean", by_field_name = "a" })
    refused("by_field_name must be set when the 'rare' function is used", { ["function"] = "rare", over_field_name = "a" })
    refused("over_field_name must be set when the 'freq_rare' function is used", { ["function"] = "freq_rare", by_field_name = "a" })
  end)

  it("refuses the fields that its function cannot have", function()
    refused("field_name cannot be used with function 'count'", { ["function"] = "count", field_name = "a" })
    refused("over_field_name cannot be used with function 'non_zero_count'", { ["function"] = "non_zero_count", over_field_name = "a" })
  end)

  it("refuses one field in two places", function()
    local function same(a, b) return with_required("count", { [a] = "x", [b] = "x" }) end
    refused("partition_field_name and by_field_name cannot be the same: 'x'", same("partition_field_name", "by_field_name"))
    refused("partition_field_name and over_field_name cannot be the same: 'x'", same("partition_field_name", "over_field_name"))
    refused("by_field_name and over_field_name cannot be the same: 'x'", same("by_field_name", "over_field_name"))
  end)

  it("refuses names that no field can have", function()
    for _, name in ipairs { 'a"b', "a\\b", "a\nb", "." } do
      refused(("Invalid field name '%s'. Field names including over, by and partition fields cannot contain any of these characters: \",\\"):format(name),
        { ["function"] = "count", by_field_name = name })
    end
    refused("'over' is not a permitted value for by_field_name", { ["function"] = "count", by_field_name = "over" })
  end)

  it("says what it does", function()
    for text, sent in pairs {
      count = { ["function"] = "count" },
      ["count by airline"] = { ["function"] = "count", by_field_name = "airline" },
      ["max(responsetime) by airline partitionfield=region"] = { ["function"] = "max", field_name = "responsetime", by_field_name = "airline", partition_field_name = "region" },
      ['mean("response time")'] = { ["function"] = "mean", field_name = "response time" },
      ["count over a usenull=true excludefrequent=all"] = { ["function"] = "count", over_field_name = "a", use_null = true, exclude_frequent = "ALL" },
    } do
      assert.equal(text, detector.normal(sent, 0).detector_description)
    end
    assert.equal("mine", detector.normal({ ["function"] = "count", detector_description = "mine" }, 0).detector_description)
  end)

  it("shows use_null only when it is true", function()
    assert.is_nil(detector.normal({ ["function"] = "count", use_null = false }, 0).use_null)
  end)

  it("stands where it says that it stands", function()
    refused("Invalid detector_index '1': it must be the detector's position, 0", { ["function"] = "count", detector_index = 1 })
  end)
end)

describe("blip.job.rule", function()
  local TIME = { { applies_to = "time", operator = "gt", value = 5 } }

  local function with(rule, sent)
    sent = sent or { ["function"] = "mean", field_name = "x", by_field_name = "host" }
    sent.custom_rules = { rule }
    return sent
  end

  it("skips results when it does not say what to do", function()
    local made = detector.normal(with { conditions = TIME }, 0).custom_rules[1]
    assert.same({ actions = { "skip_result" }, conditions = { { applies_to = "time", operator = "gt", value = 5.0 } } }, made)
  end)

  it("includes what its filter has when it does not say otherwise", function()
    local made = detector.normal(with { scope = { host = { filter_id = "f" } } }, 0).custom_rules[1]
    assert.same({ host = { filter_id = "f", filter_type = "include" } }, made.scope)
    assert.is_nil(made.conditions)
  end)

  it("needs a scope or a condition", function()
    refused("Invalid detector rule: at least scope or a condition is required", with {})
  end)

  it("looks at fields of its detector alone", function()
    refused("Invalid detector rule: scope field 'url' is invalid; select from [host]", with { scope = { url = { filter_id = "f" } } })
    refused("Invalid detector rule: scope field 'url' is invalid; detector has no available fields for scoping",
      with({ scope = { url = { filter_id = "f" } } }, { ["function"] = "count" }))
  end)

  it("looks at nothing but the time where values are no numbers", function()
    local actual = { { applies_to = "actual", operator = "gt", value = 5 } }
    for _, name in ipairs { "metric", "lat_long", "rare" } do
      refused(("Invalid detector rule: function %s only supports conditions that apply to time"):format(name),
        with({ conditions = actual }, with_required(name)))
      assert.truthy(detector.normal(with({ conditions = TIME }, with_required(name)), 0))
    end
  end)
end)
