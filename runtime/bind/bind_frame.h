/* bind/bind_frame.h - how other bindings hand frames to Lua and take them from it. */
#ifndef BLIP_BIND_BIND_FRAME_H
#define BLIP_BIND_BIND_FRAME_H

#include "frame/frame.h"
#include <lua.h>

/* Pushes an empty box; what is stored in it belongs to Lua and is freed with it:
 *     struct frame **box = bind_frame_box(L);
 *     if (store_query(..., box, &err) != STATUS_OK) return bind_fail(L, &err);
 *     return 1; */
struct frame **bind_frame_box(lua_State *L);

/* The frame at an argument; raises when it is something else or was closed. */
struct frame *bind_frame_check(lua_State *L, int at);

/* The position of the column whose name is the string at an argument; raises when there is
 * none of that name. */
size_t bind_frame_check_column(lua_State *L, const struct frame *f, int at);

int luaopen_runtime_frame(lua_State *L);

#endif
