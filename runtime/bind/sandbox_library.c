/* bind/sandbox_library.c - the functions that a script in the sandbox may name.
 * An allow-list: Lua's libraries are opened, the listed functions are taken out, and the rest
 * is dropped. A function that can run long on small arguments is written anew or charged.
 *
 * Left out on purpose: whatever loads code or touches files (load, dofile, require, io),
 * reaches metatables or the collector (setmetatable, rawset, collectgarbage), hides an error
 * from the budget (xpcall, coroutines), or answers twice differently (math.random: a detector
 * that is replayed must find the same). */
#include "bind/sandbox_guard.h"

#include <lauxlib.h>
#include <lualib.h>

// --- Lua's own functions, charged ----------------------------------------------------------

/* Steps that the size of a value is worth: a string is read once, a table walked once. */
static int64_t value_steps(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        return 1 + (int64_t)(lua_rawlen(L, index) / SANDBOX_BYTES_PER_STEP);
    case LUA_TTABLE:
        return 1 + (int64_t)lua_rawlen(L, index);
    default:
        return 1;
    }
}

/* Calls the function in its upvalue, which has no upvalues itself. */
static int charged_call(lua_State *L) {
    int64_t steps = 0;
    for (int i = 1; i <= lua_gettop(L); i++)
        steps += value_steps(L, i);
    sandbox_charge(L, steps);
    int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
    sandbox_charge(L, results);
    return results;
}

void sandbox_open_charged(lua_State *L, lua_CFunction open, const char *const *names) {
    lua_newtable(L);
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        lua_pushcclosure(L, charged_call, 1);
        lua_setfield(L, -3, *names);
    }
    lua_pop(L, 1);
}

// --- table: as Lua's, with every element paid for ------------------------------------------

/* Calls the named function of Lua's table library (upvalue 1) after charging `steps`. */
static int call_original(lua_State *L, int64_t steps) {
    sandbox_charge(L, steps);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Elements that moving everything from `from` to the end of the table at 1 touches. #t can be
 * anything up to 2^63 whatever the table holds: 1, 2, 4, 8 ... is enough to fool it. */
static int64_t tail_steps(lua_State *L, lua_Integer from) {
    lua_Integer length = luaL_len(L, 1);
    if (from < 1) from = 1;
    return length < from ? 1 : length - from + 1;
}

static int table_insert(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    bool inside = lua_gettop(L) == 3;
    return call_original(L, inside ? tail_steps(L, luaL_checkinteger(L, 2)) : 1);
}

static int table_remove(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    bool inside = !lua_isnoneornil(L, 2);
    return call_original(L, inside ? tail_steps(L, luaL_checkinteger(L, 2)) : 1);
}

/* Elements of the range [first, last], at least 1. */
static int64_t range_steps(lua_Integer first, lua_Integer last) {
    if (last < first) return 1;
    lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
    return count >= INT64_MAX ? INT64_MAX : (int64_t)count + 1;
}

static int table_move(lua_State *L) {
    return call_original(L, range_steps(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
}

static int table_unpack(lua_State *L) {
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
    return call_original(L, range_steps(first, last));
}

/* The order of table.sort: upvalue 1 is the script's own function or nil. Charging here bounds
 * a comparator that contradicts itself, and one written in C, which no hook would see. */
static int compare(lua_State *L) {
    sandbox_charge(L, 1 + value_steps(L, 1));
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static int table_sort(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_pushcclosure(L, compare, 1);
    return call_original(L, 1);
}

static void open_table(lua_State *L) {
    static const char *const charged[] = {"concat", "pack", NULL};
    static const luaL_Reg own[] = {{"insert", table_insert}, {"move", table_move},
                                   {"remove", table_remove}, {"sort", table_sort},
                                   {"unpack", table_unpack}, {NULL, NULL}};
    sandbox_open_charged(L, luaopen_table, charged);
    lua_pushcfunction(L, luaopen_table);
    lua_call(L, 0, 1);
    for (const luaL_Reg *f = own; f->name; f++) {
        lua_getfield(L, -1, f->name);
        lua_pushcclosure(L, f->func, 1);
        lua_setfield(L, -3, f->name);
    }
    lua_pop(L, 1);
}

// --- the basic functions -------------------------------------------------------------------

/* pcall(f, ...): as Lua's, but the end of the budget passes through. */
static int base_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    int code = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    if (sandbox_is_spent(L)) return luaL_error(L, "budget used up");
    sandbox_charge(L, 1);
    lua_pushboolean(L, code == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/* tostring(v): as Lua's, without the address of what has one. */
static int base_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    int type = lua_type(L, 1);
    bool has_address = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
                       type == LUA_TLIGHTUSERDATA || type == LUA_TTHREAD;
    if (has_address)
        lua_pushstring(L, lua_typename(L, type));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Copies the field `name` of the table on the top into the table below it. */
static void copy_field(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    lua_setfield(L, -3, name);
}

static void open_base(lua_State *L) {
    static const char *const charged[] = {"select", "tonumber", NULL};
    static const char *const plain[] = {"assert", "error", "ipairs", "next", "pairs", "type"};
    sandbox_open_charged(L, luaopen_base, charged);
    lua_pushglobaltable(L);  // where luaopen_base put its functions
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        copy_field(L, plain[i]);
    lua_pop(L, 1);
    lua_pushcfunction(L, base_pcall);
    lua_setfield(L, -2, "pcall");
    lua_pushcfunction(L, base_tostring);
    lua_setfield(L, -2, "tostring");
}

static void open_math(lua_State *L) {
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    lua_pushnil(L);
    lua_setfield(L, -2, "random");
    lua_pushnil(L);
    lua_setfield(L, -2, "randomseed");
}

static void open_utf8(lua_State *L) {
    static const char *const charged[] = {"char", "codepoint", "len", "offset", NULL};
    sandbox_open_charged(L, luaopen_utf8, charged);
    lua_pushcfunction(L, luaopen_utf8);
    lua_call(L, 0, 1);
    copy_field(L, "codes");
    copy_field(L, "charpattern");
    lua_pop(L, 1);
}

/* Empties the table of globals, so that nothing but the library is left to find. */
static void drop_globals(lua_State *L) {
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

void sandbox_open_library(lua_State *L) {
    static const char *const os[] = {"clock", "date", "time", NULL};
    open_base(L);
    open_math(L);
    lua_setfield(L, -2, "math");
    open_table(L);
    lua_setfield(L, -2, "table");
    open_utf8(L);
    lua_setfield(L, -2, "utf8");
    sandbox_open_charged(L, luaopen_os, os);
    lua_setfield(L, -2, "os");
    sandbox_open_string(L);
    lua_setfield(L, -2, "string");
    drop_globals(L);
}
