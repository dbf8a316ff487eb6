/* bind/bind_json.h - JSON for other bindings. */
#ifndef BLIP_BIND_BIND_JSON_H
#define BLIP_BIND_BIND_JSON_H

#include "base/bytes.h"
#include "base/error.h"
#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JSON_DEPTH 1000  // levels of brackets, reading and writing

/* Appends the value at an index as JSON; raises when it has no JSON form (a function, a loop).
 * indent: spaces per level, 0 for one line. */
void bind_json_append(lua_State *L, int at, int indent, struct bytes *out);

/* Reads text into a value on the stack: json.decode() for C. Returns how many values it pushed:
 * 1, or 2 when the text is wrong (nil, error). */
int bind_json_push(lua_State *L, const char *text, size_t size);

/* Pushes the metatable that marks arrays; sets it on the table at the top. */
void bind_json_mark_array(lua_State *L);

/* json.decode(), in bind_json.cc */
int bind_json_decode(lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
