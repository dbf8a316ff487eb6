--- The scripts that run, kept as documents: every worker, and the next start, runs the same text.
-- A file that breaks leaves the text here alone; what is wrong with it stands beside the text.
--
--     { script = "http_errors.lua", text = "...", detectors = { "http_errors" },   -- runs
--       seen = "9c0f..", problems = { { line = 3, message = "..." } } }            -- the file
-- @module blip.detector.shelf
local catalog = require "blip.index.catalog"
local documents = require "blip.index.documents"
local json = require "runtime.json"
local mapping = require "blip.index.mapping"
local store = require "runtime.store"

local INDEX = ".blip-scripts"

local KEYWORD, UNREAD = { type = "keyword" }, { type = "object", enabled = false }
local MAPPING = {
  dynamic = "false",
  properties = {
    script = KEYWORD, detectors = KEYWORD, text = { type = "text" }, seen = KEYWORD,
    problems = UNREAD, changed = { type = "date" },
  },
}

local shelf = {}

local function ensure()
  if catalog.find(INDEX) then return true end
  local ok, err = catalog.create(INDEX, { mapping = MAPPING, settings = { ["index.hidden"] = "true" } })
  if ok or err.type == "resource_already_exists_exception" then return true end
  return nil, err
end

--- All entries, by the name of the script.
-- @treturn {table,...}
function shelf.all()
  local m, list = mapping.get(INDEX), {}
  if not m then return list end
  local frame = assert(store.connection():query("SELECT _source FROM main." .. m.table .. " ORDER BY _id"))
  for row = 1, #frame do list[row] = assert(json.decode(frame:get(row, "_source"))) end
  return list
end

--- The entry whose running text defines a detector; nil when none does.
-- @tparam string id of the detector
function shelf.find(id)
  for _, entry in ipairs(shelf.all()) do
    for _, name in ipairs(entry.detectors) do
      if name == id then return entry end
    end
  end
  return nil
end

--- Stores an entry.
-- @return true; or nil and an error
function shelf.put(entry)
  local ok, err = ensure()
  if not ok then return nil, err end
  local source = {
    script = entry.script, text = entry.text, seen = entry.seen, changed = entry.changed,
    detectors = json.array(entry.detectors), problems = json.array(entry.problems),
  }
  ok, err = documents.put(INDEX, entry.script, source)
  return ok and true, err
end

--- Takes an entry out.
function shelf.remove(script)
  local ok, err = documents.delete(INDEX, script)
  return ok and true, err
end

return shelf
