local fail = require "blip.fail"
local reply = require "blip.api.reply"

describe("fail", function()
  it("returns nil and an error of the kind", function()
    local value, err = fail.not_found("no detector '%s'", "x")
    assert.is_nil(value)
    assert.equal("not_found", err.kind)
    assert.equal("no detector 'x'", err.reason)
    assert.equal("no detector 'x'", tostring(err))
    assert.is_true(fail.is(err))
    assert.is_false(fail.is("text"))
  end)

  it("takes a reason without arguments as it is", function()
    assert.equal("100% of it", select(2, fail.invalid("100% of it")).reason)
  end)

  it("says what a dialect says", function()
    local _, err = fail.es { status = 404, type = "index_not_found_exception", reason = "no such index [x]",
                             index = "x" }
    assert.equal("not_found", err.kind)
    local answer = reply.failure(err)
    assert.equal(404, answer.status)
    assert.same({
      error = {
        root_cause = { { type = "index_not_found_exception", reason = "no such index [x]", index = "x" } },
        type = "index_not_found_exception", reason = "no such index [x]", index = "x",
      },
      status = 404,
    }, answer.body)
  end)

  it("is answered with the status and type of its kind, and the cause within", function()
    local _, err = fail.busy("full")
    assert.equal(429, reply.failure(err).status)
    assert.equal("1", reply.failure(err).headers["Retry-After"])
    err.caused_by = { type = "inner", reason = "why" }
    assert.same({ type = "inner", reason = "why" }, reply.failure(err).body.error.caused_by)
    assert.is_nil(reply.failure(err).body.error.root_cause[1].caused_by)
  end)
end)
