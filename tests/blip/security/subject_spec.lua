local roles = require "blip.security.roles"
local subject_of = require "blip.security.subject".new

local READ, WRITE = "indices:data/read/search", "indices:data/write/index"

local function holder(...)
  local descriptors = {}
  for i, descriptor in ipairs { ... } do descriptors[i] = assert(roles.check(descriptor, "role")) end
  return subject_of { name = "ada", roles = { "r" }, descriptors = descriptors }
end

local function reader(names, restricted)
  return { indices = { { names = names, privileges = { "read" }, allow_restricted_indices = restricted } } }
end

describe("blip.security.subject", function()
  it("may what any of its roles allows", function()
    local ada = holder({ cluster = { "monitor" } }, reader { "logs-*", "money" })
    assert.is_true(ada:may_cluster "cluster:monitor/main")
    assert.is_false(ada:may_cluster "cluster:admin/settings/update")
    assert.is_true(ada:may_index(READ, "logs-a") and ada:may_index(READ, "money"))
    assert.is_false(ada:may_index(READ, "moneys") or ada:may_index(WRITE, "logs-a"))
    assert.is_true(ada:may_somewhere(READ))
    assert.is_false(ada:may_somewhere(WRITE))
  end)

  it("reaches the server's own indices only by a role that says so", function()
    for _, index in ipairs { ".security", ".ml-config", ".opendistro-anomaly-detectors",
                             ".opendistro-anomaly-results-history-1" } do
      assert.is_false(holder(reader { "*" }):may_index(READ, index), index)
      assert.is_false(holder(reader { ".*" }):has_index("read", index), index)
      assert.is_true(holder(reader({ "*" }, true)):may_index(READ, index), index)
    end
    assert.is_true(holder(reader { ".ml-anomalies*" }):may_index(READ, ".ml-anomalies-shared"))
  end)

  it("has a privilege for a pattern only when one of its own covers it", function()
    local ada = holder(reader { "logs-*", "a?" })
    assert.is_true(ada:has_index("read", "logs-web-*"))
    assert.is_false(ada:has_index("read", "log*"))
    assert.is_false(ada:has_index("read", "a*"))
    assert.is_false(ada:has_index("write", "logs-*"))
  end)

  it("may no more than the one that limits it", function()
    local limited = subject_of {
      name = "ada", roles = { "r" }, limit = holder(reader { "logs-*" }),
      descriptors = { assert(roles.check({
        cluster = { "all" }, indices = { { names = { "*" }, privileges = { "all" } } },
      }, "role")) },
    }
    assert.is_true(limited:may_index(READ, "logs-a"))
    assert.is_false(limited:may_index(WRITE, "logs-a") or limited:may_index(READ, "money"))
    assert.is_false(limited:may_cluster "cluster:monitor/main" or limited:has_cluster "monitor")
    assert.is_false(limited:may_somewhere(WRITE) or limited:has_index("all", "logs-a"))
  end)
end)
