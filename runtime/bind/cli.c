/* bind/cli.c - see cli.h. */
#include "bind/cli.h"

#include "bind/state.h"
#include "store/store.h"
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

// Where Debian keeps Lua packages: busted is one.
#define SYSTEM_PATH                                                                            \
    "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;"                      \
    "/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua"
#define SYSTEM_CPATH                                                                           \
    "/usr/local/lib/lua/5.4/?.so;/usr/lib/x86_64-linux-gnu/lua/5.4/?.so;"                      \
    "/usr/lib/aarch64-linux-gnu/lua/5.4/?.so"

struct command {
    const char *name;
    int count;
    char **args;
};

static void push_args(lua_State *L, const struct command *command) {
    lua_createtable(L, command->count, 0);
    for (int i = 0; i < command->count; i++) {
        lua_pushstring(L, command->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

// require("blip.cli.NAME").main(args)
static int run_command(lua_State *L) {
    const struct command *command = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushfstring(L, "blip.cli.%s", command->name);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    push_args(L, command);
    lua_call(L, 1, 1);
    return 1;
}

// Adds the tests' own folder and Debian's packages to the paths.
static void add_test_paths(lua_State *L) {
    char lua[PATH_MAX];
    struct error err;
    if (state_find_lua(lua, sizeof lua, &err) != STATUS_OK) luaL_error(L, "%s", err.reason);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;%s/../tests/?.lua;" SYSTEM_PATH, lua_tostring(L, -1), lua);
    lua_setfield(L, -3, "path");
    lua_pushliteral(L, SYSTEM_CPATH);
    lua_setfield(L, -3, "cpath");
    lua_pop(L, 2);
}

// Takes the place of os.exit(code): raises { exit_code = code }, so that we close in order.
static int raise_exit(lua_State *L) {
    int code = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, code);
    lua_setfield(L, -2, "exit_code");
    return lua_error(L);
}

static void replace_exit(lua_State *L) {
    lua_getglobal(L, "os");
    lua_pushcfunction(L, raise_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}

// require("busted.runner")({ standalone = false }); it ends by os.exit
static int run_tests(lua_State *L) {
    const struct command *command = lua_touserdata(L, 1);
    add_test_paths(L);
    replace_exit(L);
    push_args(L, command);
    lua_pushstring(L, "blip test");
    lua_rawseti(L, -2, 0);
    lua_setglobal(L, "arg");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "busted.runner");
    lua_call(L, 1, 1);
    lua_createtable(L, 0, 1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "standalone");
    lua_call(L, 1, 0);
    return 0;
}

// The exit code of what a command raised, after printing the reason of an expected failure, or
// a bug with its trace.
static int report(lua_State *L, const char *name) {
    bool table = lua_istable(L, -1);
    if (table && lua_getfield(L, -1, "exit_code") == LUA_TNUMBER)
        return (int)lua_tointeger(L, -1);
    if (table) lua_pop(L, 1);
    if (table && lua_getfield(L, -1, "reason") == LUA_TSTRING)
        fprintf(stderr, "blip %s: %s\n", name, lua_tostring(L, -1));
    else
        fprintf(stderr, "blip %s: %s\n", name, luaL_tolstring(L, -1, NULL));
    return 1;
}

static int call(lua_State *L, lua_CFunction function, const struct command *command) {
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, (void *)command);
    if (state_call(L, 1, 1) != LUA_OK) return report(L, command->name);
    return (int)lua_tointeger(L, -1);
}

static int run(lua_CFunction function, const struct command *command) {
    struct host host;
    host_init(&host);
    struct error err;
    lua_State *L = NULL;
    int code = 1;
    if (store_open(&(struct store_options){0}, &host.store, &err) == STATUS_OK &&
        state_new(&host, &L, &err) == STATUS_OK)
        code = call(L, function, command);
    else
        fprintf(stderr, "blip %s: %s\n", command->name, err.reason);
    state_free(L);
    store_close(host.store);
    host_free(&host);
    return code;
}

int cli_run(const char *name, int count, char **args) {
    return run(run_command, &(struct command){name, count, args});
}

int cli_test(int count, char **args) {
    return run(run_tests, &(struct command){"test", count, args});
}
