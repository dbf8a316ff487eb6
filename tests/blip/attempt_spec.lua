local attempt = require "blip.attempt"
local fail = require "blip.fail"
local log = require "runtime.log"

describe("blip.attempt", function()
  it("gives back what a function returns", function()
    assert.same({ 1, nil, 3 }, { attempt(function(a, b) return a, nil, b end, 1, 3) })
  end)

  it("hands a raised error back as a value", function()
    local _, cause = fail.invalid("no such %s", "thing")
    local result, err = attempt(error, cause)
    assert.is_nil(result)
    assert.equal(cause, err)
  end)

  it("calls anything else that is raised a failure, and logs where it came from", function()
    local logged
    local write = log.error
    log.error = function(event, fields) logged = { event, fields.reason } end
    local result, err = attempt(function() error "a bug" end)
    log.error = write
    assert.is_nil(result)
    assert.equal("failed", err.kind)
    assert.matches("a bug$", err.reason)
    assert.equal("bug", logged[1])
    assert.matches("stack traceback", logged[2])
  end)
end)
