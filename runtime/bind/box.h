/* bind/box.h - what every binding needs to answer Lua. */
#ifndef BLIP_BIND_BOX_H
#define BLIP_BIND_BOX_H

#include "base/error.h"
#include <lua.h>

/* Pushes nil and { kind =, reason = } for an error; returns 2, the number of results. */
int bind_fail(lua_State *L, const struct error *err);

#endif
