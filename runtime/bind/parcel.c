/* bind/parcel.c - see parcel.h. */
#include "bind/parcel.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

void parcel_free(struct parcel *p) {
    free(p->bytes);
    p->bytes = NULL;
    p->size = p->capacity = 0;
}

// --- packing -------------------------------------------------------------------------------

static enum status reserve(struct parcel *p, size_t more, struct error *err) {
    if (p->limit && more > p->limit - p->size)
        return fail(err, STATUS_TOO_LARGE, "more than %zu bytes of data", p->limit);
    if (p->capacity - p->size >= more) return STATUS_OK;
    size_t capacity = 2 * p->capacity + more + 64;
    char *bytes = realloc(p->bytes, capacity);
    if (!bytes) return fail(err, STATUS_NO_MEMORY, "no memory for %zu bytes of data", capacity);
    p->bytes = bytes;
    p->capacity = capacity;
    return STATUS_OK;
}

/* Appends a tag and, when size > 0, the bytes that belong to it. */
static enum status put(struct parcel *p, char tag, const void *bytes, size_t size,
                       struct error *err) {
    enum status status = reserve(p, 1 + size, err);
    if (status != STATUS_OK) return status;
    p->bytes[p->size] = tag;
    if (size) memcpy(p->bytes + p->size + 1, bytes, size);
    p->size += 1 + size;
    return STATUS_OK;
}

static enum status put_string(struct parcel *p, lua_State *L, int index, struct error *err) {
    size_t size;
    const char *text = lua_tolstring(L, index, &size);
    enum status status = put(p, 's', &size, sizeof size, err);
    if (status == STATUS_OK) status = reserve(p, size, err);
    if (status != STATUS_OK) return status;
    memcpy(p->bytes + p->size, text, size);
    p->size += size;
    return STATUS_OK;
}

static enum status put_number(struct parcel *p, lua_State *L, int index, struct error *err) {
    if (lua_isinteger(L, index)) {
        lua_Integer integer = lua_tointeger(L, index);
        return put(p, 'i', &integer, sizeof integer, err);
    }
    lua_Number number = lua_tonumber(L, index);
    return put(p, 'd', &number, sizeof number, err);
}

static enum status put_value(struct parcel *p, lua_State *L, int index, int depth,
                             struct error *err);

static enum status put_table(struct parcel *p, lua_State *L, int index, int depth,
                             struct error *err) {
    if (depth == PARCEL_MAX_DEPTH || !lua_checkstack(L, 4))
        return fail(err, STATUS_INVALID, "a table nested deeper than %d levels (or in itself)",
                    PARCEL_MAX_DEPTH);
    enum status status = put(p, '{', NULL, 0, err);
    if (status != STATUS_OK) return status;
    lua_pushnil(L);
    while (status == STATUS_OK && lua_next(L, index)) {
        int value = lua_gettop(L);
        status = put_value(p, L, value - 1, depth + 1, err);
        if (status == STATUS_OK) status = put_value(p, L, value, depth + 1, err);
        lua_settop(L, status == STATUS_OK ? value - 1 : value - 2);
    }
    return status == STATUS_OK ? put(p, '}', NULL, 0, err) : status;
}

static enum status put_value(struct parcel *p, lua_State *L, int index, int depth,
                             struct error *err) {
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return put(p, 'n', NULL, 0, err);
    case LUA_TBOOLEAN:
        return put(p, lua_toboolean(L, index) ? 't' : 'f', NULL, 0, err);
    case LUA_TNUMBER:
        return put_number(p, L, index, err);
    case LUA_TSTRING:
        return put_string(p, L, index, err);
    case LUA_TTABLE:
        return put_table(p, L, index, depth, err);
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, index)) return put(p, 'n', NULL, 0, err);
        break;
    default:
        break;
    }
    return fail(err, STATUS_INVALID, "a %s is no plain data", luaL_typename(L, index));
}

enum status parcel_put(struct parcel *p, lua_State *L, int index, struct error *err) {
    return put_value(p, L, lua_absindex(L, index), 0, err);
}

// --- unpacking -----------------------------------------------------------------------------

static const char *take_bytes(const char *at, void *into, size_t size) {
    memcpy(into, at, size);
    return at + size;
}

static const char *take_value(const char *at, lua_State *L);

static const char *take_table(const char *at, lua_State *L) {
    luaL_checkstack(L, 4, "nested data");
    lua_newtable(L);
    while (*at != '}') {
        at = take_value(at, L);
        at = take_value(at, L);
        lua_rawset(L, -3);
    }
    return at + 1;
}

/* Pushes the value at `at` and returns where the next one starts. */
static const char *take_value(const char *at, lua_State *L) {
    lua_Integer integer;
    lua_Number number;
    size_t size;
    switch (*at++) {
    case 't':
        lua_pushboolean(L, 1);
        return at;
    case 'f':
        lua_pushboolean(L, 0);
        return at;
    case 'i':
        at = take_bytes(at, &integer, sizeof integer);
        lua_pushinteger(L, integer);
        return at;
    case 'd':
        at = take_bytes(at, &number, sizeof number);
        lua_pushnumber(L, number);
        return at;
    case 's':
        at = take_bytes(at, &size, sizeof size);
        lua_pushlstring(L, at, size);
        return at + size;
    case '{':
        return take_table(at, L);
    default:
        lua_pushnil(L);
        return at;
    }
}

int parcel_take(const struct parcel *p, lua_State *L) {
    int count = 0;
    for (const char *at = p->bytes; at < p->bytes + p->size; count++) {
        luaL_checkstack(L, 4, "too many values");
        at = take_value(at, L);
    }
    return count;
}
