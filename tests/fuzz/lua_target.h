/* lua_target.h - what targets share whose way through is written in Lua: a script that returns
 * a function of the input. What that raises is a finding. */
#ifndef BLIP_FUZZ_LUA_TARGET_H
#define BLIP_FUZZ_LUA_TARGET_H

#include "bind/modules.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static lua_State *start(const char *script) {
    lua_State *L = luaL_newstate();
    if (!L) abort();
    luaL_openlibs(L);
    modules_preload(L);
    if (luaL_dostring(L, "package.path = '" BLIP_LUA "/?.lua;" BLIP_LUA "/?/init.lua'") ||
        luaL_dostring(L, script)) {
        fprintf(stderr, "fuzz: %s\n", lua_tostring(L, -1));
        abort();
    }
    return L;
}

/* Runs the script's function over one input. */
static inline int lua_target(const char *script, const uint8_t *data, size_t size) {
    static lua_State *L;
    if (!L) L = start(script);
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fprintf(stderr, "fuzz: %s\n", lua_tostring(L, -1));
        abort();
    }
    return 0;
}

#endif
