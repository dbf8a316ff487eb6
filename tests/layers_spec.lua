-- Reads every #include and every require and checks that the arrows between layers go down.

--- What each folder of runtime/ may include, besides itself and base/.
local RUNTIME = {
  base = {},
  frame = {},
  model = { "frame" },
  job = { "model", "frame" },
  store = { "frame" },
  work = {},
  net = { "work" },
  bind = { "frame", "model", "job", "store", "work", "net" },
  ["main.c"] = { "bind", "net", "work" },
}

--- Headers that one folder alone may include, so that a library can be replaced in one place.
local OWNERS = {
  ["lua.h"] = "bind", ["lauxlib.h"] = "bind", ["lualib.h"] = "bind",
  ["duckdb.h"] = "store",
  ["microhttpd.h"] = "net", ["gnutls/gnutls.h"] = "net",
  ["sodium.h"] = "base",
}

--- What each folder of lua/blip may require, besides itself. The modules beside the folders
-- (fail, shape, config) and runtime.* are everyone's.
local LUA = {
  security = {},
  query = { "index", "security" },
  index = { "query", "security" },
  source = { "query", "index", "security" },
  result = { "source", "query", "index", "security" },
  detector = { "job", "result", "source", "query", "index", "security" },
  job = { "result", "source", "query", "index", "security" },
  alert = { "result", "source", "query", "index", "security" },
  api = { "detector", "job", "alert", "result", "source", "query", "index", "security" },
  cli = { "api", "detector", "job", "result", "source", "query", "index", "security" },
}

local function files(pattern)
  local pipe = assert(io.popen("git ls-files " .. pattern))
  local list = {}
  for name in pipe:lines() do list[#list + 1] = name end
  pipe:close()
  assert(#list > 0, "no files match " .. pattern)
  return list
end

local function set(list)
  local members = {}
  for _, item in ipairs(list or {}) do members[item] = true end
  return members
end

--- Calls `visit(name, folder, target)` for every match of a pattern in the files' lines.
local function each_match(names, root, pattern, visit)
  for _, name in ipairs(names) do
    local folder = name:match("^" .. root .. "([^/]+)")
    for line in io.lines(name) do
      local target = line:match(pattern)
      if target then visit(name, folder, target) end
    end
  end
end

describe("layers", function()
  local sources = "'runtime/*.c' 'runtime/*.h' 'runtime/*.cc'"

  it("let the folders of runtime/ include only what lies below them", function()
    local wrong = {}
    each_match(files(sources), "runtime/", '^%s*#%s*include%s+"([^/"]+)/', function(name, folder, target)
      local allowed = set(assert(RUNTIME[folder], "unknown folder " .. folder))
      if target ~= folder and target ~= "base" and not allowed[target] then
        wrong[#wrong + 1] = name .. " includes " .. target
      end
    end)
    assert.same({}, wrong)
  end)

  it("keep each library's header in the one folder that wraps it", function()
    local wrong = {}
    local included = '^%s*#%s*include%s+[<"]([^>"]+)[>"]'
    each_match(files(sources), "runtime/", included, function(name, folder, header)
      if OWNERS[header] and folder ~= OWNERS[header] then
        wrong[#wrong + 1] = name .. " includes " .. header
      end
    end)
    assert.same({}, wrong)
  end)

  it("let the folders of lua/blip require only what lies below them", function()
    local wrong = {}
    local nested = {}
    for _, name in ipairs(files("'lua/blip/*.lua'")) do
      if name:match("^lua/blip/[^/]+/") then nested[#nested + 1] = name end
    end
    local required = 'require%s*%(?%s*"blip%.([%w_]+)%.'
    each_match(nested, "lua/blip/", required, function(name, folder, target)
      local allowed = set(assert(LUA[folder], "unknown folder " .. folder))
      if target ~= folder and not allowed[target] then
        wrong[#wrong + 1] = name .. " requires blip." .. target
      end
    end)
    assert.same({}, wrong)
  end)
end)
