/* bind/bind_score_parts.c - require "runtime.score_parts": the arithmetic between probabilities
 * and scores, each piece by itself, for specs.
 *
 *     parts.score(p) -> raw      parts.inverse(raw) -> p
 *     parts.joint({ p, ... }[, { weight, ... }]) -> ln p
 *     parts.extreme(p, n) -> ln p      the smallest of n
 *     parts.smallest({ p, ... }, n) -> ln p      the smallest few of n, ascending
 *     parts.pair(p, q, correlation) -> p      parts.window_correlation(n) -> correlation
 *     parts.aggregate(style, { p, ... }) -> p, raw      style: people, attributes, detectors
 *     parts.normalizer(bucket_span_s[, bytes]) -> n | nil, err
 *         n:learn(scope, raw)  n:zeros(count)  n:age()  n:save() -> bytes  n:moved() -> boolean
 *         n:score(scope, raw) -> score      scope: an integer
 *     parts.percentile_ceiling(n, rank) -> score      parts.probability_ceiling(p) -> score
 *     parts.equalizer(detectors[, bytes]) -> e | nil, err
 *         e:learn(detector, p)  e:correct(detector, p) -> p  e:age(fade)  e:save() -> bytes
 *         detectors are numbered from 1 */
#include "bind/bind.h"
#include "bind/box.h"
#include "model/chance.h"
#include "model/equalizer.h"
#include "model/normalizer.h"
#include <lauxlib.h>

#define NORMALIZER "runtime.score_parts.normalizer"
#define EQUALIZER "runtime.score_parts.equalizer"

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
    chance_gather_start(&gather, style);
    for (size_t i = 0; i < lua_rawlen(L, 2); i++)
        chance_gather_add(&gather, number_at(L, 2, i));
    struct chance_total total = chance_gather_total(&gather);
    lua_pushnumber(L, total.p);
    lua_pushnumber(L, total.raw);
    return 2;
}

// --- normaliser ------------------------------------------------------------------------------

static struct normalizer *check_normalizer(lua_State *L) {
    return luaL_checkudata(L, 1, NORMALIZER);
}

static int normalizer_release(lua_State *L) {
    normalizer_free(check_normalizer(L));
    return 0;
}

static struct unpack check_saved(lua_State *L, int at) {
    size_t size;
    const char *bytes = luaL_checklstring(L, at, &size);
    return (struct unpack){.bytes = (const uint8_t *)bytes, .size = size};
}

static int bind_normalizer_new(lua_State *L) {
    int64_t span_s = luaL_checkinteger(L, 1);
    lua_settop(L, 2);
    struct normalizer *n = lua_newuserdatauv(L, sizeof *n, 0);
    normalizer_start(n, span_s);
    luaL_setmetatable(L, NORMALIZER);
    if (lua_isnil(L, 2)) return 1;
    struct unpack from = check_saved(L, 2);
    struct error err;
    return normalizer_load(n, &from, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int bind_normalizer_learn(lua_State *L) {
    struct error err;
    uint64_t scope = (uint64_t)luaL_checkinteger(L, 2);
    double raw = luaL_checknumber(L, 3);
    if (normalizer_learn(check_normalizer(L), scope, raw, &err) != STATUS_OK)
        return luaL_error(L, "%s", err.reason);
    return 0;
}

static int bind_normalizer_zeros(lua_State *L) {
    struct error err;
    size_t count = (size_t)luaL_checkinteger(L, 2);
    if (normalizer_learn_zeros(check_normalizer(L), count, &err) != STATUS_OK)
        return luaL_error(L, "%s", err.reason);
    return 0;
}

static int bind_normalizer_age(lua_State *L) {
    normalizer_age(check_normalizer(L));
    return 0;
}

static int bind_normalizer_moved(lua_State *L) {
    lua_pushboolean(L, check_normalizer(L)->moved);
    return 1;
}

static int bind_normalizer_score(lua_State *L) {
    uint64_t scope = (uint64_t)luaL_checkinteger(L, 2);
    lua_pushnumber(L, normalizer_score(check_normalizer(L), scope, luaL_checknumber(L, 3)));
    return 1;
}

static int bind_normalizer_save(lua_State *L) {
    const struct normalizer *n = check_normalizer(L);
    struct pack size = {0};
    normalizer_save(n, &size);
    struct pack to = {.bytes = box_scratch(L, size.size), .capacity = size.size};
    normalizer_save(n, &to);
    lua_pushlstring(L, (const char *)to.bytes, to.size);
    return 1;
}

static int bind_percentile_ceiling(lua_State *L) {
    double n = luaL_checknumber(L, 1), rank = luaL_checknumber(L, 2);
    lua_pushnumber(L, normalizer_percentile_ceiling(n, rank, rank));
    return 1;
}

static int bind_probability_ceiling(lua_State *L) {
    lua_pushnumber(L, normalizer_probability_ceiling(luaL_checknumber(L, 1)));
    return 1;
}

// --- equaliser -------------------------------------------------------------------------------

static struct equalizer *check_equalizer(lua_State *L) {
    return luaL_checkudata(L, 1, EQUALIZER);
}

static int equalizer_release(lua_State *L) {
    equalizer_free(check_equalizer(L));
    return 0;
}

static int bind_equalizer_new(lua_State *L) {
    size_t detectors = (size_t)luaL_checkinteger(L, 1);
    lua_settop(L, 2);
    struct equalizer *e = lua_newuserdatauv(L, sizeof *e, 0);
    *e = (struct equalizer){0};
    luaL_setmetatable(L, EQUALIZER);
    struct error err;
    if (equalizer_start(e, detectors, &err) != STATUS_OK) return bind_fail(L, &err);
    if (lua_isnil(L, 2)) return 1;
    struct unpack from = check_saved(L, 2);
    return equalizer_load(e, &from, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

static size_t check_detector(lua_State *L, const struct equalizer *e) {
    lua_Integer detector = luaL_checkinteger(L, 2);
    luaL_argcheck(L, detector >= 1 && (size_t)detector <= e->detectors, 2, "no such detector");
    return (size_t)detector - 1;
}

static int bind_equalizer_learn(lua_State *L) {
    struct equalizer *e = check_equalizer(L);
    equalizer_learn(e, check_detector(L, e), luaL_checknumber(L, 3));
    return 0;
}

static int bind_equalizer_correct(lua_State *L) {
    struct equalizer *e = check_equalizer(L);
    lua_pushnumber(L, equalizer_correct(e, check_detector(L, e), luaL_checknumber(L, 3)));
    return 1;
}

static int bind_equalizer_age(lua_State *L) {
    equalizer_age(check_equalizer(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_equalizer_save(lua_State *L) {
    const struct equalizer *e = check_equalizer(L);
    struct pack size = {0};
    equalizer_save(e, &size);
    struct pack to = {.bytes = box_scratch(L, size.size), .capacity = size.size};
    equalizer_save(e, &to);
    lua_pushlstring(L, (const char *)to.bytes, to.size);
    return 1;
}

int luaopen_runtime_score_parts(lua_State *L) {
    static const luaL_Reg normalizer_methods[] = {{"learn", bind_normalizer_learn},
                                                  {"zeros", bind_normalizer_zeros},
                                                  {"age", bind_normalizer_age},
                                                  {"moved", bind_normalizer_moved},
                                                  {"score", bind_normalizer_score},
                                                  {"save", bind_normalizer_save},
                                                  {NULL, NULL}};
    static const luaL_Reg equalizer_methods[] = {{"learn", bind_equalizer_learn},
                                                 {"correct", bind_equalizer_correct},
                                                 {"age", bind_equalizer_age},
                                                 {"save", bind_equalizer_save},
                                                 {NULL, NULL}};
    static const luaL_Reg functions[] = {{"score", bind_score},
                                         {"inverse", bind_inverse},
                                         {"joint", bind_joint},
                                         {"extreme", bind_extreme},
                                         {"smallest", bind_smallest},
                                         {"pair", bind_pair},
                                         {"window_correlation", bind_window_correlation},
                                         {"aggregate", bind_aggregate},
                                         {"normalizer", bind_normalizer_new},
                                         {"percentile_ceiling", bind_percentile_ceiling},
                                         {"probability_ceiling", bind_probability_ceiling},
                                         {"equalizer", bind_equalizer_new},
                                         {NULL, NULL}};
    box_class(L, NORMALIZER, normalizer_methods, normalizer_release);
    box_class(L, EQUALIZER, equalizer_methods, equalizer_release);
    luaL_newlib(L, functions);
    return 1;
}
