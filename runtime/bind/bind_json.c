/* bind/bind_json.c - require "runtime.json": writing, and the marks that JSON needs and Lua
 * has not: null, arrays, objects, the order of keys, text that is JSON already. */
#include "bind/bind_json.h"

#include "bind/bind.h"
#include "bind/box.h"
#include <stdlib.h>
#include <string.h>

// A mark is a metatable; these are its names in the registry.
#define ARRAY "json.array"
#define OBJECT "json.object"
#define RAW "json.raw"
#define ORDERED "json.ordered"

struct writer {
    lua_State *L;
    struct bytes *out;
    int indent, depth;
};

static void write_value(struct writer *w, int at);

void bind_json_mark_array(lua_State *L) { luaL_setmetatable(L, ARRAY); }

static void write_line(struct writer *w) {
    if (!w->indent) return;
    bytes_append_char(w->out, '\n');
    for (int i = 0; i < w->indent * w->depth; i++)
        bytes_append_char(w->out, ' ');
}

static void write_open(struct writer *w, char bracket) {
    bytes_append_char(w->out, bracket);
    if (++w->depth > JSON_DEPTH) luaL_error(w->L, "JSON: more than %d levels", JSON_DEPTH);
    luaL_checkstack(w->L, 8, "JSON");
}

static void write_close(struct writer *w, char bracket, bool empty) {
    w->depth--;
    if (!empty)
        write_line(w);
    else if (w->indent)
        bytes_append_char(w->out, ' ');
    bytes_append_char(w->out, bracket);
}

static void write_array(struct writer *w, int at) {
    lua_Integer count = (lua_Integer)lua_rawlen(w->L, at);
    write_open(w, '[');
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1) bytes_append_char(w->out, ',');
        write_line(w);
        lua_rawgeti(w->L, at, i);
        write_value(w, lua_gettop(w->L));
        lua_pop(w->L, 1);
    }
    write_close(w, ']', count == 0);
}

/* A key of an object, on its way to its place: keys that json.ordered() names first, in its
 * order, then numbers, then texts. */
struct key {
    const char *text;  // the table's own string; NULL for a number
    size_t size;
    lua_Integer number;
    lua_Integer rank;
};

// Objects of more keys than this need memory to sort them.
#define KEYS_INLINE 16

static int compare_texts(const struct key *x, const struct key *y) {
    int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static int compare_keys(const void *a, const void *b) {
    const struct key *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    if (x->text && y->text) return compare_texts(x, y);
    if (x->text || y->text) return x->text ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

// A few keys, often in order already: by insertion.
static void sort_few(struct key *keys, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct key key = keys[i];
        size_t at = i;
        for (; at > 0 && compare_keys(&keys[at - 1], &key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

// Reads the key at an index; ranks is the index of the table that json.ordered() made, or 0.
static struct key read_key(lua_State *L, int at, int ranks) {
    struct key key = {.rank = LUA_MAXINTEGER};
    if (lua_type(L, at) == LUA_TSTRING)
        key.text = lua_tolstring(L, at, &key.size);
    else if (lua_isinteger(L, at))
        key.number = lua_tointeger(L, at);
    else
        luaL_error(L, "JSON: a %s cannot be a key", luaL_typename(L, at));
    if (!ranks) return key;
    lua_pushvalue(L, at);
    if (lua_rawget(L, ranks) == LUA_TNUMBER) key.rank = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return key;
}

// Fills the first `max` keys of the table and returns how many it has.
static size_t read_keys(lua_State *L, int at, int ranks, struct key *keys, size_t max) {
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        if (count < max) keys[count] = read_key(L, lua_gettop(L) - 1, ranks);
        count++;
    }
    return count;
}

// Pushes the ranks that json.ordered() gave the table's keys; nothing, and 0, when it did not.
static int push_ranks(lua_State *L, int at) {
    if (!lua_getmetatable(L, at)) return 0;
    int type = lua_getfield(L, -1, ORDERED);
    lua_remove(L, -2);
    if (type == LUA_TTABLE) return lua_gettop(L);
    lua_pop(L, 1);
    return 0;
}

// The table's keys in the order in which they are written: in `few` [KEYS_INLINE] when they
// fit, else in scratch memory that it leaves on the stack.
static struct key *sort_keys(lua_State *L, int at, struct key *few, size_t *count) {
    int ranks = push_ranks(L, at);
    *count = read_keys(L, at, ranks, few, KEYS_INLINE);
    if (*count <= KEYS_INLINE) {
        sort_few(few, *count);
        return few;
    }
    struct key *keys = box_scratch(L, *count * sizeof *keys);
    read_keys(L, at, ranks, keys, *count);
    qsort(keys, *count, sizeof *keys, compare_keys);
    return keys;
}

static void push_key(lua_State *L, const struct key *key) {
    if (key->text)
        lua_pushlstring(L, key->text, key->size);
    else
        lua_pushinteger(L, key->number);
}

static void write_field(struct writer *w, int at, const struct key *key) {
    write_line(w);
    if (key->text)
        bytes_append_quoted(w->out, key->text, key->size);
    else
        bytes_append_format(w->out, "\"%lld\"", key->number);
    bytes_append_text(w->out, w->indent ? " : " : ":");
    push_key(w->L, key);
    lua_rawget(w->L, at);
    write_value(w, lua_gettop(w->L));
    lua_pop(w->L, 1);
}

static void write_object(struct writer *w, int at) {
    int top = lua_gettop(w->L);
    struct key few[KEYS_INLINE];
    size_t count;
    write_open(w, '{');
    const struct key *keys = sort_keys(w->L, at, few, &count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) bytes_append_char(w->out, ',');
        write_field(w, at, &keys[i]);
    }
    write_close(w, '}', count == 0);
    lua_settop(w->L, top);
}

static bool has_mark(lua_State *L, int at, const char *mark) {
    if (!lua_getmetatable(L, at)) return false;
    luaL_getmetatable(L, mark);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

// Where a string ends that begins at a quote.
static size_t string_end(const char *text, size_t size, size_t at) {
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at + 1 < size ? at + 1 : size;
}

// Writes one character of JSON text between its strings, with our own white space.
static void write_raw_char(struct writer *w, char before, char c) {
    if (before == '{' || before == '[') {
        if (c != '}' && c != ']') write_line(w);
    }
    if (c == '{' || c == '[') w->depth++;
    if (c == '}' || c == ']') {
        w->depth--;
        if (before == '{' || before == '[')
            bytes_append_char(w->out, ' ');
        else
            write_line(w);
    }
    bytes_append_text(w->out, c == ':' ? " : " : (char[]){c, 0});
    if (c == ',') write_line(w);
}

// Indents JSON text like the rest.
static void write_indented(struct writer *w, const char *text, size_t size) {
    char before = 0;
    for (size_t at = 0; at < size;) {
        char c = text[at];
        if (strchr(" \t\r\n", c)) {
            at++;
        } else if (c == '"') {
            if (before == '{' || before == '[') write_line(w);
            size_t end = string_end(text, size, at);
            bytes_append(w->out, text + at, end - at);
            at = end;
            before = c;
        } else {
            write_raw_char(w, before, c);
            before = c;
            at++;
        }
    }
}

static void write_raw(struct writer *w, int at) {
    size_t size;
    lua_rawgeti(w->L, at, 1);
    const char *text = lua_tolstring(w->L, -1, &size);
    if (w->indent)
        write_indented(w, text, size);
    else
        bytes_append(w->out, text, size);
    lua_pop(w->L, 1);
}

static void write_table(struct writer *w, int at) {
    lua_State *L = w->L;
    if (has_mark(L, at, RAW)) {
        write_raw(w, at);
    } else if (has_mark(L, at, ARRAY) || (lua_rawlen(L, at) > 0 && !has_mark(L, at, OBJECT))) {
        write_array(w, at);
    } else {
        write_object(w, at);
    }
}

static void write_number(struct writer *w, int at) {
    if (lua_isinteger(w->L, at))
        bytes_append_int(w->out, lua_tointeger(w->L, at));
    else
        bytes_append_double(w->out, lua_tonumber(w->L, at));
}

static void write_value(struct writer *w, int at) {
    lua_State *L = w->L;
    switch (lua_type(L, at)) {
    case LUA_TSTRING: {
        size_t size;
        const char *text = lua_tolstring(L, at, &size);
        bytes_append_quoted(w->out, text, size);
        break;
    }
    case LUA_TNUMBER:
        write_number(w, at);
        break;
    case LUA_TBOOLEAN:
        bytes_append_text(w->out, lua_toboolean(L, at) ? "true" : "false");
        break;
    case LUA_TTABLE:
        write_table(w, at);
        break;
    case LUA_TLIGHTUSERDATA:
    case LUA_TNIL:
        bytes_append(w->out, "null", 4);
        break;
    default:
        luaL_error(L, "JSON: a %s has no form", luaL_typename(L, at));
    }
}

void bind_json_append(lua_State *L, int at, int indent, struct bytes *out) {
    struct writer w = {.L = L, .out = out, .indent = indent};
    write_value(&w, lua_absindex(L, at));
}

/* json.encode(value[, { pretty = true }]) -> text. Keys are sorted unless json.ordered() said
 * otherwise; NaN and infinities are null; raises for what has no JSON form. */
static int bind_json_encode(lua_State *L) {
    luaL_checkany(L, 1);
    bool pretty = lua_istable(L, 2) && lua_getfield(L, 2, "pretty") && lua_toboolean(L, -1);
    struct bytes *out = box_bytes(L);
    bind_json_append(L, 1, pretty ? 2 : 0, out);
    box_push_bytes(L, out);
    return 1;
}

/* json.quote(text) -> the text in quotes, escaped */
static int bind_json_quote(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct bytes *out = box_bytes(L);
    bytes_append_quoted(out, text, size);
    box_push_bytes(L, out);
    return 1;
}

static int mark(lua_State *L, const char *name) {
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, name);
    return 1;
}

/* json.array([t]) -> t, written as an array even when it is empty */
static int bind_json_array(lua_State *L) { return mark(L, ARRAY); }

/* json.object([t]) -> t, written as an object even when it has elements */
static int bind_json_object(lua_State *L) { return mark(L, OBJECT); }

/* json.raw(text) -> a value that is written as this text */
static int bind_json_raw(lua_State *L) {
    luaL_checkstring(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    luaL_setmetatable(L, RAW);
    return 1;
}

// Pushes a metatable that says the ranks of the names in the list at an index.
static void push_order(lua_State *L, int list) {
    lua_createtable(L, 0, 1);
    lua_newtable(L);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        lua_pushinteger(L, i);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, ORDERED);
}

/* json.ordered(t, { "a", "b" }) -> t, whose keys a and b are written first, in this order.
 * Keep the list in a local: tables with the same list share one metatable. */
static int bind_json_ordered(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) {
        lua_pop(L, 1);
        push_order(L, 2);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, lua_upvalueindex(1));
    }
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* json.is_array(t): marked, or a plain table with elements */
static int bind_json_is_array(lua_State *L) {
    bool is = lua_istable(L, 1) && !has_mark(L, 1, RAW) &&
              (has_mark(L, 1, ARRAY) || (lua_rawlen(L, 1) > 0 && !has_mark(L, 1, OBJECT)));
    lua_pushboolean(L, is);
    return 1;
}

/* json.is_object(t): a table that is neither an array nor raw text */
static int bind_json_is_object(lua_State *L) {
    bool is = lua_istable(L, 1) && !has_mark(L, 1, RAW) && !has_mark(L, 1, ARRAY) &&
              (lua_rawlen(L, 1) == 0 || has_mark(L, 1, OBJECT));
    lua_pushboolean(L, is);
    return 1;
}

/* json.keys(object) -> list of its keys, in the order in which encode writes them */
static int bind_json_keys(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct key few[KEYS_INLINE];
    size_t count;
    const struct key *keys = sort_keys(L, 1, few, &count);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_key(L, &keys[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* json.plain(value) -> value, or what json.raw text stands for */
static int bind_json_plain(lua_State *L) {
    lua_settop(L, 1);
    if (!lua_istable(L, 1) || !has_mark(L, 1, RAW)) return 1;
    lua_rawgeti(L, 1, 1);
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    return bind_json_push(L, text, size);
}

static void push_weak_table(lua_State *L) {
    lua_newtable(L);
    lua_newtable(L);
    lua_pushstring(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

int luaopen_runtime_json(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"decode", bind_json_decode},
        {"encode", bind_json_encode},
        {"quote", bind_json_quote},
        {"array", bind_json_array},
        {"object", bind_json_object},
        {"raw", bind_json_raw},
        {"is_array", bind_json_is_array},
        {"is_object", bind_json_is_object},
        {"keys", bind_json_keys},
        {"plain", bind_json_plain},
        {NULL, NULL},
    };
    luaL_newmetatable(L, OBJECT);
    luaL_newmetatable(L, RAW);
    luaL_newlib(L, functions);
    push_weak_table(L);
    lua_pushcclosure(L, bind_json_ordered, 1);
    lua_setfield(L, -2, "ordered");
    luaL_newmetatable(L, ARRAY);
    lua_setfield(L, -2, "array_mt");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
