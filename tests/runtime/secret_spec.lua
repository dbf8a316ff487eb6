local memory = require "support.memory"
local secret = require "runtime.secret"
local time = require "runtime.time"

local function ms_of(func, ...)
  local started = time.monotonic_ns()
  func(...)
  return (time.monotonic_ns() - started) / 1e6
end

describe("runtime.secret", function()
  local hash
  setup(function() hash = assert(secret.hash "correct horse") end)

  it("hashes a password with Argon2id and a salt of its own", function()
    assert.matches("^%$argon2id%$", hash)
    assert.not_equal(hash, secret.hash "correct horse")
  end)

  it("knows a password again, and no other", function()
    assert.is_true(secret.matches(hash, "correct horse"))
    assert.is_false(secret.matches(hash, "correct hors"))
    assert.is_false(secret.matches(hash, ""))
  end)

  it("says no to what is no hash", function()
    for _, text in ipairs { "", "correct horse", "$argon2id$", ("$"):rep(300) } do
      assert.is_false(secret.is_hash(text))
      assert.is_false(secret.matches(text, "correct horse"))
    end
    assert.is_true(secret.is_hash(hash))
  end)

  it("remembers both answers, so that only the first question takes long", function()
    local fresh = secret.hash "another"
    for _, password in ipairs { "another", "guess" } do
      local first, second = ms_of(secret.matches, fresh, password), ms_of(secret.matches, fresh, password)
      assert.is_true(second < first / 10, ("%g ms, then %g ms"):format(first, second))
    end
  end)

  it("takes passwords with zero bytes as they are", function()
    local odd = secret.hash "a\0b"
    assert.is_true(secret.matches(odd, "a\0b"))
    assert.is_false(secret.matches(odd, "a\0c"))
  end)

  it("digests a text to 64 hex digits", function()
    assert.equal(64, #secret.digest "key")
    assert.equal(secret.digest "key", secret.digest "key")
    assert.not_equal(secret.digest "key", secret.digest "kez")
  end)

  it("compares texts", function()
    assert.is_true(secret.equal("abc", "abc"))
    assert.is_false(secret.equal("abc", "abd"))
    assert.is_false(secret.equal("abc", "ab"))
  end)

  it("draws tokens that may stand in a URL", function()
    assert.matches("^[%w_-]+$", secret.token(16))
    assert.equal(22, #secret.token(16))
    assert.not_equal(secret.token(16), secret.token(16))
    assert.error_matches(function() secret.token(0) end, "1 to 64")
  end)

  it("reads and writes base64", function()
    assert.equal("YTpi", secret.encode64 "a:b")
    assert.equal("YQ==", secret.encode64 "a")
    assert.equal("a", secret.decode64 "YQ==")
    assert.equal("a", secret.decode64 "YQ")
    assert.equal("\0\255", secret.decode64(secret.encode64 "\0\255"))
    for _, text in ipairs { "Y", "Y*==", "YQ==YQ==", "Y Q" } do assert.is_nil(secret.decode64(text)) end
  end)

  it("leaves nothing behind when memory runs out", function()
    memory.exhaust(function() return secret.decode64(secret.encode64 "text") .. secret.digest "text" end)
  end)
end)
