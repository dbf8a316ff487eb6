--- Random identifiers as Elasticsearch shows them: 22 letters, digits, `-` and `_`.
-- @module blip.index.uuid
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

--- A new one.
return function()
  local file <close> = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(22)
  return (bytes:gsub(".", function(c)
    local at = c:byte() % 64 + 1
    return DIGITS:sub(at, at)
  end))
end
