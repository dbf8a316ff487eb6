--- The worked examples of the plugin's contract: each request gets an answer of the same keys and
-- JSON types. A file of examples/ has one request and the answer printed for it.
local json = require "runtime.json"
local server = require "support.server"
local time = require "runtime.time"

local FOLDER = debug.getinfo(1, "S").source:match "^@(.*)/" .. "/examples/"
local INTERVAL_MS = 300000
local PERIOD_START = 1759827200000 // INTERVAL_MS * INTERVAL_MS

local function examples()
  local list = {}
  local pipe = assert(io.popen("ls '" .. FOLDER .. "'"))
  for name in pipe:lines() do
    local file = assert(io.open(FOLDER .. name))
    list[#list + 1] = assert(json.decode(file:read "a"))
    file:close()
  end
  pipe:close()
  return list
end

-- Texts with ${name} filled in, everywhere below a value.
local function fill(value, saved)
  if type(value) == "string" then
    return (value:gsub("%${(%w+)}", saved))
  elseif type(value) ~= "table" then
    return value
  end
  local filled = {}
  for key, each in pairs(value) do
    filled[key] = fill(each, saved)
  end
  return json.is_array(value) and json.array(filled) or json.object(filled)
end

local function kind(value)
  if value == json.null then
    return "null"
  elseif type(value) == "table" then
    return json.is_array(value) and "array" or "object"
  end
  return math.type(value) or type(value)
end

-- Says where two values differ in keys or types; arrays as far as both go.
local function differences(want, got, path, list)
  if kind(want) ~= kind(got) then
    list[#list + 1] = ("%s is %s, not %s"):format(path, kind(got), kind(want))
  elseif kind(want) == "object" then
    for key in pairs(want) do
      if got[key] == nil then
        list[#list + 1] = ("%s.%s is missing"):format(path, key)
      else
        differences(want[key], got[key], path .. "." .. key, list)
      end
    end
    for key in pairs(got) do
      if want[key] == nil then
        list[#list + 1] = ("%s.%s is not expected"):format(path, key)
      end
    end
  elseif kind(want) == "array" then
    for i = 1, math.min(#want, #got) do
      differences(want[i], got[i], ("%s[%d]"):format(path, i), list)
    end
    if (#want == 0) ~= (#got == 0) then
      list[#list + 1] = ("%s has %d elements, not %d"):format(path, #got, #want)
    end
  end
  return list
end

-- Four days of orders, one failed order in each interval of five minutes.
local function add_orders(lines, from)
  for i = 0, 1151 do
    lines[#lines + 1] = '{"index":{"_index":"shop-orders"}}'
    lines[#lines + 1] = ('{"ts":%d,"amount":%.2f,"status":"failed","region":"%s"}'):format(
      from + i * INTERVAL_MS,
      200 + 20 * math.sin(i / 12),
      i % 2 == 0 and "EU" or "US"
    )
  end
end

-- Orders in the period of the previews, and up to now for the real-time run.
local function load_orders(blip)
  assert.equal(200, blip:put("/shop-orders", {
    mappings = {
      properties = {
        ts = { type = "date" },
        amount = { type = "double" },
        status = { type = "keyword" },
        region = { type = "keyword" },
      },
    },
  }).status)
  local lines = {}
  add_orders(lines, PERIOD_START)
  add_orders(lines, time.now_ms() - 1152 * INTERVAL_MS)
  local ndjson = { ["content-type"] = "application/x-ndjson" }
  local answer = blip:post("/_bulk", table.concat(lines, "\n") .. "\n", ndjson)
  assert.is_false(answer.json.errors)
end

-- Waits until the real-time run has stored a result.
local function await_result(blip)
  for _ = 1, 500 do
    local answer = blip:post("/_plugins/_anomaly_detection/detectors/results/_search", { size = 0 })
    if answer.json.hits.total.value > 0 then
      return
    end
    time.sleep_ms(10)
  end
  error "no result in five seconds"
end

-- What a real-time run stores when it finds something.
local function store_result(blip, answer)
  local source = answer.hits.hits[1]._source
  local stored = blip:post("/.opendistro-anomaly-results/_doc", source)
  assert.equal(201, stored.status, stored.body)
end

-- What happens before an example's request.
local BEFORE = { ["first result"] = await_result, result = store_result }

describe("the examples of the OpenSearch dialect:", function()
  local blip, saved = nil, {}

  setup(function()
    blip = server.start()
    load_orders(blip)
  end)
  teardown(function()
    blip:stop()
  end)

  for _, example in ipairs(examples()) do
    it(example.example, function()
      local want = fill(example.answer, saved)
      if example.before then
        BEFORE[example.before](blip, want)
      end
      local answer = blip:request(example.method, fill(example.path, saved), fill(example.body, saved))
      assert.equal(example.status, answer.status, answer.body)
      if type(want) == "string" then
        return assert.equal(want, answer.body)
      end
      for name, key in pairs(example.save or {}) do
        saved[name] = answer.json[key]
      end
      assert.same({}, differences(want, answer.json, "answer", {}))
      if want.error then
        assert.same(want.error.reason, answer.json.error.reason)
      end
    end)
  end
end)
