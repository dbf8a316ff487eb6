--- Nested objects: their parts as a list, and the fields of one part.
--
-- A nested object's values lie flat in its document's columns, without saying which belong
-- together. What asks for values of one part reads the document's source instead: slower, and
-- exact.
-- @module blip.query.nested
local fail = require "blip.fail"

local nested = {}

--- A path as JSONPath: `a.b` is `$."a"."b"`.
local function json_path(path)
  local parts = {}
  for part in path:gmatch "[^.]+" do parts[#parts + 1] = '."' .. part:gsub('"', "") .. '"' end
  return "$" .. table.concat(parts)
end

--- How the text of a value is read as its field's type.
local CAST = {
  boolean = "TRY_CAST(%s AS BOOLEAN)",
  date = "coalesce(TRY_CAST(%s AS TIMESTAMP), epoch_ms(TRY_CAST(%s AS BIGINT)))",
}
for _, type in ipairs { "long", "integer", "short", "byte", "unsigned_long" } do
  CAST[type] = "TRY_CAST(%s AS BIGINT)"
end
for _, type in ipairs { "double", "float", "half_float", "scaled_float" } do
  CAST[type] = "TRY_CAST(%s AS DOUBLE)"
end

-- SQL of a value of a field's type from SQL of its text.
local function cast(field, text)
  return ((CAST[field.type] or "%s"):gsub("%%s", function() return text end))
end

--- SQL of the parts of a nested object as a list of JSON; an empty one where there are none.
-- @param bind makes a value a parameter
function nested.objects(path, bind)
  local found = ("json_extract(\"_source\", %s)"):format(bind(json_path(path)))
  return ("CASE json_type(%s) WHEN 'ARRAY' THEN %s::JSON[] WHEN 'OBJECT' THEN [%s] ELSE [] END"):format(
    found, found, found)
end

--- A field of one part.
-- @param field what the mapping says of it
-- @tparam string path of the nested object
-- @tparam string name of the field, which begins with the path
-- @tparam string object SQL of the part
function nested.field(field, path, name, object, bind)
  local place = bind(json_path(name:sub(#path + 2)))
  local value = ("json_extract(%s, %s)"):format(object, place)
  return {
    type = field.type, format = field.format,
    column = cast(field, ("json_extract_string(%s, %s)"):format(object, place)),
    list = ("list_transform(CASE json_type(%s) WHEN 'ARRAY' THEN %s::JSON[] ELSE [] END, lambda e: %s)")
      :format(value, value, cast(field, "json_extract_string(e, '$')")),
  }
end

--- Checks that an index has a nested object. Returns true, or nil and an error.
function nested.check(mapping, path)
  local object = mapping.objects and mapping.objects[path]
  if object and object.type == "nested" then return true end
  return fail.es { status = 400, type = "illegal_state_exception",
                   reason = ("[nested] failed to find nested object under path [%s]"):format(path) }
end

return nested
