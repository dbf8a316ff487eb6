/* bind/box.c - see box.h. */
#include "bind/box.h"

#define BYTES "runtime.bytes"

int bind_fail(lua_State *L, const struct error *err) {
    lua_pushnil(L);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, status_name(err->status));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, err->reason);
    lua_setfield(L, -2, "reason");
    return 2;
}

// The class becomes known when it is whole: memory may run out at each step before.
void box_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction release) {
    if (luaL_getmetatable(L, name) == LUA_TNIL) {
        lua_createtable(L, 0, 4);
        lua_newtable(L);
        if (methods) luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
        if (release) {
            lua_pushcfunction(L, release);
            lua_setfield(L, -2, "__gc");
            lua_pushcfunction(L, release);
            lua_setfield(L, -2, "__close");
        }
        lua_pushstring(L, name);
        lua_setfield(L, -2, "__name");
        lua_setfield(L, LUA_REGISTRYINDEX, name);
    }
    lua_pop(L, 1);
}

void **box_new(lua_State *L, const char *name) {
    void **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, name);
    return box;
}

void *box_scratch(lua_State *L, size_t size) { return lua_newuserdatauv(L, size, 0); }

static int release_bytes(lua_State *L) {
    bytes_free(luaL_checkudata(L, 1, BYTES));
    return 0;
}

struct bytes *box_bytes(lua_State *L) {
    box_class(L, BYTES, NULL, release_bytes);
    struct bytes *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (struct bytes){0};
    luaL_setmetatable(L, BYTES);
    lua_toclose(L, -1);
    return b;
}

void box_push_bytes(lua_State *L, const struct bytes *b) {
    if (!bytes_ok(b)) luaL_error(L, "not enough memory");
    lua_pushlstring(L, b->data ? b->data : "", b->size);
}
