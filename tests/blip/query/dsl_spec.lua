local dsl = require "blip.query.dsl"
local json = require "runtime.json"

local function read(text)
  return assert(dsl.query(assert(json.decode(text))))
end

local function refused(text)
  local node, err = dsl.query(assert(json.decode(text)))
  assert.is_nil(node)
  return err
end

--- Names of a filter's children.
local function ops(node)
  local list = {}
  for i, child in ipairs(node) do list[i] = type(child) == "table" and child.op or tostring(child) end
  return node.op .. ":" .. table.concat(list, ",")
end

describe("blip.query.dsl", function()
  it("asks for everything when there is no query", function()
    assert.equal("all", dsl.query(nil).op)
  end)

  it("reads short and long forms alike", function()
    local short, long = read '{"term":{"a":1}}', read '{"term":{"a":{"value":1,"boost":2}}}'
    assert.same({ short[1], short[2] }, { long[1], long[2] })
  end)

  it("reads the old names of bounds", function()
    local node = read '{"range":{"a":{"from":1,"to":5,"include_upper":false}}}'
    assert.same({ gte = 1, lt = 5 }, node[2])
  end)

  it("needs a should clause only where nothing else is needed", function()
    assert.equal("or:term,term", ops(read '{"bool":{"should":[{"term":{"a":1}},{"term":{"b":1}}]}}'))
    assert.equal("term", read '{"bool":{"must":{"term":{"a":2}},"should":[{"term":{"b":1}}]}}'.op)
  end)

  it("counts should clauses in numbers and percent", function()
    local body = '{"bool":{"minimum_should_match":%s,"should":[{"term":{"a":1}},{"term":{"b":1}},'
      .. '{"term":{"c":1}}]}}'
    assert.equal("at_least:2,term,term,term", ops(read(body:format "2")))
    assert.equal("at_least:2,term,term,term", ops(read(body:format '"-1"')))
    assert.equal("or:term,term,term", ops(read(body:format '"50%"')))
    assert.equal("and:term,term,term", ops(read(body:format '"100%"')))
    assert.equal("none:", ops(read(body:format "4")))
  end)

  it("turns must_not around", function()
    assert.equal("and:term,not", ops(read '{"bool":{"filter":{"term":{"a":1}},"must_not":{"term":{"b":1}}}}'))
  end)

  it("names what it does not know", function()
    assert.equal("unknown query [nope]", refused '{"nope":{}}'.reason)
    assert.equal("[term] query does not support [foo]", refused '{"term":{"a":{"foo":1}}}'.reason)
    assert.equal("[bool] query does not support [shall]", refused '{"bool":{"shall":[]}}'.reason)
    assert.equal("[term] query doesn't support multiple fields, found [a] and [b]",
      refused '{"term":{"a":1,"b":1}}'.reason)
    assert.equal("[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
      refused '{"match_all":{},"term":{"a":1}}'.reason)
  end)
end)
