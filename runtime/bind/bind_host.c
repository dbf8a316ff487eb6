/* bind/bind_host.c - require "runtime.host" */
#include "bind/bind.h"
#include "bind/bind_json.h"
#include "bind/box.h"
#include "bind/state.h"
#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "runtime.host.text"

static int release_text(lua_State *L) {
    char **box = luaL_checkudata(L, 1, TEXT);
    free(*box);
    *box = NULL;
    return 0;
}

/* host.config() -> the configuration as a table, or nil for the defaults */
static int bind_host_config(lua_State *L) {
    box_class(L, TEXT, NULL, release_text);
    char **box = (char **)box_new(L, TEXT);
    lua_toclose(L, -1);
    *box = host_config(state_host(L));
    if (!*box) return 0;
    return bind_json_push(L, *box, strlen(*box));
}

/* host.lua_folder() -> where lua/ is */
static int bind_host_lua_folder(lua_State *L) {
    char folder[PATH_MAX];
    struct error err;
    if (state_find_lua(folder, sizeof folder, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushstring(L, folder);
    return 1;
}

int luaopen_runtime_host(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"config", bind_host_config},
        {"lua_folder", bind_host_lua_folder},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_pushliteral(L, BLIP_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
