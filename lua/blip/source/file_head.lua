--- What a data file is, from its first bytes: CSV or JSON, how its fields are separated,
-- whether the first line names them.
-- @module blip.source.file_head
local fail = require "blip.fail"

local head = {}

local BYTES = 256 * 1024 -- looked at
local RECORDS = 50
local DELIMITERS = { ",", ";", "\t", "|" }
local GZIP, ZSTD, PARQUET = "\31\139", "\40\181\47\253", "PAR1"

--- Splits CSV text into records of fields; the last, perhaps cut, record is left out unless
-- the text is the whole file.
local function records(csv, delimiter, whole)
  local list, fields, at = {}, {}, 1
  local plain = "^[^" .. (delimiter == "|" and "%|" or delimiter) .. "\r\n]*"
  while at <= #csv and #list < RECORDS do
    local field, after
    if csv:sub(at, at) == '"' then
      local stop = at
      repeat stop = csv:find('"', stop + 1, true) or #csv + 1
        local doubled = csv:sub(stop + 1, stop + 1) == '"'
        if doubled then stop = stop + 1 end
      until not doubled
      field, after = csv:sub(at + 1, stop - 1):gsub('""', '"'), stop + 1
    else
      field = csv:match(plain, at)
      after = at + #field
    end
    fields[#fields + 1] = field
    local newline = csv:match("^\r?\n", after) or csv:match("^\r", after)
    at = after + (newline and #newline or 1)
    if newline or (at > #csv and whole) then
      if #fields > 1 or fields[1] ~= "" then list[#list + 1] = fields end
      fields = {}
    end
  end
  return list
end

--- How many records have the commonest number of fields, and that number.
local function agreement(list)
  local counts, best = {}, nil
  for _, fields in ipairs(list) do counts[#fields] = (counts[#fields] or 0) + 1 end
  for width, count in pairs(counts) do
    if width > 1 and (not best or count > counts[best] or (count == counts[best] and width > best)) then
      best = width
    end
  end
  return best and counts[best] or 0, best or 1
end

local function choose_delimiter(csv, whole)
  local best, best_count, best_width = ",", 0, 1
  for _, delimiter in ipairs(DELIMITERS) do
    local count, width = agreement(records(csv, delimiter, whole))
    if count > best_count or (count == best_count and width > best_width) then
      best, best_count, best_width = delimiter, count, width
    end
  end
  return best
end

local function looks_like_data(field)
  return field == "" or tonumber(field) ~= nil or field:find "^%s*[%d.+-][%d%s:.,/TZ+-]*$" ~= nil
end

local function has_header(first)
  for _, field in ipairs(first) do
    if looks_like_data(field) and field ~= "" then return false end
  end
  return table.concat(first) ~= ""
end

local function names_of(first, header)
  local names, seen = {}, {}
  for i, field in ipairs(first) do
    local name = header and field:match "^%s*(.-)%s*$" or ""
    if name == "" then name = "column " .. i end
    while seen[name] do name = name .. "_" .. i end
    seen[name] = true
    names[i] = name
  end
  return names
end

local function look_at_csv(bytes, whole)
  local delimiter = choose_delimiter(bytes, whole)
  local list = records(bytes, delimiter, whole)
  if #list == 0 then return fail.invalid "has a first line that is too long" end
  local header = has_header(list[1])
  if header and #list == 1 then return fail.invalid "has no rows, only the names of columns" end
  return { format = "csv", delimiter = delimiter, header = header, names = names_of(list[1], header) }
end

--- Why bytes are no text, or nil.
local function binary(bytes)
  if bytes:sub(1, 2) == GZIP or bytes:sub(1, 4) == ZSTD then
    return "is compressed; try zcat FILE | blip scan -"
  elseif bytes:sub(1, 4) == PARQUET then
    return "is a Parquet file; CSV or NDJSON is needed"
  elseif bytes:sub(1, 2) == "\255\254" or bytes:sub(1, 2) == "\254\255" then
    return "is UTF-16 text; try iconv -f UTF-16 -t UTF-8 FILE | blip scan -"
  elseif bytes:find("\0", 1, true) then
    return "is a binary file; CSV or NDJSON is needed"
  end
end

--- A text's end may cut a character in two.
local function is_utf8(bytes)
  for cut = 0, 3 do
    if utf8.len(bytes:sub(1, #bytes - cut)) then return true end
  end
  return false
end

--- What a text is.
-- @tparam string bytes the first of the file
-- @tparam boolean whole whether they are all there is
-- @return `{ format = "csv", delimiter =, header =, names =, encoding = }` or
--   `{ format = "json" }`, or nil and an `invalid` error whose reason continues "FILE ..."
function head.look(bytes, whole)
  if bytes:sub(1, 3) == "\239\187\191" then bytes = bytes:sub(4) end
  local reason = binary(bytes)
  if reason then return fail.invalid("%s", reason) end
  local first = bytes:match "%S"
  if not first then return fail.invalid "is empty" end
  if first == "{" or bytes:find "^%s*%[%s*{" then return { format = "json" } end
  local found, err = look_at_csv(bytes, whole)
  if not found then return nil, err end
  found.encoding = is_utf8(bytes) and "utf-8" or "latin-1"
  return found
end

--- What the file at a path is.
function head.read(path)
  local file, reason = io.open(path, "rb")
  if not file then
    return fail.not_found("%s", (reason:gsub("^" .. path:gsub("%W", "%%%0") .. ": ", "cannot be read: ")))
  end
  local bytes, why = file:read(BYTES)
  file:close()
  if why then return fail.invalid("cannot be read: %s", why) end
  return head.look(bytes or "", #(bytes or "") < BYTES)
end

return head
