/* bind/bind_memory.c - require "runtime.memory": failing allocations on purpose, for specs
 *
 *     memory.try(n, function) -> ran to its end, an allocation was refused
 *         Calls the function while every allocation of Lua from the n-th on fails. */
#include "bind/bind.h"
#include <lauxlib.h>
#include <stdbool.h>

struct scarce {
    lua_Alloc allocate;  // the state's own
    void *context;
    lua_Integer left;  // allocations that still succeed
    bool refused;
};

static void *allocate_scarce(void *context, void *old, size_t old_size, size_t size) {
    struct scarce *s = context;
    bool grows = size > 0 && (!old || size > old_size);
    if (grows && s->left-- <= 0) {
        s->refused = true;
        return NULL;
    }
    return s->allocate(s->context, old, old_size, size);
}

static int bind_memory_try(lua_State *L) {
    struct scarce s = {.left = luaL_checkinteger(L, 1) - 1};
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    s.allocate = lua_getallocf(L, &s.context);
    lua_setallocf(L, allocate_scarce, &s);
    int status = lua_pcall(L, 0, 0, 0);
    lua_setallocf(L, s.allocate, s.context);
    lua_pushboolean(L, status == LUA_OK);
    lua_pushboolean(L, s.refused);
    return 2;
}

int luaopen_runtime_memory(lua_State *L) {
    static const luaL_Reg functions[] = {{"try", bind_memory_try}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
