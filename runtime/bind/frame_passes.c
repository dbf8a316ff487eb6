/* bind/frame_passes.c - see frame_passes.h. */
#include "bind/frame_passes.h"

#include "bind/bind_frame.h"
#include "bind/bind_render.h"
#include "bind/box.h"
#include "frame/fill.h"
#include "frame/key.h"
#include <math.h>

// The strings of an array at an index of the stack, as pointers in scratch memory that stays on
// the stack; the strings stay alive with their table. nil = none.
static const char **check_strings(lua_State *L, int at, size_t *count, size_t **sizes) {
    *count = lua_isnoneornil(L, at) ? 0 : (size_t)luaL_len(L, at);
    const char **strings = box_scratch(L, (*count + 1) * sizeof *strings);
    *sizes = box_scratch(L, (*count + 1) * sizeof **sizes);
    for (size_t i = 0; i < *count; i++) {
        if (lua_geti(L, at, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "element %d is no string", (int)i + 1);
        strings[i] = lua_tolstring(L, -1, &(*sizes)[i]);
        lua_pop(L, 1);
    }
    return strings;
}

static int bind_frame_render(lua_State *L) {
    const struct frame *f = bind_frame_check(L, 1);
    const struct template *t = bind_render_check(L, 2);
    struct bytes *out = box_bytes(L);
    struct error err;
    size_t documents;
    if (template_render(t, f, out, &documents, &err) != STATUS_OK) return bind_fail(L, &err);
    box_push_bytes(L, out);
    lua_pushinteger(L, (lua_Integer)documents);
    return 2;
}

static int64_t check_field(lua_State *L, int at, const char *name) {
    lua_getfield(L, at, name);
    int64_t value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

// An array of { "column", number } at an index; nil = none. As check_strings().
static struct fill_value *check_values(lua_State *L, int at, size_t *count) {
    *count = lua_isnoneornil(L, at) ? 0 : (size_t)luaL_len(L, at);
    struct fill_value *values = box_scratch(L, (*count + 1) * sizeof *values);
    for (size_t i = 0; i < *count; i++) {
        lua_geti(L, at, (lua_Integer)i + 1);
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        values[i] = (struct fill_value){luaL_checkstring(L, -2), luaL_checknumber(L, -1)};
        lua_pop(L, 3);
    }
    return values;
}

static int bind_frame_fill(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_getfield(L, 2, "entity");
    lua_getfield(L, 2, "known");
    lua_getfield(L, 2, "values");
    size_t *sizes;
    struct fill fill = {.from = check_field(L, 2, "from"),
                        .to = check_field(L, 2, "to"),
                        .step = check_field(L, 2, "step")};
    luaL_argcheck(L, fill.step > 0, 2, "step must be above 0");
    fill.entity = check_strings(L, 3, &fill.entity_count, &sizes);
    fill.known = check_strings(L, 4, &fill.known_count, &sizes);
    fill.known_sizes = sizes;
    fill.values = check_values(L, 5, &fill.value_count);
    size_t added;
    struct error err;
    if (frame_fill(f, &fill, &added, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushinteger(L, (lua_Integer)added);
    return 1;
}

static int bind_frame_add_model_ids(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    const char *name = luaL_checkstring(L, 2), *prefix = luaL_checkstring(L, 3);
    size_t count, *sizes;
    const char **category = check_strings(L, 4, &count, &sizes);
    struct error err;
    if (frame_add_model_ids(f, name, prefix, category, count, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static const struct column *check_numbers(lua_State *L, const struct frame *f, int at) {
    const struct column *c = frame_column_const(f, bind_frame_check_column(L, f, at));
    luaL_argcheck(L, c->type != COLUMN_TEXT, at, "no column of numbers");
    return c;
}

static int bind_frame_above(lua_State *L) {
    const struct frame *f = bind_frame_check(L, 1);
    const struct column *c = check_numbers(L, f, 2);
    double bound = luaL_checknumber(L, 3);
    lua_newtable(L);
    lua_Integer found = 0;
    for (size_t row = 0; row < frame_rows(f); row++) {
        if (column_missing(c, row)) continue;
        double value = c->type == COLUMN_DOUBLE ? c->doubles[row] : (double)c->ints[row];
        if (!(value > bound)) continue;
        lua_pushinteger(L, (lua_Integer)row + 1);
        lua_seti(L, -2, ++found);
    }
    return 1;
}

static int bind_frame_set(lua_State *L) {
    struct frame *f = bind_frame_check(L, 1);
    lua_Integer row = luaL_checkinteger(L, 2);
    luaL_argcheck(L, row >= 1 && (size_t)row <= frame_rows(f), 2, "no such row");
    check_numbers(L, f, 3);
    size_t at = bind_frame_check_column(L, f, 3);
    if (frame_column(f, at)->type == COLUMN_DOUBLE)
        frame_set_double(f, at, (size_t)row - 1, luaL_optnumber(L, 4, NAN));
    else
        frame_set_int(f, at, (size_t)row - 1, luaL_checkinteger(L, 4));
    lua_settop(L, 1);
    return 1;
}

const luaL_Reg frame_passes[] = {
    {"render", bind_frame_render},
    {"fill", bind_frame_fill},
    {"add_model_ids", bind_frame_add_model_ids},
    {"above", bind_frame_above},
    {"set", bind_frame_set},
    {NULL, NULL},
};
