local script = require "runtime.script"

local PRELUDE = [[
  local functions = {}
  for _, name in ipairs { "find", "match", "gsub" } do functions[name] = string[name] end
  function functions.gmatch(s, p, init)
    local all = {}
    for a, b in string.gmatch(s, p, init) do all[#all + 1] = { a, b } end
    return all
  end
  function functions.upper(s, p) return string.gsub(s, p, string.upper) end
  function functions.map(s, p) return string.gsub(s, p, { a = "<a>", b = false, abc = 7 }) end
  function functions.try(name, ...)
    local results = table.pack(pcall(functions[name], ...))
    return results
  end
  return { environment = {}, functions = functions, finish = function() end }
]]

local own = {
  gmatch = function(s, p, init)
    local all = {}
    for a, b in string.gmatch(s, p, init) do all[#all + 1] = { a, b } end
    return all
  end,
  upper = function(s, p) return string.gsub(s, p, string.upper) end,
  map = function(s, p) return string.gsub(s, p, { a = "<a>", b = false, abc = 7 }) end,
}

local texts = {
  "", "a", "abc", "aaab", "hello world from Lua", "  trim me  ", "key = value", "x=1, y=22;z=333",
  "THE (quick) fox [jumps] {over}", "((a)(b(c)))", "2026-01-31T23:59:59.123Z", "a.b.c", "%d%%", "[]]^-",
  "\0null\0byte\0", "\xff\xfe high", "abcabcabc", "aXbXc", "''quoted''", "f(a(b)c)d)e",
}

local patterns = {
  "", ".", "a", "abc", "^", "$", "^$", "^a", "a$", "^abc$", ".*", ".-", ".+", "a?", "a*", "a-",
  "a+", "a-b", "(a)(b)", "(.)%1", "(%a+) = (%a+)", "^%s*(.-)%s*$", "%d+", "%D+", "%w+", "%W", "%s",
  "%S+", "%u%l*", "%l+", "%p", "%c", "%x+", "%g+", "%z", "[abc]", "[^abc]+", "[a-c]+",
  "[%a_][%w_]*", "[]]", "[^]]", "[%]]", "[a-]", "[-a]", "[%-a]+", "[^%s]+", "%b()", "%b[]", "%bxx",
  "%f[%w]%w+", "%f[%z]", "%f[a]", "()", "()a()", "(a*(.)%w(%s*))", "(%w+)=(%w+)", "a$b", "^a^",
  "%.", "%%", "(abc)%1", "((a)(b))", "(%d%d%d%d)-(%d%d)", ".-%-", "[+-]?%d", "\0", "[\0a]",
  -- malformed ones must fail with both
  "(", ")", "(()", "%", "[", "[a", "[^", "[%", "%b", "%bx", "%f", "%fa", "%1", "(%1)", "()%1",
  "(a", "a)", "%0", "[]",
}

describe("pattern", function()
  local sandbox = assert(script.sandbox({ { "prelude.lua", PRELUDE } },
    { memory_bytes = 8 << 20, steps = 10000000, cpu_ms = 5000 }))

  local function compare(name, ...)
    local expected = table.pack(pcall(own[name] or string[name], ...))
    local got = assert(sandbox:call("try", name, ...))
    local what = ("%s(%q, %q, %s)"):format(name, (...), select(2, ...), tostring((select(3, ...))))
    assert.equal(expected[1], got[1], what .. " " .. tostring(got[2]))
    if expected[1] then
      expected.n, got.n = nil, nil
      assert.same(expected, got, what)
    end
  end

  for _, name in ipairs { "find", "match", "gmatch", "upper", "map" } do
    it("means the same as Lua's in " .. name, function()
      for _, text in ipairs(texts) do
        for _, pattern in ipairs(patterns) do compare(name, text, pattern) end
      end
    end)
  end

  it("starts where it is told", function()
    for _, init in ipairs { 1, 2, 3, 0, -1, -3, -100, 100, 4, math.mininteger, math.maxinteger } do
      for _, pattern in ipairs { "", "a", "^b", "b", ".-", "()", "[^a]" } do
        compare("find", "abcab", pattern, init)
        compare("match", "abcab", pattern, init)
        compare("gmatch", "abcab", pattern, init)
      end
    end
    compare("find", "a.b.c", ".", 2, true)
    compare("find", "a+b", "+", 1, true)
    compare("find", "abc", "", 10, true)
  end)

  it("replaces as Lua does", function()
    for _, replacement in ipairs { "", "x", "%0%0", "%1", "<%0>", "%%", "%", "%2", "%9", "%a", "a%", 7 } do
      for _, pattern in ipairs { "a", "(a)", "()", "", "(a)(b)", "^a", "%w+" } do
        compare("gsub", "abc abc", pattern, replacement)
        compare("gsub", "abc abc", pattern, replacement, 1)
        compare("gsub", "abc abc", pattern, replacement, -1)
      end
    end
    compare("gsub", "abc", "a", true)
  end)

  it("means the same on random patterns", function()
    local seed = 20260131
    local function random(n)
      seed = (seed * 6364136223846793005 + 1442695040888963407)
      return (seed >> 33) % n + 1
    end
    local pieces = {
      "a", "b", ".", "%a", "[ab]", "[^a]", "*", "+", "-", "?", "(", ")", "^", "$", "%1", "%b", "%f",
    }
    for _ = 1, 3000 do
      local pattern, text = {}, {}
      for i = 1, random(6) do pattern[i] = pieces[random(#pieces)] end
      for i = 1, random(8) do text[i] = ("ab c"):sub(random(4), -1):sub(1, 1) end
      compare("find", table.concat(text), table.concat(pattern))
      compare("gsub", table.concat(text), table.concat(pattern), "<%0>")
    end
  end)
end)
