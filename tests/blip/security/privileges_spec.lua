local privileges = require "blip.security.privileges"

local GET_JOBS, PUT_JOB = "cluster:monitor/xpack/ml/job/get", "cluster:admin/xpack/ml/job/put"
local MAKE_KEY = "cluster:admin/xpack/security/api_key/create"

describe("blip.security.privileges", function()
  it("grants what a privilege's name stands for", function()
    local function holders(action)
      local list = {}
      for _, name in ipairs { "monitor_ml", "manage_ml", "monitor", "manage", "all", "none" } do
        if privileges.grants("cluster", name, action) then list[#list + 1] = name end
      end
      return table.concat(list, " ")
    end
    assert.equal("monitor_ml manage_ml monitor manage all", holders(GET_JOBS))
    assert.equal("manage_ml manage all", holders(PUT_JOB))
    assert.equal("all", holders(MAKE_KEY))
  end)

  it("takes an action or a pattern of actions for a privilege", function()
    assert.is_true(privileges.grants("cluster", PUT_JOB, PUT_JOB))
    assert.is_true(privileges.grants("cluster", "cluster:admin/xpack/ml/*", PUT_JOB))
    assert.is_false(privileges.grants("cluster", "cluster:admin/xpack/ml/job", PUT_JOB))
    assert.is_false(privileges.grants("index", "indices:data.read/*", "indices:data/read/search"))
  end)

  it("offers the narrow ones first", function()
    assert.same({ "monitor_ml", "manage_ml", "monitor", "manage", "all" },
      privileges.granting("cluster", GET_JOBS))
    assert.same({ "read", "all" }, privileges.granting("index", "indices:data/read/search"))
  end)

  it("tells what one privilege implies", function()
    local function implied(held, wanted) return privileges.imply("cluster", held, wanted) end
    assert.is_true(implied({ "monitor" }, "monitor_ml"))
    assert.is_true(implied({ "all" }, "manage_security"))
    assert.is_true(implied({ "cluster:monitor/*", "cluster:admin/xpack/ml/*" }, "manage_ml"))
    assert.is_false(implied({ "monitor" }, "manage_ml"))
    assert.is_false(implied({ "manage" }, "all"))
    assert.is_false(implied({ "manage" }, "manage_own_api_key"))
    assert.is_false(implied({ "monitor" }, "manage_ilm"))
    assert.is_true(implied({}, "none"))
  end)

  it("refuses a name that is none", function()
    assert.is_true(privileges.check("index", "read"))
    assert.is_true(privileges.check("index", "indices:data/read/*"))
    for _, wrong in ipairs { "reed", "cluster:monitor/main", 7 } do
      local ok, err = privileges.check("index", wrong)
      assert.is_nil(ok)
      assert.matches("unknown index privilege [" .. tostring(wrong) .. "]", err.reason, 1, true)
    end
  end)

  it("reads a star and a question mark in a pattern, and nothing else", function()
    local pattern = privileges.pattern "a.b-*c?"
    assert.is_truthy(("a.b-xyzcd"):find(pattern))
    assert.is_nil(("aXb-xyzcd"):find(pattern))
    assert.is_nil(("a.b-xyzc"):find(pattern))
  end)
end)
