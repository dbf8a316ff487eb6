local program = require "support.program"

local SOUND = [[return detector "sound" {
  source = "logs", time = "t", interval = "1m", features = { feature("n", count()) } }]]

-- Runs `blip check` on texts; returns its exit code and what it printed on both streams.
local function check(...)
  local paths = {}
  for i, text in ipairs { ... } do
    paths[i] = os.tmpname()
    local file = assert(io.open(paths[i], "w"))
    file:write(text)
    file:close()
  end
  local code, output, complaint = program.run("check " .. table.concat(paths, " "))
  for _, path in ipairs(paths) do os.remove(path) end
  return code, output, complaint
end

describe("blip check", function()
  it("names the detectors of sound scripts", function()
    local code, output, complaint = check(SOUND)
    assert.equal(0, code)
    assert.matches("fine %(sound%)", output)
    assert.equal("", complaint)
  end)

  it("says every problem with file and line, and checks the other scripts too", function()
    local code, output, complaint = check('return detector "a" {\n  interval = 3,\n  delay = "x",\n}', SOUND)
    assert.equal(1, code)
    assert.matches(":2: interval = 3 needs a unit", complaint)
    assert.matches(":3: delay = \"x\" is no duration", complaint)
    assert.matches("fine %(sound%)", output)
  end)

  it("ends a script that does not", function()
    local code, _, complaint = check "while true do end"
    assert.equal(1, code)
    assert.matches(":1: used up its budget", complaint)
  end)

  it("refuses a command line without scripts", function()
    local code, _, complaint = program.run "check"
    assert.equal(2, code)
    assert.matches("usage: blip check SCRIPT", complaint)
    assert.equal(2, (program.run "check --nothing"))
  end)

  it("says how it is used", function()
    local code, output = program.run "check --help"
    assert.equal(0, code)
    assert.matches("^usage: blip check", output)
  end)

  it("says which file it cannot read", function()
    local code, _, complaint = program.run "check /nowhere/at_all.lua detectors"
    assert.equal(1, code)
    assert.matches("/nowhere/at_all.lua: No such file", complaint)
    assert.matches("detectors: Is a directory", complaint)
  end)

  it("finds the scripts that Blip brings along fine", function()
    assert.equal(0, (program.run "check detectors/*.lua detectors/demo/*.lua"))
  end)
end)
