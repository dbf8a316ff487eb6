--- Numbers as text by a pattern such as `#,##0.00` or `Value is ##0.0`.
--
--     prefix  #,##0.00  suffix     0 is a digit that is always there, # one that need not be
--
-- @module blip.query.number_format
local number_format = {}

--- The parts of a pattern: text before and after, digits that must and may be there.
local function parse(pattern)
  local prefix, digits, suffix = pattern:match "^([^#0,.]*)([#0,.]+)(.*)$"
  if not digits then return { prefix = pattern, suffix = "", whole = 1, least = 0, most = 0 } end
  local whole, fraction = digits:match "^([^.]*)%.?(.*)$"
  return {
    prefix = prefix, suffix = suffix,
    grouped = whole:find(",", 1, true) ~= nil,
    whole = select(2, whole:gsub("0", "")),
    least = select(2, fraction:gsub("0", "")), most = #fraction,
  }
end

local parsed = {}

local function group(digits)
  local out = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (out:gsub("^,", ""))
end

--- Writes a number.
-- @tparam number n
-- @tparam string pattern
function number_format.write(n, pattern)
  local p = parsed[pattern] or parse(pattern)
  parsed[pattern] = p
  local whole, fraction = ("%." .. p.most .. "f"):format(math.abs(n)):match "^(%d+)%.?(%d*)$"
  while #fraction > p.least and fraction:sub(-1) == "0" do fraction = fraction:sub(1, -2) end
  if whole == "0" and p.whole == 0 and fraction ~= "" then whole = "" end
  if #whole < p.whole then whole = ("0"):rep(p.whole - #whole) .. whole end
  if p.grouped then whole = group(whole) end
  local sign = n < 0 and "-" or ""
  return p.prefix .. sign .. whole .. (fraction ~= "" and "." .. fraction or "") .. p.suffix
end

return number_format
