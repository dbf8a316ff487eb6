/* bind/bind_time.c - require "runtime.time" */
#include "base/time.h"

#include "base/date.h"
#include "bind/bind.h"
#include "bind/box.h"
#include <lauxlib.h>

/* time.now_ms() -> milliseconds since 1970 */
static int bind_time_now_ms(lua_State *L) {
    lua_pushinteger(L, time_now_ms());
    return 1;
}

/* time.monotonic_ns() -> nanoseconds since some start, never going back */
static int bind_time_monotonic_ns(lua_State *L) {
    lua_pushinteger(L, time_monotonic_ns());
    return 1;
}

/* time.format(ms) -> "2026-01-31T23:59:59.123Z" */
static int bind_time_format(lua_State *L) {
    char text[TIME_TEXT_SIZE];
    lua_pushstring(L, time_format(luaL_checkinteger(L, 1), text));
    return 1;
}

/* time.sleep_ms(ms): blocks the worker; for tools and specs */
static int bind_time_sleep_ms(lua_State *L) {
    time_sleep_ms(luaL_checkinteger(L, 1));
    return 0;
}

/* time.check_format(text) -> true | nil, err: whether dates can be read by a format of mappings
 * or jobs; see base/date.h */
static int bind_time_check_format(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct date_format *format;
    struct error err;
    if (date_format_new(text, size, &format, &err) != STATUS_OK) return bind_fail(L, &err);
    date_format_free(format);
    lua_pushboolean(L, true);
    return 1;
}

int luaopen_runtime_time(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"now_ms", bind_time_now_ms},
        {"monotonic_ns", bind_time_monotonic_ns},
        {"format", bind_time_format},
        {"sleep_ms", bind_time_sleep_ms},
        {"check_format", bind_time_check_format},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
