/* bind/bind_log.c - require "runtime.log" */
#include "base/log.h"

#include "bind/bind.h"
#include "bind/bind_json.h"
#include "bind/box.h"
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 32

// Replaces the value at the top of the stack by its JSON text.
static const char *to_json(lua_State *L) {
    struct bytes *text = box_bytes(L);
    bind_json_append(L, -2, 0, text);
    box_push_bytes(L, text);
    lua_replace(L, -3);
    lua_closeslot(L, -1);
    lua_pop(L, 1);
    return lua_tostring(L, -1);
}

// The field of a name whose value is at the top of the stack.
static struct log_field field_of(lua_State *L, const char *name) {
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return log_text(name, lua_tostring(L, -1));
    case LUA_TNUMBER:
        return lua_isinteger(L, -1) ? log_int(name, lua_tointeger(L, -1))
                                    : log_double(name, lua_tonumber(L, -1));
    default:
        return log_json(name, to_json(L));
    }
}

static int by_name(const void *a, const void *b) {
    const struct log_field *x = a, *y = b;
    return strcmp(x->name, y->name);
}

// Reads the table at index 2 into fields, sorted; what they point to stays on the stack.
static int read_fields(lua_State *L, struct log_field *fields) {
    int count = 0;
    luaL_checkstack(L, 2 * FIELDS_MAX + 8, "log");
    lua_pushnil(L);
    while (count < FIELDS_MAX && lua_next(L, 2)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 2, "field names are strings");
        fields[count] = field_of(L, lua_tostring(L, -2));
        count++;
        lua_pushvalue(L, -2);  // the value stays below, the key goes on to lua_next
    }
    qsort(fields, (size_t)count, sizeof *fields, by_name);
    return count;
}

static int write_event(lua_State *L, enum log_level level) {
    const char *event = luaL_checkstring(L, 1);
    if (!log_enabled(level)) return 0;
    struct log_field fields[FIELDS_MAX];
    int count = lua_istable(L, 2) ? read_fields(L, fields) : 0;
    log_write(level, event, fields, count);
    return 0;
}

/* log.debug(event[, fields]), log.info, log.warn, log.error: the event is a snake_case name,
 * the fields are a table of at most 32 names and values. */
static int bind_log_debug(lua_State *L) { return write_event(L, LOG_LEVEL_DEBUG); }
static int bind_log_info(lua_State *L) { return write_event(L, LOG_LEVEL_INFO); }
static int bind_log_warn(lua_State *L) { return write_event(L, LOG_LEVEL_WARN); }
static int bind_log_error(lua_State *L) { return write_event(L, LOG_LEVEL_ERROR); }

/* log.set_level("debug" | "info" | "warn" | "error") */
static int bind_log_set_level(lua_State *L) {
    enum log_level level;
    luaL_argcheck(L, log_level_parse(luaL_checkstring(L, 1), &level), 1, "no such level");
    log_set_level(level);
    return 0;
}

int luaopen_runtime_log(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"debug", bind_log_debug}, {"info", bind_log_info},           {"warn", bind_log_warn},
        {"error", bind_log_error}, {"set_level", bind_log_set_level}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
