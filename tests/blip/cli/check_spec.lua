local check = require "blip.cli.check"

-- Runs `blip check` on texts; returns its exit code and what it printed on both streams.
local function run(...)
  local args, out, err = {}, {}, {}
  for i, text in ipairs { ... } do
    args[i] = os.tmpname()
    local file = assert(io.open(args[i], "w"))
    file:write(text)
    file:close()
  end
  local stdout, stderr, print_before = io.stdout, io.stderr, print
  local function into(list) return { write = function(_, ...) list[#list + 1] = table.concat { ... } end } end
  io.stdout, io.stderr = into(out), into(err)
  _G.print = function(text) out[#out + 1] = text .. "\n" end
  local ok, code = pcall(check.main, args)
  io.stdout, io.stderr, _G.print = stdout, stderr, print_before
  for _, path in ipairs(args) do os.remove(path) end
  assert(ok, code)
  return code, table.concat(out), table.concat(err)
end

local SOUND = [[return detector "sound" {
  source = "logs", time = "t", interval = "1m", features = { feature("n", count()) } }]]

describe("blip check", function()
  it("names the detectors of sound scripts", function()
    local code, out, err = run(SOUND)
    assert.equal(0, code)
    assert.matches("fine %(sound%)", out)
    assert.equal("", err)
  end)

  it("says every problem with file and line, and checks the other scripts too", function()
    local code, out, err = run('return detector "a" {\n  interval = 3,\n  delay = "x",\n}', SOUND)
    assert.equal(1, code)
    assert.matches(":2: interval = 3 needs a unit", err)
    assert.matches(":3: delay = \"x\" is no duration", err)
    assert.matches("fine %(sound%)", out)
  end)

  it("refuses a command line without scripts", function()
    local code, _, err = run()
    assert.equal(2, code)
    assert.matches("usage: blip check SCRIPT", err)
  end)

  it("finds the scripts that Blip brings along fine", function()
    for _, name in ipairs { "http_errors", "login_failures", "disk_growth", "silent_source", "demo/taxi" } do
      assert(require("blip.detector.script").load("detectors/" .. name .. ".lua"))
    end
  end)
end)
