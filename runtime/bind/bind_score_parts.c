/* bind/bind_score_parts.c - require "runtime.score_parts": the arithmetic between probabilities
 * and scores, each piece by itself, for specs.
 *
 *     parts.score(p) -> raw      parts.inverse(raw) -> p
 *     parts.joint({ p, ... }[, { weight, ... }]) -> ln p
 *     parts.extreme(p, n) -> ln p      the smallest of n
 *     parts.smallest({ p, ... }, n) -> ln p      the smallest few of n, ascending
 *     parts.pair(p, q, correlation) -> p      parts.window_correlation(n) -> correlation
 *     parts.aggregate(style, { p, ... }) -> p, raw      style: people, attributes, detectors */
#include "bind/bind.h"
#include "bind/box.h"
#include "model/chance.h"
#include <lauxlib.h>

static double number_at(lua_State *L, int table, size_t i) {
    lua_geti(L, table, (lua_Integer)i + 1);
    double value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static int bind_score(lua_State *L) {
    lua_pushnumber(L, chance_score(luaL_checknumber(L, 1)));
    return 1;
}

static int bind_inverse(lua_State *L) {
    lua_pushnumber(L, chance_inverse(luaL_checknumber(L, 1)));
    return 1;
}

static int bind_joint(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct chance_joint joint = {0};
    for (size_t i = 0; i < lua_rawlen(L, 1); i++) {
        double weight = lua_istable(L, 2) ? number_at(L, 2, i) : 1;
        chance_joint_add(&joint, number_at(L, 1, i), weight);
    }
    lua_pushnumber(L, chance_joint_ln(&joint));
    return 1;
}

static int bind_extreme(lua_State *L) {
    double p = luaL_checknumber(L, 1);
    lua_pushnumber(L, chance_extreme_ln(p, (size_t)luaL_checkinteger(L, 2)));
    return 1;
}

static int bind_smallest(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    double smallest[CHANCE_TOP_MOST];
    size_t m = lua_rawlen(L, 1), n = (size_t)luaL_checkinteger(L, 2);
    luaL_argcheck(L, m >= 1 && m <= CHANCE_TOP_MOST && m <= n, 1, "too few or too many");
    for (size_t i = 0; i < m; i++)
        smallest[i] = number_at(L, 1, i);
    lua_pushnumber(L, chance_smallest_ln(smallest, m, n));
    return 1;
}

static int bind_pair(lua_State *L) {
    double p = luaL_checknumber(L, 1), q = luaL_checknumber(L, 2);
    lua_pushnumber(L, chance_pair(p, q, luaL_checknumber(L, 3)));
    return 1;
}

static int bind_window_correlation(lua_State *L) {
    lua_pushnumber(L, chance_window_correlation((size_t)luaL_checkinteger(L, 1)));
    return 1;
}

static int bind_aggregate(lua_State *L) {
    static const char *const names[] = {"people", "attributes", "detectors", NULL};
    const struct chance_style *styles[] = {&CHANCE_PEOPLE, &CHANCE_ATTRIBUTES,
                                           &CHANCE_DETECTORS};
    const struct chance_style *style = styles[luaL_checkoption(L, 1, NULL, names)];
    luaL_checktype(L, 2, LUA_TTABLE);
    struct chance_gather gather;
    chance_gather_start(&gather);
    for (size_t i = 0; i < lua_rawlen(L, 2); i++)
        chance_gather_add(&gather, number_at(L, 2, i));
    struct chance_total total = chance_gather_total(&gather, style);
    lua_pushnumber(L, total.p);
    lua_pushnumber(L, total.raw);
    return 2;
}

int luaopen_runtime_score_parts(lua_State *L) {
    static const luaL_Reg functions[] = {{"score", bind_score},
                                         {"inverse", bind_inverse},
                                         {"joint", bind_joint},
                                         {"extreme", bind_extreme},
                                         {"smallest", bind_smallest},
                                         {"pair", bind_pair},
                                         {"window_correlation", bind_window_correlation},
                                         {"aggregate", bind_aggregate},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
