/* bind/box.c - see box.h. */
#include "bind/box.h"

int bind_fail(lua_State *L, const struct error *err) {
    lua_pushnil(L);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, status_name(err->status));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, err->reason);
    lua_setfield(L, -2, "reason");
    return 2;
}
