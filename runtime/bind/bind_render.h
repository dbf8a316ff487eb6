/* bind/bind_render.h - how the binding of frames takes templates. */
#ifndef BLIP_BIND_BIND_RENDER_H
#define BLIP_BIND_BIND_RENDER_H

#include "frame/render.h"
#include <lua.h>

/* The template at an argument; raises when it is something else. */
const struct template *bind_render_check(lua_State *L, int at);

#endif
