-- Bodies that are nearly right: every value of every seed, replaced by every odd one.
local aggregation = require "blip.query.aggregation"
local fail = require "blip.fail"
local json = require "runtime.json"
local request = require "blip.query.request"
local rows = require "blip.query.rows"
local tables = require "support.tables"

local ODD = {
  "null", "true", "-1", "0", "1e300", "1.5", "\"\"", "\"x\"", "-9223372036854775808", "[]", "[null]", "[[1]]",
  "{}", "{\"x\":{}}", "{\"field\":5}", "[{\"x\":1}]",
}

local function read_file(name)
  local file = assert(io.open(name))
  local text = file:read "a"
  file:close()
  return text
end

--- Calls `visit(body)` with each body that comes of replacing one value below `node`.
local function each_variant(root, node, visit)
  for key, value in pairs(node) do
    for _, odd in ipairs(ODD) do
      node[key] = json.decode(odd)
      visit(root)
    end
    node[key] = value
    if type(value) == "table" then each_variant(root, value, visit) end
  end
end

local function explain(err)
  return fail.is(err) and err or debug.traceback(err)
end

describe("blip.query.request", function()
  local t = tables.new():create("i", {
    { "long", "long" }, { "double", "double" }, { "date", "date" }, { "keyword", "keyword" },
    { "text", "text" }, { "ip", "ip" }, { "boolean", "boolean" },
  }, {})

  --- Reads and compiles a body: true, or nil and an error; raises for a bug.
  local function compile(body)
    local wanted, err = request.read(body)
    if not wanted then return nil, err end
    local sql
    sql, err = rows.new(t.indices, wanted.filter):sql()
    if not sql then return nil, err end
    return aggregation.check(t.indices, wanted.filter, wanted.aggregations)
  end

  for seed = 1, 5 do
    it(("answers or refuses every variant of seed %d"):format(seed), function()
      local body = assert(json.decode(read_file(("tests/fuzz/seeds/query/%d.json"):format(seed))))
      assert(compile(body))
      each_variant(body, body, function(variant)
        local ran, ok, err = xpcall(compile, explain, variant)
        if not ran then err = ok end
        local fine = ran and ok or fail.is(err)
        if not fine then error(("%s\n%s"):format(json.encode(variant), tostring(err))) end
      end)
    end)
  end
end)
