/* bind/bind_model.h - require "runtime.model". */
#ifndef BLIP_BIND_BIND_MODEL_H
#define BLIP_BIND_BIND_MODEL_H

#include <lua.h>

int luaopen_runtime_model(lua_State *L);

#endif
