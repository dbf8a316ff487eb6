local json = require "runtime.json"
local server = require "support.server"
local time = require "runtime.time"

local SOUND = [[
return detector "%s" {
  source = "logs", time = "at", interval = "1m", description = "%s",
  features = { feature("lines", count()) },
}]]

describe("detector scripts", function()
  local blip, folder

  setup(function()
    folder = server.folder()
    blip = server.start { detectors = folder }
  end)

  teardown(function()
    blip:stop()
    server.remove(folder)
  end)

  local function write(name, text)
    local path = folder .. "/" .. name
    local file = assert(io.open(path .. ".new", "w"))
    file:write(text)
    file:close()
    os.rename(path .. ".new", path)
  end

  -- Waits until the list looks as it should; returns it.
  local function wait_for(looks_right)
    local list
    for _ = 1, 300 do
      list = blip:get("/_blip/detectors").json
      if looks_right(list) then return list end
      time.sleep_ms(20)
    end
    error("the list stays " .. json.encode(list), 2)
  end

  local function has(list, id, description)
    for _, d in ipairs(list.detectors) do
      if d.id == id and (not description or d.description == description) then return d end
    end
  end

  local function script_of(list, name)
    for _, entry in ipairs(list.scripts) do
      if entry.script == name then return entry end
    end
  end

  it("run once their file is in the folder", function()
    write("first.lua", SOUND:format("first", "as it was"))
    local list = wait_for(function(l) return has(l, "first") end)
    local d = has(list, "first")
    assert.equal("first.lua", d.script)
    assert.equal("ensemble", d.model)
    assert.same({ "lines" }, d.features)
    wait_for(function(l) return has(l, "first").running end)
    assert.equal(200, blip:get("/_blip/detectors/first").status)
  end)

  it("run anew when the file changes", function()
    write("first.lua", SOUND:format("first", "as it is now"))
    wait_for(function(l) return has(l, "first", "as it is now") end)
  end)

  it("go on as they were when the file breaks, and the list says where", function()
    write("first.lua", 'return detector "first" {\n  intervall = "1m",\n}')
    local list = wait_for(function(l) return #script_of(l, "first.lua").problems > 0 end)
    assert.is_truthy(has(list, "first", "as it is now"))
    local problems = script_of(list, "first.lua").problems
    assert.equal(2, problems[#problems].line)
    assert.matches("did you mean 'interval'", problems[#problems].message)
    local event = blip:event "script_refused"
    assert.equal("first.lua", event.script)
    assert.is_true(event.running)
  end)

  it("survive a restart with the broken file", function()
    blip:restart()
    local list = wait_for(function(l) return has(l, "first") end)
    assert.is_truthy(has(list, "first", "as it is now"))
    assert.is_true(#script_of(list, "first.lua").problems > 0)
  end)

  it("are mended by a sound file", function()
    write("first.lua", SOUND:format("first", "mended"))
    local list = wait_for(function(l) return has(l, "first", "mended") end)
    assert.same({}, script_of(list, "first.lua").problems)
  end)

  it("cannot define what another script defines", function()
    write("second.lua", SOUND:format("first", "stolen"))
    local list = wait_for(function(l) return script_of(l, "second.lua") end)
    local problem = script_of(list, "second.lua").problems[1]
    assert.matches("'first' is defined in first.lua already", problem.message)
    assert.is_truthy(has(list, "first", "mended"))
    os.remove(folder .. "/second.lua")
    wait_for(function(l) return not script_of(l, "second.lua") end)
  end)

  it("stop when their file goes", function()
    os.remove(folder .. "/first.lua")
    wait_for(function(l) return #l.detectors == 0 and #l.scripts == 0 end)
    assert.equal(404, blip:get("/_blip/detectors/first").status)
  end)

  it("are checked without being run", function()
    local answer = blip:post("/_blip/detectors/_check", { script = "return detctor 'a' {}" })
    assert.equal(200, answer.status)
    assert.same({}, answer.json.detectors)
    assert.equal(1, answer.json.problems[1].line)
    assert.matches("did you mean 'detector'", answer.json.problems[1].message)
    assert.same({ "sound" }, blip:post("/_blip/detectors/_check",
      { script = SOUND:format("sound", "x") }).json.detectors)
    assert.equal(400, blip:post("/_blip/detectors/_check", { text = "" }).status)
  end)

  it("analyse the past that is wanted, and show the findings, worst first", function()
    local lines, start_ms = {}, 1767571200000
    for minute = 0, 599 do
      for _ = 1, minute == 450 and 90 or 5 + minute % 3 do
        lines[#lines + 1] = { index = json.object {} }
        lines[#lines + 1] = { at = start_ms + minute * 60000 }
      end
    end
    assert.equal(200, blip:put("/logs", { mappings = { properties = { at = { type = "date" } } } }).status)
    assert.is_false(blip:bulk("/logs/_bulk", lines).json.errors)
    write("past.lua", SOUND:format("past", "x"))
    wait_for(function(l) return has(l, "past") end)

    local path = "/_blip/detectors/past"
    local answer = blip:post(path .. "/_start", { from = "2026-01-05", to = start_ms + 600 * 60000 })
    assert.equal(200, answer.status, answer.body)
    local analysis
    for _ = 1, 300 do
      analysis = blip:get(path).json.analysis
      if analysis.state == "FINISHED" then break end
      time.sleep_ms(20)
    end
    assert.equal("FINISHED", analysis.state, analysis.error)
    assert.equal(1, analysis.progress)
    local found = blip:get(path .. "/results?size=1").json
    assert.is_true(found.total >= 1)
    assert.equal(start_ms + 450 * 60000, found.anomalies[1].data_start_time)
    assert.equal(0, blip:get(path .. "/results?to=2026-01-05T01:00:00Z").json.total)

    assert.equal(400, blip:post(path .. "/_start", { from = "2026-01-05" }).status)
    assert.equal(200, blip:post(path .. "/_stop").status)
    assert.is_false(blip:get(path).json.running)
    assert.equal(200, blip:post(path .. "/_start").status)
    assert.equal(409, blip:post(path .. "/_start").status)
  end)

  it("score what comes in with a model in Lua, and call on_anomaly", function()
    assert.equal(200, blip:put("/live", { mappings = { properties = { at = { type = "date" } } } }).status)
    write("live.lua", [[return detector "live" {
      source = "live", time = "at", interval = "1s", history = 40,
      features = { feature("n", count()) },
      model = script {
        new = function() return { most = 0, rows = 0 } end,
        push = function(self, row)
          self.rows = self.rows + 1
          local strange = row.n > 3 * self.most + 10
          self.most = math.max(self.most, row.n)
          return { score = row.n, grade = strange and 1 or 0 }
        end,
      },
      on_anomaly = function(anomaly)
        log.warn("%d documents, %s", anomaly.values.n, anomaly.cause)
        error("and then it breaks")
      end,
    }]])
    wait_for(function(l) return has(l, "live") and has(l, "live").running end)
    local lines, at = {}, time.now_ms() + 1000
    for _ = 1, 50 do
      lines[#lines + 1] = { index = json.object {} }
      lines[#lines + 1] = { at = at }
    end
    assert.is_false(blip:bulk("/live/_bulk", lines).json.errors)
    assert.matches("50 documents, n", blip:event("script").message)
    assert.matches("live.lua:%d+: and then it breaks", blip:event("script_failed").reason)
    assert.is_true(blip:get("/_blip/detectors/live").json.running)
    assert.equal(1, blip:get("/_blip/detectors/live/results").json.total)
  end)

  it("wait for a source that is not there yet", function()
    write("wait.lua", (SOUND:format("wait", "x"):gsub('"logs"', '"not-yet"'):gsub('"1m"', '"1s"')))
    wait_for(function(l) return has(l, "wait") and has(l, "wait").running end)
    time.sleep_ms(8500) -- more failures in a row than a REST detector may have
    assert.is_true(blip:get("/_blip/detectors/wait").json.running)
  end)

  it("are looked at again on SIGHUP", function()
    blip:signal "HUP"
    assert.is_truthy(blip:event "server_reloaded")
    write("late.lua", SOUND:format("late", "x"))
    wait_for(function(l) return has(l, "late") end)
  end)

  it("answer which of their findings are wanted", function()
    write("third.lua", SOUND:format("third", "x"))
    wait_for(function(l) return has(l, "third") end)
    local answer = blip:get "/_blip/detectors/third/results"
    assert.equal(200, answer.status)
    assert.same({ total = 0, anomalies = {} }, answer.json)
    assert.equal(400, blip:get("/_blip/detectors/third/results?min_grade=7").status)
    assert.equal(400, blip:get("/_blip/detectors/third/results?grade=1").status)
    assert.equal(404, blip:get("/_blip/detectors/nobody/results").status)
  end)
end)

describe("a folder of scripts that is not there", function()
  it("is watched once it is", function()
    local folder = server.folder()
    local blip = server.start { detectors = folder .. "/later" }
    os.execute(("mkdir '%s/later'"):format(folder))
    local file = assert(io.open(folder .. "/later/one.lua", "w"))
    file:write(SOUND:format("one", "x"))
    file:close()
    local seen = false
    for _ = 1, 200 do
      seen = #blip:get("/_blip/detectors").json.detectors == 1
      if seen then break end
      time.sleep_ms(20)
    end
    blip:stop()
    server.remove(folder)
    assert.is_true(seen)
  end)
end)
