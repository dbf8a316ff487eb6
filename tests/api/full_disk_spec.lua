-- A disk that is full, played by a limit on the size of files.
local server = require "support.server"

local NDJSON = { ["Content-Type"] = "application/x-ndjson" }

describe("a full disk", function()
  local blip
  setup(function() blip = server.start {} end)
  teardown(function() blip:stop() end)

  local function bulk(batch)
    local lines = {}
    for i = 1, 500 do
      lines[#lines + 1] = '{"index":{}}\n' .. ('{"batch":%d,"n":%d,"text":"%s"}\n'):format(batch, i,
        ("%x"):format(i * 7919 + batch):rep(20))
    end
    return blip:request("POST", "/full/_bulk", table.concat(lines), NDJSON)
  end

  local function limit(bytes)
    assert(os.execute(("prlimit --pid %d --fsize=%s: 2>/dev/null"):format(blip.pid, bytes)))
  end

  it("refuses what cannot be kept, and goes on when there is room again", function()
    assert.equal(200, bulk(0).status)
    limit(4 << 20)
    local answer, written = nil, 1
    for batch = 1, 100 do
      answer = bulk(batch)
      if answer.status ~= 200 then break end
      written = written + 1
    end
    assert.equal(500, answer.status)
    assert.matches("the disk is full", answer.json.error.reason, 1, true)
    assert.equal(written * 500, blip:get("/full/_count").json.count)
    limit "unlimited"
    assert.equal(200, bulk(1000).status)
    blip:restart "KILL"
    assert.equal((written + 1) * 500, blip:get("/full/_count").json.count)
  end)
end)
