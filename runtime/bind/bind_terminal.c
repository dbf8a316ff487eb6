/* bind/bind_terminal.c - require "runtime.terminal": what the standard streams are connected
 * to.
 */
#include "bind/bind.h"
#include <lauxlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

// The descriptor of "stdin", "stdout" or "stderr" at `at`.
static int check_stream(lua_State *L, int at) {
    static const char *const names[] = {"stdin", "stdout", "stderr", NULL};
    return luaL_checkoption(L, at, NULL, names);  // they count from 0 in this order
}

/* terminal.is_terminal("stdin", "stdout" or "stderr") -> boolean */
static int bind_terminal_is_terminal(lua_State *L) {
    lua_pushboolean(L, isatty(check_stream(L, 1)));
    return 1;
}

/* terminal.columns("stdout" or "stderr") -> characters in a line, or nil */
static int bind_terminal_columns(lua_State *L) {
    struct winsize size;
    if (ioctl(check_stream(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
    lua_pushinteger(L, size.ws_col);
    return 1;
}

int luaopen_runtime_terminal(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"is_terminal", bind_terminal_is_terminal},
        {"columns", bind_terminal_columns},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
