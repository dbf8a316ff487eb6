local script = require "runtime.script"

-- A prelude that offers all of the library, and hands out what the script returns.
local PRELUDE = [[
  local here = (...).here
  local functions = {}
  local environment = {
    assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
    select = select, tonumber = tonumber, tostring = tostring, type = type, here = here,
    math = math, os = os, string = string, table = table, utf8 = utf8, functions = functions,
  }
  return { environment = environment, functions = functions, finish = function(...) return ... end }
]]

local LIMITS = { memory_bytes = 8 << 20, steps = 2000000, cpu_ms = 2000 }

local function run(text, limits)
  local sandbox <close> = assert(script.sandbox({ { "prelude.lua", PRELUDE } }, limits or LIMITS))
  return sandbox:run(text, "trial.lua")
end

local function seconds(f)
  local from = os.clock()
  f()
  return os.clock() - from
end

-- Runs a hostile text: it must end soon, as too_large, whatever it catches.
local function assert_stopped(text)
  local result, err
  local spent = seconds(function() result, err = run(text) end)
  assert.is_nil(result, text)
  assert.equal("too_large", err.kind, text .. "\n" .. err.reason)
  assert.is_true(spent < 3, ("%s took %.1f s"):format(text, spent))
  return err
end

describe("sandbox", function()
  it("runs a script and hands out plain data", function()
    local data = assert(run 'return { a = 1, b = 2.5, c = { "x", true }, d = false }')
    assert.same({ a = 1, b = 2.5, c = { "x", true }, d = false }, data)
    assert.equal("integer", math.type(data.a))
  end)

  it("names script and line in the errors of a script", function()
    local _, err = run "local x\n\nlocal y = x.y"
    assert.equal("invalid", err.kind)
    assert.matches("^trial.lua:3: attempt to index a nil value", err.reason)
    _, err = run "local x = = 1"
    assert.matches("^trial.lua:1: unexpected symbol near '='", err.reason)
    _, err = run 'error({ code = 1 })'
    assert.matches("raised a table instead of a message", err.reason)
    _, err = run 'error()'
    assert.matches("raised a nil instead of a message", err.reason)
  end)

  it("tells the prelude the script's line", function()
    assert.equal(3, run "\n\nreturn here()")
  end)

  it("takes text only, never bytecode", function()
    local _, err = run(string.dump(function() return 1 end))
    assert.matches("attempt to load a binary chunk", err.reason)
  end)

  it("has none of the words that reach outside", function()
    for _, word in ipairs {
      "load", "loadstring", "loadfile", "dofile", "require", "package", "io", "debug", "coroutine",
      "collectgarbage", "setmetatable", "getmetatable", "rawset", "rawget", "rawequal", "rawlen",
      "xpcall", "print", "warn", "_G", "string.dump", "string.pack", "string.unpack", "os.execute",
      "os.exit", "os.getenv", "os.remove", "os.rename", "os.setlocale", "os.tmpname",
      "math.random", "math.randomseed",
    } do
      assert.equal("nil", assert(run("return type(" .. word .. ")")), word)
    end
  end)

  it("keeps the library out of reach behind a string's methods too", function()
    assert.equal("nil", run 'return type((""):len() and ("").dump)')
    local _, err = run '("").rep = function() end'
    assert.matches("attempt to index a string value", err.reason)
  end)

  it("lets only plain data out", function()
    for _, text in ipairs {
      "return function() end", "return { f = function() end }", "return { [function() end] = 1 }",
      "return string.gmatch('', '')", "local t = {} t.t = t return t",
    } do
      local _, err = run(text)
      assert.equal("invalid", err.kind, text)
    end
  end)

  it("gives away no address", function()
    assert.equal("table function", run "return tostring({}) .. ' ' .. tostring(print or type)")
    assert.equal("table", run "return ('%s'):format({})")
    assert.matches("invalid conversion", select(2, run "return ('%p'):format({})").reason)
    assert.matches("invalid conversion", select(2, run "return ('%-20p'):format('x')").reason)
  end)
end)

describe("sandbox budget", function()
  it("ends endless loops, inside pcall too", function()
    local err = assert_stopped "local i = 0\nwhile true do i = i + 1 end"
    assert.matches("^trial.lua:2: used up its budget", err.reason)
    assert_stopped "while true do pcall(function() while true do end end) end"
    assert_stopped "local function f() pcall(f) return f() end f()"
    assert_stopped "repeat pcall(error) until false"
    assert_stopped "::again:: goto again"
    assert_stopped "for i = 1, math.maxinteger do end"
    assert_stopped "while true do pcall(pcall, pcall, error) end"
  end)

  it("has nothing that runs code while an error passes", function()
    local _, err = run "local t <close> = {}"
    assert.matches("non%-closable value", err.reason)
  end)

  it("ends a pattern that would match for hours", function()
    local err = assert_stopped "return (('a'):rep(30)):match(('a?'):rep(30) .. ('a'):rep(30) .. 'b')"
    assert.matches("^trial.lua:1: ", err.reason)
    for _, call in ipairs {
      "s:find(p)", "s:match(p)", "s:gsub(p, '')", "s:gmatch(p)()", "pcall(string.find, s, p)",
    } do
      assert_stopped("local s, p = ('a'):rep(50000), '.-.-.-.-.-b' " .. "local x = " .. call)
    end
    assert_stopped "return ('x'):rep(100000):find(('x*'):rep(100) .. 'y')"
    assert_stopped "return ('('):rep(300000):gsub('%b()', '')"
    assert_stopped "return ('ab'):rep(30000):find('(.*)%1%1%1c')"
    assert_stopped "return ('a'):rep(300000):find('[' .. ('b'):rep(100000) .. ']')"
  end)

  it("ends C functions that loop over nothing", function()
    assert_stopped "return table.move({}, 1, math.maxinteger - 1, 2)"
    assert_stopped "return table.move({}, math.mininteger, -1, 1)"
    local long = "local t = {} for i = 0, 61 do t[1 << i] = 1 end "
    assert_stopped(long .. "while true do table.insert(t, 1, 1) end")
    assert_stopped(long .. "table.remove(t, 1) while true do end")
    local full = "local t = {} for i = 1, 50000 do t[i] = i end "
    assert_stopped(full .. "while true do table.insert(t, 1, 0) table.remove(t, 1) end")
    assert_stopped "while true do local s = ('x'):rep(1000000) end"
    assert_stopped "while true do table.concat({ ('x'):rep(1000000), 'y' }) end"
    assert_stopped "local s = ('x'):rep(1000000) while true do s:upper() end"
    assert_stopped "local s = ('x'):rep(1000000) while true do utf8.len(s) end"
    local twins = "local x = ('x'):rep(2000000) local s, t = x .. 'a', x .. 'b' "
    assert_stopped(twins .. "while true do local b = s .. 'a' == t .. 'a' end")
    assert_stopped(twins .. "while true do local b = s < t end")
    assert_stopped "while true do pcall(table.unpack, {}, 1, 100000) end"
    assert.equal("", run "return (''):rep(math.maxinteger)")
    assert.equal("", run "return (''):rep(math.maxinteger, '')")
  end)

  it("ends a sort whose order contradicts itself", function()
    local fill = "local t = {} for i = 1, 100000 do t[i] = i % 7 end "
    assert_stopped(fill .. "while true do pcall(table.sort, t, function() return true end) end")
    assert_stopped(fill .. "while true do pcall(table.sort, t, math.max) end")
    assert_stopped(fill .. "for i = 1, 100000 do t[i] = 0/0 end while true do pcall(table.sort, t) end")
    local _, err = run(fill .. "table.sort(t, function(a, b) error('mine') end)")
    assert.matches("mine", err.reason)
  end)

  it("ends what only the clock can see", function()
    local err = select(2, run("while true do end",
      { memory_bytes = 8 << 20, steps = math.maxinteger, cpu_ms = 100 }))
    assert.matches("used up its budget of 100 ms", err.reason)
  end)

  it("leaves the sandbox usable", function()
    local sandbox <close> = assert(script.sandbox({ { "prelude.lua", PRELUDE } }, LIMITS))
    for _ = 1, 3 do
      local _, err = sandbox:run("while true do end", "trial.lua")
      assert.equal("too_large", err.kind)
      assert.equal(7, sandbox:run("return 7", "trial.lua"))
    end
  end)
end)

describe("sandbox memory", function()
  it("is capped, and a script cannot hide from it", function()
    for _, text in ipairs {
      "local t = {} while true do t[#t + 1] = {} end",
      "return ('x'):rep(1 << 30)", "return ('x'):rep(math.maxinteger // 2)",
      "local s = 'x' while true do s = s .. s end",
      "local t = {} for i = 1, 1e7 do t[i] = i end",
      "while true do pcall(string.rep, 'x', 1 << 30) end",
      "local t = { ('x'):rep(100000) } for i = 2, 1000 do t[i] = t[1] end return table.concat(t)",
      "return ('x'):rep(100000):gsub('x', ('y'):rep(1000))",
      "local function f(...) return f(1, ...) end f()",
      "local t = {} for i = 1, 40 do t = { t, t } end return t",
    } do
      local result, err
      assert.is_true(seconds(function() result, err = run(text) end) < 3, text)
      assert.is_nil(result, text)
      assert.is_true(err.kind == "too_large" or err.kind == "invalid", text .. err.kind)
    end
  end)

  it("gives errors for endless recursion", function()
    for _, text in ipairs {
      "local function f() return 1 + f() end f()",
      "local function f() return (pcall(f)) end while true do f() end",
      "local function f(s) return s:gsub('x', f) end f('x')",
      "local function f() table.sort({ 1, 2, 3 }, f) end f()",
      ("return " .. ("("):rep(5000) .. "1" .. (")"):rep(5000)),
      ("return " .. ("{"):rep(5000) .. ("}"):rep(5000)),
      ("return " .. ("-"):rep(1) .. (" not "):rep(5000) .. "1"),
      ("x = " .. ("'a' .. "):rep(50000) .. "'a'"),
      ("do "):rep(5000) .. (" end"):rep(5000),
      ("if x then "):rep(5000),
    } do
      local result, err = run(text)
      assert.is_nil(result)
      assert.is_table(err, text:sub(1, 60))
    end
  end)

  it("may run out anywhere in the library without harm", function()
    local busy = [[
      local t = {}
      for i = 1, 3000 do
        t[i] = ("%d-%s"):format(i, ("x"):rep(i % 40)):gsub("%d", { ["1"] = "one" }):upper()
      end
      table.sort(t)
      for word in table.concat(t, " "):gmatch("%a+") do t[#t + 1] = { word, utf8.len(word) } end
      return { pcall(function() return table.unpack(t, 1, 100) end) }
    ]]
    for bytes = 1 << 20, 3 << 20, 65521 do
      local limits = { memory_bytes = bytes, steps = 10000000, cpu_ms = 5000 }
      local result, err = run(busy, limits)
      assert.is_true(result ~= nil or err.kind == "too_large", err and err.reason)
    end
  end)

  it("refuses more data than it could hold itself", function()
    local _, err = run [[
      local s, t = ("x"):rep(1000000), {}
      for i = 1, 10000 do t[i] = s end
      return t
    ]]
    assert.equal("too_large", err.kind)
  end)
end)

describe("sandbox calls", function()
  local sandbox
  before_each(function() sandbox = assert(script.sandbox({ { "prelude.lua", PRELUDE } }, LIMITS)) end)
  after_each(function() sandbox:close() end)

  it("reach registered functions with copies of plain data", function()
    assert(sandbox:run([[
      function functions.sum(t) t.seen = true return t.a + t.b, t end
      return true
    ]], "trial.lua"))
    local given = { a = 1, b = 2 }
    local sum, back = sandbox:call("sum", given)
    assert.equal(3, sum)
    assert.same({ a = 1, b = 2, seen = true }, back)
    assert.same({ a = 1, b = 2 }, given)
  end)

  it("say which function is missing", function()
    local _, err = sandbox:call("nothing")
    assert.equal("not_found", err.kind)
    assert.matches("nothing", err.reason)
  end)

  it("refuse arguments that are no plain data", function()
    local _, err = sandbox:call("sum", print)
    assert.equal("invalid", err.kind)
  end)

  it("fill a column with one result per row", function()
    local frame = require("runtime.frame").new { { "a" }, { "b" } }
    frame:append { { a = 1, b = 2 }, { a = 3 }, { a = 0, b = 0 } }
    assert(sandbox:run("function functions.ratio(r) return r.b and r.a / r.b end return 1", "trial.lua"))
    assert(sandbox:map("ratio", frame, { a = "a", b = "b" }, "ratio"))
    assert.equal(0.5, frame:get(1, "ratio"))
    assert.is_nil(frame:get(2, "ratio"))
    assert.is_nil(frame:get(3, "ratio")) -- 0 / 0 is no value
  end)

  it("name the function that returned no number", function()
    local frame = require("runtime.frame").new { { "a" } }
    frame:append { { a = 1 } }
    assert(sandbox:run("\nfunction functions.f() return 'x' end return 1", "trial.lua"))
    local _, err = sandbox:map("f", frame, { a = "a" }, "out")
    assert.matches("^trial.lua:2: the function returned a string instead of a number", err.reason)
  end)
end)
