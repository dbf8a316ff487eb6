local access = require "blip.security.access"
local subject_of = require "blip.security.subject".new

local READ = "indices:data/read/search"

local function holder(...)
  return subject_of { name = "ada", roles = { "r" }, descriptors = { ... } }
end

describe("blip.security.access", function()
  it("knows nobody, who may everything, outside of a request", function()
    assert.is_nil(access.subject())
    assert.is_true(access.check("cluster:admin/xpack/ml/job/put"))
    assert.is_nil(access.index_action())
  end)

  it("works for somebody for the time of a call, also of one that fails", function()
    local ada = holder { cluster = {}, indices = { { names = { "logs" }, privileges = { "read" } } } }
    local seen, action, refused = access.run(ada, READ, function()
      return access.subject(), access.index_action(), select(2, access.check(READ, "money"))
    end)
    assert.equal(ada, seen)
    assert.equal(READ, action)
    assert.equal("action [indices:data/read/search] is unauthorized for user [ada] with effective roles "
      .. "[r] on indices [money], this action is granted by the index privileges [read,all]", refused.reason)
    assert.has_error(function() access.run(ada, READ, error, "a bug") end, "a bug")
    assert.is_nil(access.subject())
  end)

  it("does not take the server's own work on indices for the caller's", function()
    access.run(holder(), "cluster:admin/opendistro/ad/detector/write", function()
      assert.is_nil(access.index_action())
    end)
  end)
end)
