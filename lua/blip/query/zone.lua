--- Time zones: fixed offsets (`+02:00`, `Z`) and names (`Europe/Berlin`), whose rules the
-- database knows.
-- @module blip.query.zone
local date_format = require "blip.query.date_format"
local fail = require "blip.fail"

local zone = {}

--- The fixed offset of a zone in milliseconds; nil when it follows rules.
function zone.fixed_ms(name)
  return name == nil and 0 or date_format.offset_ms(name)
end

local known = {}  -- names that the database has confirmed

--- Checks a zone's name. Returns it, or nil and an `invalid` error.
function zone.check(name)
  if known[name] or zone.fixed_ms(name) then return name end
  local frame = require "runtime.store".connection():query(
    "SELECT count(*) AS known FROM pg_timezone_names() WHERE name = $1", { name })
  if frame and frame:get(1, "known") > 0 then
    known[name] = true
    return name
  end
  return fail.es { status = 400, type = "zone_rules_exception", reason = "Unknown time-zone ID: " .. name }
end

-- Answers of the database by zone and time; a histogram asks for the same ones again and again.
local remembered, remembered_count = {}, 0
local MAX_REMEMBERED = 10000

local function ask(sql, name, ms)
  local key = sql .. name .. ms
  if not remembered[key] then
    local frame = assert(require "runtime.store".connection():query(sql, { name, ms * 1000 }))
    if remembered_count == MAX_REMEMBERED then remembered, remembered_count = {}, 0 end
    remembered[key], remembered_count = frame:get(1, "ms"), remembered_count + 1
  end
  return remembered[key]
end

--- Wall clock of a zone at a UTC time, both in milliseconds.
function zone.to_local(name, ms)
  local offset = zone.fixed_ms(name)
  if offset then return ms + offset end
  return ask("SELECT epoch_ms(timezone($1, timezone('UTC', make_timestamp($2)))) AS ms", name, ms)
end

--- UTC of a zone's wall clock, both in milliseconds.
function zone.to_utc(name, ms)
  local offset = zone.fixed_ms(name)
  if offset then return ms - offset end
  return ask("SELECT epoch_ms(timezone($1, make_timestamp($2))) AS ms", name, ms)
end

return zone
