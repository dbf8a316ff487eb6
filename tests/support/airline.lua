--- An index of flights and datafeeds over it, for specs of the Elastic dialect.
-- @module support.airline
local airline = { INDEX = "airline-data" }

local MAPPING = { properties = {
  time = { type = "date" }, airline = { type = "keyword" }, responsetime = { type = "float" },
  event_rate = { type = "integer" },
} }

--- The four documents of the peer's preview tests.
airline.FOUR = {
  { airline = "foo", responsetime = 1.0, event_rate = 5, time = "2017-02-18T00:00:00Z" },
  { airline = "foo", responsetime = 1.0, event_rate = 5, time = "2017-02-18T00:30:00Z" },
  { airline = "bar", responsetime = 42.0, event_rate = 8, time = "2017-02-18T01:00:00Z" },
  { airline = "foo", responsetime = 42.0, event_rate = 7, time = "2017-02-18T01:01:00Z" },
}

--- Makes an index of documents.
function airline.index(blip, name, documents)
  assert(blip:put("/" .. name, { mappings = MAPPING }).status == 200)
  airline.add(blip, name, documents)
end

--- Adds documents.
function airline.add(blip, name, documents)
  local lines = {}
  for _, document in ipairs(documents) do
    lines[#lines + 1] = { index = { _index = name } }
    lines[#lines + 1] = document
  end
  if #lines > 0 then assert(not blip:bulk("/_bulk", lines).json.errors) end
end

--- Two flights an hour, for some hours from a moment on; one hour has many.
function airline.hours(from_ms, count, odd)
  local list = {}
  for hour = 0, count - 1 do
    for i = 1, hour == odd and 40 or 2 do
      list[#list + 1] = {
        airline = i % 2 == 0 and "foo" or "bar", responsetime = 100 + hour % 5 + i, event_rate = 1,
        time = from_ms + hour * 3600000 + i * 60000,
      }
    end
  end
  return list
end

return airline
