--- The folder of detector scripts: read at the start, watched, and read again.
--
--     file ──▶ sound?  yes ─▶ the shelf ─▶ its detectors run
--                      no  ─▶ reported with file and line; what runs goes on
--
-- A detector's model stays when its features do (see @{blip.detector.script}); a file that goes
-- stops its detectors.
-- @module blip.detector.library
local config = require "blip.config"
local fail = require "blip.fail"
local folder = require "runtime.folder"
local log = require "runtime.log"
local registry = require "blip.detector.registry"
local scheduler = require "blip.detector.scheduler"
local script = require "blip.detector.script"
local shelf = require "blip.detector.shelf"
local time = require "runtime.time"
local work = require "runtime.work"

local MODULE = "blip.detector.library"

local library = {}

--- Where the scripts are: the setting `detectors`, or the folder of that name among the data.
function library.folder()
  local settings = config.get()
  return settings.detectors or settings.data .. "/detectors"
end

-- What runs ---------------------------------------------------------------------------------------

local loaded = {} -- this worker's scripts: name -> { text =, script = }

-- The script of an entry in this worker's sandbox; nil for an entry that runs nothing.
local function load(entry)
  if entry.text == "" then return nil end
  local known = loaded[entry.script]
  if known and known.text == entry.text then return known.script end
  local read, err = script.read(entry.text, entry.script)
  if not read then return nil, err end
  loaded[entry.script] = { text = entry.text, script = read }
  return read
end

local function named(read, id)
  for _, d in ipairs(read.detectors) do
    if d.id == id then return d end
  end
end

--- The definition of a script's detector.
-- @return the definition; or nil and `not_found`
function library.find(id)
  local entry = shelf.find(id)
  if not entry then return fail.not_found("no script defines a detector '%s'", id) end
  local read, err = load(entry)
  if not read then return nil, err end
  return named(read, id)
end

--- The definitions of an entry of the shelf.
function library.definitions(entry)
  local read = load(entry)
  return read and read.detectors or {}
end

--- The definitions of all scripts.
function library.list()
  local list = {}
  for _, entry in ipairs(shelf.all()) do
    for _, d in ipairs(library.definitions(entry)) do list[#list + 1] = d end
  end
  return list
end

registry.reader("script", { find = library.find, list = library.list })

-- What changes --------------------------------------------------------------------------------------

local function read_text(path)
  local file, reason = io.open(path, "rb")
  if not file then return fail.not_found("%s", reason) end
  local text = file:read(script.MAX_TEXT + 1) or ""
  file:close()
  return text
end

-- Detectors that another script runs already cannot be defined again.
local function check_names(read, entries)
  for _, d in ipairs(read.detectors) do
    for _, entry in ipairs(entries) do
      for _, name in ipairs(entry.script ~= read.name and entry.detectors or {}) do
        if name == d.id then
          local problem = { file = read.path, line = 1, message =
            ("detector '%s' is defined in %s already"):format(name, entry.script) }
          local _, err = fail.conflict("%s", script.describe(problem))
          err.problems = { problem }
          return nil, err
        end
      end
    end
  end
  return true
end

local function read_script(path, text, entries)
  local read, err = script.read(text, path)
  if not read then return nil, err end
  local ok
  ok, err = check_names(read, entries)
  if not ok then return nil, err end
  return read
end

local function start(d)
  local ok, err = scheduler.adopt(d)
  if not ok then log.error("detector_failed", { detector = d.id, reason = err.reason }) end
end

local function stop(id)
  local ok, err = scheduler.abandon(id)
  if not ok then log.error("detector_failed", { detector = id, reason = err.reason }) end
end

-- The ids of definitions, and those of `before` that are not among them.
local function ids_of(definitions, before)
  local ids, known, gone = {}, {}, {}
  for i, d in ipairs(definitions) do ids[i], known[d.id] = d.id, true end
  for _, id in ipairs(before) do
    if not known[id] then gone[#gone + 1] = id end
  end
  return ids, gone
end

local function accept(entry, read, seen)
  local ids, gone = ids_of(read.detectors, entry.detectors)
  entry.text, entry.detectors, entry.problems, entry.seen = read.text, ids, {}, seen
  entry.changed = time.now_ms()
  local ok, err = shelf.put(entry)
  if not ok then return nil, err end
  for _, id in ipairs(gone) do stop(id) end
  for _, d in ipairs(read.detectors) do start(d) end
  log.info("script_loaded", { script = entry.script, detectors = ids })
  return true
end

-- A script that has not changed runs already, unless the process died between putting it on the
-- shelf and starting its detectors: those have no job yet. A stopped one has a job that says so.
local function keep(entry)
  for _, d in ipairs(library.definitions(entry)) do
    if not scheduler.job(d.id) then start(d) end
  end
  return true
end

-- What runs stays; what is wrong is logged and shown in the list.
local function refuse(entry, err, seen)
  entry.problems, entry.seen = err.problems or { { line = 1, message = err.reason } }, seen
  for _, problem in ipairs(entry.problems) do
    log.error("script_refused", {
      script = entry.script, line = problem.line, reason = problem.message,
      running = #entry.detectors > 0,
    })
  end
  return shelf.put(entry)
end

local function take(path, name, entries)
  local text, err = read_text(path)
  if not text then return nil, err end
  local entry = { script = name, text = "", detectors = {}, problems = {}, seen = "" }
  for _, other in ipairs(entries) do
    if other.script == name then entry = other end
  end
  local seen = script.hash(text)
  if entry.seen == seen then return keep(entry) end
  local read
  read, err = read_script(path, text, entries)
  if not read then return refuse(entry, err, seen) end
  return accept(entry, read, seen)
end

local function drop(entry)
  for _, id in ipairs(entry.detectors) do stop(id) end
  log.info("script_removed", { script = entry.script, detectors = entry.detectors })
  return shelf.remove(entry.script)
end

local function report(what, err)
  log.error("script_failed", { script = what, reason = err.reason })
end

--- Compares the folder with what runs; a background job.
-- A folder that is not there changes nothing: it may come back.
function library.scan()
  local where, present = library.folder(), {}
  local names, err = folder.list(where, ".lua")
  if not names then
    if err.kind ~= "not_found" then report(where, err) end
    return true
  end
  for _, name in ipairs(names) do
    present[name] = true
    local ok, problem = take(where .. "/" .. name, name, shelf.all())
    if not ok then report(name, problem) end
  end
  for _, entry in ipairs(shelf.all()) do
    if not present[entry.script] then
      local ok, problem = drop(entry)
      if not ok then report(entry.script, problem) end
    end
  end
  return true
end

--- Reads the folder now and whenever something in it changes.
function library.start()
  assert(folder.watch(library.folder(), MODULE, "scan"))
end

--- Reads the folder again; never while another look at it is under way.
function library.reload()
  assert(work.submit { module = MODULE, func = "scan", key = MODULE .. ".scan" })
end

return library
