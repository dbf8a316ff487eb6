-- Several clients write to the same indices at the same time.
local http = require "support.http"
local json = require "runtime.json"
local server = require "support.server"

local CLIENTS, ROUNDS = 6, 8
local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

describe("writers at the same time", function()
  local blip
  setup(function() blip = server.start { threads = 4 } end)
  teardown(function() blip:stop() end)

  --- Sends one request over each client before any answer is read.
  local function at_once(make)
    local clients, answers = {}, {}
    for i = 1, CLIENTS do
      clients[i] = blip:connect()
      clients[i]:send(make(i))
    end
    for i, client in ipairs(clients) do
      answers[i] = client:receive()
      client:close()
    end
    return answers
  end

  local function bulk(lines)
    return http.format("POST", "/_bulk", table.concat(lines, "\n") .. "\n", NDJSON)
  end

  it("bring new fields without losing one", function()
    for round = 1, ROUNDS do
      local answers = at_once(function(i)
        local lines = {}
        for n = 1, 20 do
          lines[#lines + 1] = '{"index":{"_index":"w-fields"}}'
          local own, shared = "f" .. round .. "_" .. i, "common" .. round
          lines[#lines + 1] = json.encode { [own] = n, [shared] = { "a", "b" } }
        end
        return bulk(lines)
      end)
      for _, answer in ipairs(answers) do
        assert.equal(200, answer.status)
        assert.is_false(answer.json.errors)
      end
    end
    assert.equal(ROUNDS * CLIENTS * 20, blip:get("/w-fields/_count").json.count)
    local properties = blip:get("/w-fields/_mapping").json["w-fields"].mappings.properties
    for round = 1, ROUNDS do
      for i = 1, CLIENTS do assert.equal("long", properties["f" .. round .. "_" .. i].type) end
      local query = { query = { term = { ["common" .. round .. ".keyword"] = "b" } } }
      assert.equal(CLIENTS * 20, blip:post("/w-fields/_count", query).json.count)
    end
  end)

  it("leave one document per id, each version counted once", function()
    for _ = 1, ROUNDS do
      at_once(function(i)
        local lines = {}
        for id = 1, 30 do
          lines[#lines + 1] = ('{"index":{"_index":"w-ids-%d","_id":"%d"}}'):format(id % 2, id)
          lines[#lines + 1] = ('{"writer":%d}'):format(i)
        end
        return bulk(lines)
      end)
    end
    assert.equal(30, blip:get("/w-ids-0,w-ids-1/_count").json.count)
    for id = 1, 30 do
      assert.equal(ROUNDS * CLIENTS, blip:get(("/w-ids-%d/_doc/%d"):format(id % 2, id)).json._version)
    end
  end)

  it("create a document once", function()
    local answers = at_once(function() return http.format("PUT", "/w-once/_create/1", "{}") end)
    local statuses = {}
    for _, answer in ipairs(answers) do statuses[answer.status] = (statuses[answer.status] or 0) + 1 end
    assert.same({ [201] = 1, [409] = CLIENTS - 1 }, statuses)
  end)

  it("delete an index under the hands of others", function()
    for _ = 1, ROUNDS do
      local answers = at_once(function(i)
        if i == 1 then return http.format("DELETE", "/w-gone?ignore_unavailable=true") end
        return bulk { '{"index":{"_index":"w-gone"}}', '{"n":1}', '{"index":{"_index":"w-gone"}}', '{"n":2}' }
      end)
      for _, answer in ipairs(answers) do
        assert.is_true(answer.status == 200 or answer.status == 404, answer.body)
      end
    end
    assert.equal(200, blip:get("/_cat/indices").status)
  end)
end)
