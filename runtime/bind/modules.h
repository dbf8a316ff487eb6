/* bind/modules.h - makes the runtime modules known to a Lua state. */
#ifndef BLIP_BIND_MODULES_H
#define BLIP_BIND_MODULES_H

#include <lua.h>

/* Puts every module of the table in modules.c into package.preload. */
void modules_preload(lua_State *L);

#endif
