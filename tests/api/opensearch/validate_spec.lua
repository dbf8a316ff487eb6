-- luacheck: no max line length
local json = require "runtime.json"
local orders = require "support.orders"
local server = require "support.server"

describe("validation of the OpenSearch dialect", function()
  local blip

  setup(function()
    blip = server.start()
    orders.load(blip)
    orders.create(blip, { name = "taken" })
  end)
  teardown(function()
    blip:stop()
  end)

  local function validate(changes, rest)
    return blip:post(orders.DETECTORS .. "/_validate" .. (rest or ""), orders.detector(changes))
  end

  it("finds nothing wrong with a good detector, and stores nothing", function()
    assert.same({}, validate({ name = "fine" }).json)
    assert.same({}, validate({ name = "fine" }, "/detector").json)
    assert.equal(1, blip:get(orders.DETECTORS .. "/count").json.count)
  end)

  local cases = {
    { { name = "" }, "name", "name should be set" },
    {
      { name = "taken" },
      "name",
      "Cannot create anomaly detector with name [taken] as it's already used by another detector",
    },
    { { detection_interval = json.null }, "detection_interval", "Detection interval should be set" },
    { { indices = { "nope" } }, "indices", "index does not exist" },
    {
      { indices = { "empty" } },
      "indices",
      "Can't create anomaly detector as no document is found in the indices: [empty]",
    },
    { { shingle_size = 2000 }, "shingle_size", "Suggested shingle size must be between 1 and 128. Got 2000." },
    {
      { category_field = { "amount" } },
      "category_field",
      "Categorical field amount must be of type keyword or ip.",
    },
  }
  for _, case in ipairs(cases) do
    it("tells of " .. case[3], function()
      local answer = validate(case[1])
      assert.same({ 200, case[3] }, { answer.status, answer.json.detector[case[2]].message })
    end)
  end

  it("tells which features cannot run", function()
    local text = "Feature has an invalid query returning empty aggregated data"
    local found = validate({ feature_attributes = { orders.feature("a", "nope") } }).json.detector
    assert.same({ message = text .. ": a", sub_issues = { a = text } }, found.feature_attributes)
  end)

  it("refuses what is no detector and what is no aspect", function()
    local hours = { period = { interval = 1, unit = "Hours" } }
    orders.refused(
      validate { detection_interval = hours },
      400,
      "illegal_argument_exception",
      "Time unit Hours is not supported"
    )
    orders.refused(validate({}, "/foo"), 500, "illegal_state_exception", "The given validation type doesn't exist")
  end)
end)
