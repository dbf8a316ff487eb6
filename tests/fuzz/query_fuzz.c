/* query_fuzz.c - search bodies of any bytes: read as JSON, checked, compiled to SQL.
 * Whatever comes in, the answer is a request or an error with a kind; anything that Lua raises
 * without a kind is a finding, as is what the sanitizers see in the JSON reader. */
#include "lua_target.h"

// Reads a body over an index with a field of every type; raises for a bug.
static const char script[] =
    "local json = require 'runtime.json'\n"
    "local request = require 'blip.query.request'\n"
    "local aggregation = require 'blip.query.aggregation'\n"
    "local rows = require 'blip.query.rows'\n"
    "local none = { query = function() return nil, { kind = 'failed', reason = 'none' } end }\n"
    "require 'runtime.store'.connection = function() return none end\n"
    "local fields = {}\n"
    "for _, type in ipairs { 'long', 'double', 'float', 'boolean', 'date', 'keyword', 'text', "
    "'ip' } do\n"
    "  fields[type] = { type = type, column = '\"' .. type .. '\"', list = '\"' .. type .. "
    "'[]\"' }\n"
    "end\n"
    "local indices = { { name = 'i', mapping = { table = '\"i\"', fields = fields } } }\n"
    "local function read(text)\n"
    "  local body, err = json.decode(text, { max_depth = 200 })\n"
    "  if err then return nil, err end\n"
    "  local wanted\n"
    "  wanted, err = request.read(body)\n"
    "  if not wanted then return nil, err end\n"
    "  local _\n"
    "  _, err = rows.new(indices, wanted.filter):sql()\n"
    "  if err then return nil, err end\n"
    "  return aggregation.check(indices, wanted.filter, wanted.aggregations)\n"
    "end\n"
    "return function(text)\n"
    "  local ran, ok, err = pcall(read, text)\n"
    "  if not ran then ok, err = nil, ok end\n"
    "  if not ok and not (type(err) == 'table' and err.kind and err.reason) then\n"
    "    error('no kind: ' .. tostring(err))\n"
    "  end\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return lua_target(script, data, size);
}
