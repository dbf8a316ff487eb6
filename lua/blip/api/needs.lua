--- What a route needs of its caller: every entry of a route table is made here.
-- An action is a name such as "indices:data/read/search"; `blip.security.privileges` says which
-- privileges grant it. One that begins with "cluster:" is allowed or not as a whole. One that
-- begins with "indices:" is allowed on some indices: the router refuses a caller who may it on
-- none, or not on an index that the path spells out, and `blip.index.names` leaves out of
-- everything else what the caller may not touch.
--     routes["GET /_cluster/health"] = needs("cluster:monitor/health", function(request) ... end)
-- @module blip.api.needs

--- Makes the entry of a route.
-- @tparam string action
-- @tparam function handler `handler(request)` -> a reply, or nil and an error
-- @tparam[opt] table options `read`: an index, with a `{parameter}` of the path in its name, that the
-- caller must be allowed to search as well
-- @treturn table entry for the router
local function needs(action, handler, options)
  if type(action) ~= "string" or not (action:find "^cluster:" or action:find "^indices:") then
    error(("'%s' is the name of no action"):format(tostring(action)), 2)
  end
  return { action = action, handler = handler, read = options and options.read }
end

return needs
