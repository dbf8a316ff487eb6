/* bind/box.h - what every binding needs: errors as values, owners that __gc can find. */
#ifndef BLIP_BIND_BOX_H
#define BLIP_BIND_BOX_H

#include "base/bytes.h"
#include "base/error.h"
#include <lauxlib.h>
#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Pushes nil, { kind =, reason = } and returns 2, so that a failure is one line:
 *     return bind_fail(L, &err); */
int bind_fail(lua_State *L, const struct error *err);

/* Creates the metatable of an owner: __name and __index (methods), __gc and __close (release).
 * A class of plain memory has nothing to release: NULL. Does nothing when it exists. */
void box_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction release);

/* Pushes an empty owner of class `name`: a pointer, NULL until the caller fills it. */
void **box_new(lua_State *L, const char *name);

/* Pushes scratch memory of `size` bytes; the collector frees it once it is off the stack. */
void *box_scratch(lua_State *L, size_t size);

/* Pushes a growing buffer that goes when the calling C function returns or raises; it must
 * stay on the stack until then. */
struct bytes *box_bytes(lua_State *L);

/* Pushes the buffer's contents as a Lua string; raises when the buffer has failed. */
void box_push_bytes(lua_State *L, const struct bytes *b);

#ifdef __cplusplus
}
#endif

#endif
