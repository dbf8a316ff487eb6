/* bind/bind_frame.c - require "runtime.frame": frames for Lua.
 *
 *     frame.new{ {"time", "int"}, {"host", "text"}, {"load"} } -> frame
 *                           "double" where no type is said
 *     f:rows()              number of rows; also #f
 *     f:columns()           { "time", "host", "load" }
 *     f:type(name)          "double", "int", "bool" or "text"; nil when there is none
 *     f:get(row, name)      the value; nil when missing (a double too). Rows count from 1
 *     f:row(row)            { time =, host =, load = }, missing values left out
 *     f:column(name)        an array of f:rows() values; a missing double is NaN, any other
 *                           missing value a hole: loop to f:rows(), not with ipairs
 *     f:append{ {time=, ...} } -> f
 *                           appends rows; keys that are no column raise
 *     f:set_column(name, array[, type]) -> f
 *                           replaces a column's values, or adds the column
 *     f:concat(other) -> f | nil, err
 *                           appends other's rows; columns must agree
 *     f:sort{ "-grade", "time" } -> f
 *                           in place, "-" descending, missing last, stable
 *     f:close()             frees the memory now instead of at collection
 *
 * Per-row work belongs in C: these are for features and models that a user wrote in Lua, for
 * replies and for specs. */
#include "bind/bind_frame.h"

#include "bind/box.h"
#include "bind/frame_passes.h"
#include "frame/sort.h"
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAME "runtime.frame"

static const char *const type_names[] = {"double", "int", "bool", "text",
                                         NULL};  // by column_type

struct frame **bind_frame_box(lua_State *L) {
    struct frame **box = lua_newuserdatauv(L, sizeof(struct frame *), 0);
    *box = NULL;
    luaL_setmetatable(L, FRAME);
    return box;
}

struct frame *bind_frame_check(lua_State *L, int at) {
    struct frame **box = luaL_checkudata(L, at, FRAME);
    luaL_argcheck(L, *box, at, "frame is closed");
    return *box;
}

size_t bind_frame_check_column(lua_State *L, const struct frame *f, int at) {
    const char *name = luaL_checkstring(L, at);
    size_t column;
    if (!frame_position(f, name, &column)) luaL_error(L, "the frame has no column '%s'", name);
    return column;
}

static size_t check_row(lua_State *L, const struct frame *f, int at) {
    lua_Integer row = luaL_checkinteger(L, at);
    luaL_argcheck(L, row >= 1 && (size_t)row <= frame_rows(f), at, "no such row");
    return (size_t)row - 1;
}

// Pushes one value; nil when it is missing.
static void push_value(lua_State *L, const struct column *c, size_t row) {
    size_t size;
    if (column_missing(c, row))
        lua_pushnil(L);
    else if (c->type == COLUMN_DOUBLE)
        lua_pushnumber(L, c->doubles[row]);
    else if (c->type == COLUMN_INT)
        lua_pushinteger(L, c->ints[row]);
    else if (c->type == COLUMN_BOOL)
        lua_pushboolean(L, c->ints[row] != 0);
    else {
        const char *text = column_text(c, row, &size);
        lua_pushlstring(L, text, size);
    }
}

// Sets one cell from the Lua value at `at`; nil leaves it missing, a wrong type raises.
static void set_value(lua_State *L, struct frame *f, size_t column, size_t row, int at) {
    const struct column *c = frame_column(f, column);
    if (lua_isnoneornil(L, at)) return;
    int fits = 0;
    if (c->type == COLUMN_DOUBLE) {
        lua_Number value = lua_tonumberx(L, at, &fits);
        if (fits) frame_set_double(f, column, row, value);
    } else if (c->type == COLUMN_INT) {
        lua_Integer value = lua_tointegerx(L, at, &fits);
        if (fits) frame_set_int(f, column, row, value);
    } else if (c->type == COLUMN_BOOL) {
        fits = lua_isboolean(L, at);
        if (fits) frame_set_int(f, column, row, lua_toboolean(L, at));
    } else if (lua_type(L, at) == LUA_TSTRING) {
        size_t size;
        const char *text = lua_tolstring(L, at, &size);
        struct error err;
        fits = 1;
        if (frame_set_text(f, column, row, text, size, &err) != STATUS_OK)
            luaL_error(L, "%s", err.reason);
    }
    if (!fits)
        luaL_error(L, "column '%s' row %I: %s is no %s", c->name, (lua_Integer)row + 1,
                   luaL_typename(L, at), type_names[c->type]);
}

static size_t add_column(lua_State *L, struct frame *f, const char *name, enum column_type t) {
    struct error err;
    size_t at;
    if (frame_add_column(f, name, t, &at, &err) != STATUS_OK) luaL_error(L, "%s", err.reason);
    return at;
}

static int bind_frame_new(lua_State *L) {
    lua_Integer count = luaL_opt(L, luaL_len, 1, 0);
    struct frame **box = bind_frame_box(L);
    *box = frame_new();
    if (!*box) return luaL_error(L, "no memory for a frame");
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_argcheck(L, lua_geti(L, 1, i) == LUA_TTABLE, 1, "a column is { name, type }");
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        const char *name = luaL_checkstring(L, -2);
        add_column(L, *box, name,
                   (enum column_type)luaL_checkoption(L, -1, "double", type_names));
        lua_pop(L, 3);
    }
    return 1;
}

static int bind_frame_rows(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)frame_rows(bind_frame_check(L, 1)));
    return 1;
}

static int bind_frame_columns(lua_State *L) {
    const struct frame *f = bind_frame_check(L, 1);
    size_t count = frame_columns(f);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, frame_column_const(f, i)->name);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int bind_frame_type(lua_State *L) {
    const struct column *c = frame_find(bind_frame_check(L, 1), luaL_checkstring(L, 2));
    lua_pushstring(L, c ? type_names[c->type] : NULL);
    return 1;
}

static int bind_frame_get(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    size_t row = check_row(L, f, 2);
    push_value(L, frame_column_const(f, bind_frame_check_column(L, f, 3)), row);
    return 1;
}

static int bind_frame_row(lua_State *L) {
    const struct frame *f = bind_frame_check(L, 1);
    size_t row = check_row(L, f, 2), count = frame_columns(f);
    lua_createtable(L, 0, (int)count);
    for (size_t i = 0; i < count; i++) {
        const struct column *c = frame_column_const(f, i);
        push_value(L, c, row);
        lua_setfield(L, -2, c->name);
    }
    return 1;
}

static int bind_frame_column(lua_State *L) {
    const struct frame *f = bind_frame_check(L, 1);
    const struct column *c = frame_column_const(f, bind_frame_check_column(L, f, 2));
    size_t rows = frame_rows(f);
    lua_createtable(L, (int)rows, 0);
    for (size_t row = 0; row < rows; row++) {
        if (c->type == COLUMN_DOUBLE)
            lua_pushnumber(L, c->doubles[row]);  // a missing one is NaN already
        else
            push_value(L, c, row);
        lua_rawseti(L, -2, (lua_Integer)row + 1);
    }
    return 1;
}

// Sets the cells of one row from the { name = value } table on top of the stack.
static void set_row(lua_State *L, struct frame *f, size_t row) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        size_t column = bind_frame_check_column(L, f, lua_gettop(L));
        set_value(L, f, column, row, lua_gettop(L) - 1);
        lua_pop(L, 2);
    }
}

static void append_rows(lua_State *L, struct frame *f, size_t count) {
    struct error err;
    if (frame_append(f, count, &err) != STATUS_OK) luaL_error(L, "%s", err.reason);
}

static int bind_frame_append(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    lua_Integer count = luaL_len(L, 2);
    size_t first = frame_rows(f);
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_argcheck(L, lua_geti(L, 2, i) == LUA_TTABLE, 2, "a row is { name = value }");
        lua_pop(L, 1);
    }
    append_rows(L, f, (size_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 2, i);
        set_row(L, f, first + (size_t)i - 1);
        lua_settop(L, 2);
    }
    lua_settop(L, 1);
    return 1;
}

static int bind_frame_set_column(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    int type = luaL_checkoption(L, 4, "double", type_names);
    size_t column;
    if (!frame_position(f, name, &column))
        column = add_column(L, f, name, (enum column_type)type);
    frame_clear_column(f, column);
    for (size_t row = 0; row < frame_rows(f); row++) {
        lua_geti(L, 3, (lua_Integer)row + 1);
        set_value(L, f, column, row, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_settop(L, 1);
    return 1;
}

static int bind_frame_concat(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1), *other = bind_frame_check(L, 2);
    luaL_argcheck(L, f != other, 2, "a frame cannot be appended to itself");
    struct error err;
    if (frame_concat(f, other, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

#define SORT_KEYS_MAX 8

static int bind_frame_sort(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    lua_Integer count = luaL_len(L, 2);
    luaL_argcheck(L, count >= 1 && count <= SORT_KEYS_MAX, 2, "1 to 8 sort keys");
    struct frame_order keys[SORT_KEYS_MAX];
    for (lua_Integer i = 0; i < count; i++) {
        lua_geti(L, 2, i + 1);
        const char *name = luaL_checkstring(L, -1);
        keys[i].descending = name[0] == '-';
        lua_pushstring(L, name + keys[i].descending);
        keys[i].column = bind_frame_check_column(L, f, lua_gettop(L));
        lua_pop(L, 2);
    }
    struct error err;
    if (frame_sort(f, keys, (size_t)count, &err) != STATUS_OK)
        return luaL_error(L, "%s", err.reason);
    lua_settop(L, 1);
    return 1;
}

// __gc, __close and close(): fine on an empty box, fine twice.
static int bind_frame_release(lua_State *L) {
    struct frame **box = luaL_checkudata(L, 1, FRAME);
    frame_free(*box);
    *box = NULL;
    return 0;
}

static const luaL_Reg methods[] = {
    {"rows", bind_frame_rows},
    {"columns", bind_frame_columns},
    {"type", bind_frame_type},
    {"get", bind_frame_get},
    {"row", bind_frame_row},
    {"column", bind_frame_column},
    {"append", bind_frame_append},
    {"set_column", bind_frame_set_column},
    {"concat", bind_frame_concat},
    {"sort", bind_frame_sort},
    {"close", bind_frame_release},
    {"__len", bind_frame_rows},
    {"__gc", bind_frame_release},
    {"__close", bind_frame_release},
    {NULL, NULL},
};

int luaopen_runtime_frame(lua_State *L) {
    if (luaL_newmetatable(L, FRAME)) {
        luaL_setfuncs(L, methods, 0);
        luaL_setfuncs(L, frame_passes, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, -2, "__index");
    }
    static const luaL_Reg functions[] = {{"new", bind_frame_new}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
