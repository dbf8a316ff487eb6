--- Long answers page by page: `?scroll=1m`, then `_search/scroll` until a page is empty.
--
-- Nothing is kept between pages: the id that a client hands back says all that the next page
-- needs: the search, how far it came, and the last document that was there when it began. The
-- indices are looked for anew, with the rights of who asks for the page.
-- Documents written later stay out. One that is replaced meanwhile counts as written later.
-- @module blip.query.scroll
local fail = require "blip.fail"
local json = require "runtime.json"
local moment = require "blip.query.moment"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local time = require "runtime.time"

local scroll = {}

local function to_hex(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function from_hex(hex)
  if #hex % 2 ~= 0 or hex:find "%X" then return nil end
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function refuse(text)
  return fail.es { status = 400, type = "action_request_validation_exception",
                   reason = ("Validation Failed: 1: %s;"):format(text) }
end

--- Milliseconds of a keep-alive; nil and the dialect's error when it is none.
function scroll.keep_alive(text)
  local ms = read.duration_ms(text)
  if ms and ms > 0 then return ms end
  return problem.argument("failed to parse setting [scroll] with value [%s] as a time value: unit is missing "
    .. "or unrecognized", read.show(text))
end

--- Begins a scroll.
-- @tparam table indices that are searched
-- @tparam table body of the search
-- @tparam integer keep_ms
-- @tparam table asked how the indices were named: `expression`, by choice `expand_wildcards`
-- @return a place for @{filter} and @{next_id}, or nil and the dialect's error
function scroll.begin(indices, body, keep_ms, asked)
  if body.from ~= nil and body.from ~= 0 then
    return refuse "using [from] is not allowed in a scroll context"
  end
  if body.size == 0 or body.size == "0" then return refuse "[size] cannot be [0] in a scroll context" end
  local ends, err = moment.now(indices)
  if not ends then return nil, err end
  return { ends = ends, body = body, from = 0, keep_ms = keep_ms, asked = asked }
end

--- What an id says; nil when it is none of ours.
local function read_id(id)
  local text = type(id) == "string" and from_hex(id)
  local place = text and json.decode(text)
  if not read.is_object(place) then return nil end
  for _, name in ipairs { "ends", "body", "asked" } do
    if not read.is_object(place[name]) then return nil end
  end
  local expression, expand = place.asked.expression, place.asked.expand_wildcards
  if type(expression) ~= "string" or type(expand or "") ~= "string" then return nil end
  for _, end_of_index in pairs(place.ends) do
    if math.type(end_of_index) ~= "integer" then return nil end
  end
  for _, name in ipairs { "from", "keep_ms", "until_ms" } do
    if math.type(place[name]) ~= "integer" or place[name] < 0 then return nil end
  end
  return place
end

--- Goes on from an id.
function scroll.resume(id, keep_ms)
  local place = read_id(id)
  if not place then return problem.argument "Cannot parse scroll id" end
  if place.until_ms < time.now_ms() then
    return fail.es { status = 404, type = "search_context_missing_exception",
                     reason = "No search context found for id [0]" }
  end
  place.keep_ms = keep_ms or place.keep_ms
  return place
end

--- What belongs to the answer: what was there when the scroll began.
function scroll.filter(place)
  return moment.filter(place.ends)
end

--- The id of the page behind one of `count` hits.
function scroll.next_id(place, count)
  return to_hex(json.encode {
    asked = place.asked, ends = json.object(place.ends), body = json.object(place.body),
    from = place.from + count,
    keep_ms = place.keep_ms, until_ms = time.now_ms() + place.keep_ms,
  })
end

return scroll
