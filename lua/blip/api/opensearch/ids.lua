--- Ids as the plugin makes them: 20 characters of URL-safe base64.
-- @module blip.api.opensearch.ids
local LENGTH = 20
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local ids = {}

--- A new id. Lua seeds its generator at random, once for each worker's state.
function ids.new()
  local characters = {}
  for i = 1, LENGTH do
    local at = math.random(#ALPHABET)
    characters[i] = ALPHABET:sub(at, at)
  end
  return table.concat(characters)
end

return ids
