local json = require "runtime.json"
local needs = require "blip.api.needs"
local reply = require "blip.api.reply"
local router = require "blip.api.router"

local function ask(patterns, method, uri)
  local r = router.new()
  for _, pattern in ipairs(patterns) do
    r:add(pattern, needs("cluster:monitor/spec", function(request)
      return reply.ok { pattern = pattern, id = request.params.id }
    end))
  end
  local status, headers, text = r:handle { method = method, uri = uri, headers = {} }
  return status, json.decode(text), headers
end

local DETECTORS = { "GET /d/{id}", "PUT /d/{id}", "POST /d/_search", "POST /d/_suggest/{types}" }

describe("blip.api.router", function()
  it("prefers a literal segment to a parameter", function()
    local _, answer = ask(DETECTORS, "POST", "/d/_search")
    assert.equal("POST /d/_search", answer.pattern)
  end)

  it("gives a path to the pattern that writes it out, whatever the method", function()
    local status, answer, headers = ask(DETECTORS, "GET", "/d/_search")
    assert.equal(405, status)
    assert.equal("Incorrect HTTP method for uri [/d/_search] and method [GET], allowed: [POST]", answer.error)
    assert.equal("POST", headers.Allow)
  end)

  it("takes a literal segment without routes of its own for a parameter", function()
    local _, answer = ask(DETECTORS, "GET", "/d/_suggest")
    assert.same({ "GET /d/{id}", "_suggest" }, { answer.pattern, answer.id })
  end)

  it("comes back from a branch that leads nowhere", function()
    local _, answer = ask({ "GET /a/b/c", "GET /a/{id}/d" }, "GET", "/a/b/d")
    assert.same({ "GET /a/{id}/d", "b" }, { answer.pattern, answer.id })
  end)

  it("takes no route that names no action", function()
    assert.error_matches(function() router.new():add("GET /x", function() end) end, "names no action")
    assert.error_matches(function() needs("monitor", function() end) end, "is the name of no action")
  end)

  it("answers HEAD where GET is", function()
    assert.equal(200, (ask(DETECTORS, "HEAD", "/d/x")))
  end)
end)
