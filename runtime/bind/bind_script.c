/* bind/bind_script.c - require "runtime.script": sandboxes for Lua.
 *
 *     script.sandbox({ { name, text }, ... }, { memory_bytes =, steps =, cpu_ms = })
 *                                    runs the prelude's texts -> sandbox | nil, err
 *     s:run(text, name)              runs a script -> what finish() returned | nil, err
 *     s:call(name, ...)              calls a registered function -> results | nil, err
 *     s:map(name, frame, { key = column, ... }, out)
 *                                    calls it once per row with { key = value }; its results
 *                                    fill the column `out` -> frame | nil, err
 *     s:size()                       bytes that its state holds
 *     s:close()
 *
 * Only plain data crosses; see bind/sandbox.h for what the prelude must return. */
#include "bind/bind_frame.h"
#include "bind/box.h"
#include "bind/parcel.h"
#include "bind/sandbox.h"
#include "work/pool.h"
#include <lauxlib.h>
#include <math.h>

#define SANDBOX "runtime.script.sandbox"
#define PARCEL "runtime.script.parcel"

// --- owners --------------------------------------------------------------------------------

static struct sandbox **check_box(lua_State *L) { return luaL_checkudata(L, 1, SANDBOX); }

static struct sandbox *check_sandbox(lua_State *L) {
    struct sandbox *s = *check_box(L);
    luaL_argcheck(L, s, 1, "sandbox is closed");
    return s;
}

/* __gc and __close: fine on an empty box, fine twice. */
static int bind_script_release(lua_State *L) {
    struct sandbox **box = check_box(L);
    sandbox_free(*box);
    *box = NULL;
    return 0;
}

static int parcel_release(lua_State *L) {
    parcel_free(luaL_checkudata(L, 1, PARCEL));
    return 0;
}

/* Pushes an empty parcel that goes when the calling C function returns or raises. */
static struct parcel *push_parcel(lua_State *L) {
    struct parcel *p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = (struct parcel){0};
    luaL_setmetatable(L, PARCEL);
    lua_toclose(L, -1);
    return p;
}

// --- opening and running -------------------------------------------------------------------

static lua_Integer check_limit(lua_State *L, const char *key) {
    lua_getfield(L, 2, key);
    if (!lua_isinteger(L, -1)) luaL_error(L, "%s must be an integer", key);
    lua_Integer limit = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return limit;
}

#define MAX_TEXTS 8

/* Reads a list of { name, text } at index 1; the list keeps the strings. */
static size_t check_texts(lua_State *L, struct sandbox_text *texts) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count >= 1 && count <= MAX_TEXTS, 1, "one to eight texts");
    for (lua_Integer i = 0; i < count; i++) {
        luaL_argcheck(L, lua_geti(L, 1, i + 1) == LUA_TTABLE, 1, "a text is { name, text }");
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        texts[i].name = luaL_checkstring(L, -2);
        texts[i].text = luaL_checklstring(L, -1, &texts[i].size);
        lua_pop(L, 3);
    }
    return (size_t)count;
}

static int bind_script_sandbox(lua_State *L) {
    struct sandbox_text prelude[MAX_TEXTS];
    size_t count = check_texts(L, prelude);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct sandbox_limits limits = {.memory_bytes = (size_t)check_limit(L, "memory_bytes"),
                                    .steps = check_limit(L, "steps"),
                                    .cpu_ms = check_limit(L, "cpu_ms")};
    struct sandbox **box = (struct sandbox **)box_new(L, SANDBOX);
    struct error err;
    if (sandbox_new(&limits, prelude, count, box, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int bind_script_run(lua_State *L) {
    struct sandbox *s = check_sandbox(L);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    const char *name = luaL_checkstring(L, 3);
    struct parcel *results = push_parcel(L);
    struct error err;
    if (sandbox_run(s, text, size, name, results, &err) != STATUS_OK) return bind_fail(L, &err);
    return parcel_take(results, L);
}

static int bind_script_call(lua_State *L) {
    struct sandbox *s = check_sandbox(L);
    const char *name = luaL_checkstring(L, 2);
    int last = lua_gettop(L);
    struct parcel *args = push_parcel(L), *results = push_parcel(L);
    struct error err;
    for (int i = 3; i <= last; i++)
        if (parcel_put(args, L, i, &err) != STATUS_OK) return bind_fail(L, &err);
    if (sandbox_call(s, name, args, results, &err) != STATUS_OK) return bind_fail(L, &err);
    return parcel_take(results, L);
}

// --- map -----------------------------------------------------------------------------------

/* The position of the double column `name`, which is made when the frame has none. */
static size_t out_column(lua_State *L, struct frame *f, const char *name) {
    size_t at;
    struct error err;
    if (!frame_position(f, name, &at) &&
        frame_add_column(f, name, COLUMN_DOUBLE, &at, &err) != STATUS_OK)
        luaL_error(L, "%s", err.reason);
    if (frame_column(f, at)->type != COLUMN_DOUBLE)
        luaL_error(L, "'%s' holds no doubles", name);
    return at;
}

/* The numbers column that the value at the top names. */
static const struct column *check_input(lua_State *L, const struct frame *f) {
    const char *name = luaL_checkstring(L, -1);
    const struct column *c = frame_find(f, name);
    if (!c || (c->type != COLUMN_DOUBLE && c->type != COLUMN_INT))
        luaL_error(L, "the frame has no column '%s' of numbers", name);
    return c;
}

/* Entries of the table { key = column } at index 4; *ints of them name a column of integers. */
static size_t count_inputs(lua_State *L, const struct frame *f, size_t *ints) {
    size_t count = 0;
    *ints = 0;
    for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 4, "keys must be strings");
        if (check_input(L, f)->type == COLUMN_INT) ++*ints;
        count++;
    }
    return count;
}

static const double *as_doubles(const struct column *c, size_t rows, double *into) {
    for (size_t row = 0; row < rows; row++)
        into[row] = column_missing(c, row) ? NAN : (double)c->ints[row];
    return into;
}

/* Fills names and columns from the table at index 4; columns of integers are copied to
 * `copies`, [ints][rows]. */
static void read_inputs(lua_State *L, const struct frame *f, const char **names,
                        const double **columns, double *copies) {
    size_t i = 0, rows = frame_rows(f);
    for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
        const struct column *c = check_input(L, f);
        names[i] = lua_tostring(L, -2);  // the table at 4 keeps it
        if (c->type == COLUMN_INT) {
            columns[i++] = as_doubles(c, rows, copies);
            copies += rows;
        } else {
            columns[i++] = c->doubles;
        }
    }
}

static int bind_script_map(lua_State *L) {
    struct sandbox *s = check_sandbox(L);
    const char *name = luaL_checkstring(L, 2);
    struct frame *f = bind_frame_check(L, 3);
    luaL_checktype(L, 4, LUA_TTABLE);
    size_t out = out_column(L, f, luaL_checkstring(L, 5));
    size_t ints, inputs = count_inputs(L, f, &ints);
    const char **names = box_scratch(L, (inputs + 1) * sizeof *names);
    const double **columns = box_scratch(L, (inputs + 1) * sizeof *columns);
    double *copies = box_scratch(L, (ints * frame_rows(f) + 1) * sizeof *copies);
    read_inputs(L, f, names, columns, copies);
    double *results = frame_column(f, out)->doubles;
    struct error err;
    if (sandbox_map(s, name, inputs, names, columns, frame_rows(f), results, pool_job_cancelled,
                    &err) != STATUS_OK) {
        frame_clear_column(f, out);
        return bind_fail(L, &err);
    }
    for (size_t row = 0; row < frame_rows(f); row++)
        frame_set_double(f, out, row, results[row]);  // notes which rows have no value
    lua_settop(L, 3);
    return 1;
}

// --- the rest ------------------------------------------------------------------------------

static int bind_script_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)sandbox_size_bytes(check_sandbox(L)));
    return 1;
}

int luaopen_runtime_script(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"run", bind_script_run},   {"call", bind_script_call},     {"map", bind_script_map},
        {"size", bind_script_size}, {"close", bind_script_release}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"sandbox", bind_script_sandbox}, {NULL, NULL}};
    box_class(L, SANDBOX, methods, bind_script_release);
    box_class(L, PARCEL, (const luaL_Reg[]){{NULL, NULL}}, parcel_release);
    luaL_newlib(L, functions);
    return 1;
}
