/* bind/bind_store.c - require "runtime.store"
 *
 *     store.connection() -> connection | nil, err     this worker's own
 *     store.open{ folder=, memory_bytes=, threads= } -> connection | nil, err
 *                                     a store of its own (no folder: in memory); for specs
 *     c:query(sql[, params]) -> frame | nil, err
 *     c:execute(sql[, params]) -> changed rows | nil, err
 *     c:begin([index, ...]) -> true | nil, err        the indices that it will write to
 *     c:commit() -> true | nil, err                   c:rollback()
 *     c:checkpoint() -> true | nil, err               c:close()
 *
 * bind_index.c has the methods for indices and documents.
 * params are an array of strings, integers, floats, booleans and json.null. */
#include "bind/bind_store.h"
#include "bind/bind.h"
#include "bind/bind_frame.h"
#include "bind/box.h"
#include "bind/state.h"
#include "store/table.h"
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define STORE "runtime.store"

struct owner {
    struct connection *connection;
    struct store *store;  // opened by store.open(), closed with the connection; else NULL
};

static struct owner *new_owner(lua_State *L) {
    struct owner *owner = lua_newuserdatauv(L, sizeof *owner, 0);
    *owner = (struct owner){0};
    luaL_setmetatable(L, STORE);
    return owner;
}

struct connection *bind_store_check(lua_State *L, int at) {
    struct owner *owner = luaL_checkudata(L, at, STORE);
    luaL_argcheck(L, owner->connection, at, "the connection is closed");
    return owner->connection;
}

static int bind_store_connection(lua_State *L) {
    struct owner *owner = new_owner(L);
    struct error err;
    if (state_connection(L, &owner->connection, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int bind_store_open(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "folder");
    lua_getfield(L, 1, "memory_bytes");
    lua_getfield(L, 1, "threads");
    struct store_options options = {.folder = luaL_optstring(L, 2, NULL),
                                    .memory_bytes = (size_t)luaL_optinteger(L, 3, 0),
                                    .threads = (unsigned)luaL_optinteger(L, 4, 0)};
    struct owner *owner = new_owner(L);
    struct error err;
    if (store_open(&options, &owner->store, &err) != STATUS_OK ||
        connection_open(owner->store, &owner->connection, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return 1;
}

/* __gc, __close and close(): a borrowed connection stays with its worker. */
static int bind_store_release(lua_State *L) {
    struct owner *owner = luaL_checkudata(L, 1, STORE);
    if (owner->store) {
        connection_close(owner->connection);
        store_close(owner->store);
    }
    *owner = (struct owner){0};
    return 0;
}

static struct param check_param(lua_State *L, int at, lua_Integer number) {
    switch (lua_type(L, at)) {
    case LUA_TBOOLEAN:
        return (struct param){.type = PARAM_BOOL, .boolean = lua_toboolean(L, at)};
    case LUA_TNUMBER:
        if (lua_isinteger(L, at))
            return (struct param){.type = PARAM_INT, .integer = lua_tointeger(L, at)};
        return (struct param){.type = PARAM_DOUBLE, .number = lua_tonumber(L, at)};
    case LUA_TSTRING: {
        struct param p = {.type = PARAM_TEXT};
        p.text.bytes = lua_tolstring(L, at, &p.text.size);
        return p;
    }
    case LUA_TLIGHTUSERDATA:  // json.null
        return (struct param){.type = PARAM_NULL};
    default:
        luaL_error(L, "parameter %I is a %s", number, luaL_typename(L, at));
        return (struct param){.type = PARAM_NULL};
    }
}

// The parameters in the table at an argument; their texts stay in that table. Pushes scratch.
static struct param *check_params(lua_State *L, int at, size_t *count) {
    *count = 0;
    if (lua_isnoneornil(L, at)) return NULL;
    luaL_checktype(L, at, LUA_TTABLE);
    lua_Integer length = luaL_len(L, at);
    if (length == 0) return NULL;
    struct param *params = box_scratch(L, (size_t)length * sizeof *params);
    for (lua_Integer i = 1; i <= length; i++) {
        lua_geti(L, at, i);
        params[i - 1] = check_param(L, -1, i);
        lua_pop(L, 1);
    }
    *count = (size_t)length;
    return params;
}

static int bind_store_query(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *sql = luaL_checkstring(L, 2);
    size_t count;
    struct param *params = check_params(L, 3, &count);
    struct frame **box = bind_frame_box(L);
    struct error err;
    if (connection_query(c, sql, params, count, box, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return 1;
}

static int bind_store_execute(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *sql = luaL_checkstring(L, 2);
    size_t count;
    struct param *params = check_params(L, 3, &count);
    int64_t changed;
    struct error err;
    if (connection_execute(c, sql, params, count, &changed, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushinteger(L, changed);
    return 1;
}

// For the functions that answer with true or with nil and an error.
static int push_done(lua_State *L, enum status status, const struct error *err) {
    if (status != STATUS_OK) return bind_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

#define MOST_TABLES 8

// The tables of the indices from an argument on, retained; their number in *count.
static enum status find_tables(lua_State *L, struct connection *c, struct table **tables,
                               size_t *count, struct error *err) {
    for (int at = 2; at <= lua_gettop(L); at++) {
        size_t size;
        const char *name = lua_tolstring(L, at, &size);
        struct table *t = table_find(connection_store(c), name, size);
        if (!t) return fail(err, STATUS_NOT_FOUND, "there is no index [%s]", name);
        tables[(*count)++] = t;
    }
    return STATUS_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(table_name(*(struct table *const *)a), table_name(*(struct table *const *)b));
}

static int bind_store_begin(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    luaL_argcheck(L, lua_gettop(L) <= MOST_TABLES + 1, MOST_TABLES + 2, "too many indices");
    if (lua_isnoneornil(L, 2)) lua_settop(L, 1);
    for (int at = 2; at <= lua_gettop(L); at++)
        luaL_checkstring(L, at);
    struct table *tables[MOST_TABLES];
    size_t count = 0;
    struct error err;
    enum status status = find_tables(L, c, tables, &count, &err);
    qsort(tables, count, sizeof *tables, by_name);  // everybody waits in the same order
    if (status == STATUS_OK) status = connection_begin_behind(c, tables, count, &err);
    for (size_t i = 0; i < count; i++)
        table_release(tables[i]);
    return push_done(L, status, &err);
}

static int bind_store_commit(lua_State *L) {
    struct error err;
    return push_done(L, connection_commit(bind_store_check(L, 1), &err), &err);
}

static int bind_store_rollback(lua_State *L) {
    connection_rollback(bind_store_check(L, 1));
    return 0;
}

static int bind_store_checkpoint(lua_State *L) {
    struct error err;
    return push_done(L, connection_checkpoint(bind_store_check(L, 1), &err), &err);
}

int luaopen_runtime_store(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"query", bind_store_query},       {"execute", bind_store_execute},
        {"begin", bind_store_begin},       {"commit", bind_store_commit},
        {"rollback", bind_store_rollback}, {"checkpoint", bind_store_checkpoint},
        {"close", bind_store_release},     {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"connection", bind_store_connection},
        {"open", bind_store_open},
        {NULL, NULL},
    };
    luaL_requiref(L, "runtime.frame", luaopen_runtime_frame, 0);  // what queries answer with
    lua_pop(L, 1);
    box_class(L, STORE, methods, bind_store_release);
    luaL_getmetatable(L, STORE);
    lua_getfield(L, -1, "__index");
    bind_index_methods(L);
    lua_pop(L, 2);
    luaL_newlib(L, functions);
    return 1;
}
