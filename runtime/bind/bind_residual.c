/* bind/bind_residual.c - require "runtime.residual": the distributions of model/residual.h, for
 * specs. Sides are "both", "below", "above"; families "normal", "log_normal", "gamma",
 * "poisson".
 *
 *     residual.new{ count = false, integer = false } -> r
 *     residual.load(bytes) -> r | nil, err
 *     residual.outlier_weight(tail, derate) -> weight
 *         r:learn(value [, weight [, scale]])
 *         r:age(keep)
 *         r:probability(x [, side [, seasonal_scale [, count_scale]]]) -> p, side of x
 *         r:tail(x) -> smaller tail              r:quantile(p) -> x
 *         r:of(family, x [, side]) -> p, below, above    of one family alone
 *         r:state() -> { mean =, mode =, variance =, informed =, share = { family = s },
 *                        normal = { mean =, precision =, shape =, rate = },
 *                        gamma = { shape = }, poisson = { shape =, rate = } }
 *         r:save() -> bytes */
#include "bind/bind.h"
#include "bind/box.h"
#include "model/outlier.h"
#include "model/residual.h"
#include <lauxlib.h>

#define RESIDUAL "runtime.residual"

static const char *const sides[] = {"both", "below", "above", NULL};
static const char *const families[] = {"normal", "log_normal", "gamma", "poisson", NULL};

static struct residual *check_residual(lua_State *L) { return luaL_checkudata(L, 1, RESIDUAL); }

static struct residual *new_residual(lua_State *L) {
    struct residual *r = lua_newuserdatauv(L, sizeof *r, 0);
    luaL_setmetatable(L, RESIDUAL);
    return r;
}

static int bind_residual_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "count");
    lua_getfield(L, 1, "integer");
    bool count = lua_toboolean(L, -2), integer = lua_toboolean(L, -1);
    *new_residual(L) = residual_new(count, integer);
    return 1;
}

static int bind_residual_load(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    struct unpack u = {.bytes = (const uint8_t *)bytes, .size = size};
    struct error err;
    if (residual_load(&u, new_residual(L)) && unpack_left(&u) == 0) return 1;
    (void)fail(&err, STATUS_INVALID, "the bytes are no residual");
    return bind_fail(L, &err);
}

static int bind_residual_save(lua_State *L) {
    const struct residual *r = check_residual(L);
    uint8_t bytes[512];
    struct pack p = {bytes, sizeof bytes, 0};
    residual_save(r, &p);
    lua_pushlstring(L, (const char *)bytes, p.size);
    return 1;
}

static int bind_residual_learn(lua_State *L) {
    struct family_sample sample = {luaL_checknumber(L, 2), luaL_optnumber(L, 3, 1),
                                   luaL_optnumber(L, 4, 1)};
    residual_learn(check_residual(L), &sample, 1);
    return 0;
}

static int bind_residual_age(lua_State *L) {
    residual_age(check_residual(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_residual_probability(lua_State *L) {
    enum tail watched = (enum tail)luaL_checkoption(L, 3, "both", sides), tail;
    struct residual_scale scale = {luaL_optnumber(L, 4, 1), luaL_optnumber(L, 5, 1)};
    lua_pushnumber(L, residual_probability(check_residual(L), luaL_checknumber(L, 2), scale,
                                           watched, &tail));
    lua_pushstring(L, sides[tail]);
    return 2;
}

static int bind_residual_tail(lua_State *L) {
    struct residual_scale scale = {1, 1};
    lua_pushnumber(L, residual_tail(check_residual(L), luaL_checknumber(L, 2), scale, 1));
    return 1;
}

static int bind_residual_quantile(lua_State *L) {
    struct residual_scale scale = {luaL_optnumber(L, 3, 1), luaL_optnumber(L, 4, 1)};
    lua_pushnumber(L, residual_quantile(check_residual(L), luaL_checknumber(L, 2), scale));
    return 1;
}

static int bind_residual_of(lua_State *L) {
    const struct residual *r = check_residual(L);
    int family = luaL_checkoption(L, 2, NULL, families);
    double x = luaL_checknumber(L, 3), p = 1;
    enum tail watched = (enum tail)luaL_checkoption(L, 4, "both", sides);
    struct family_scale scale = {1, 1, r->integer};
    struct tails t = {1, 1};
    switch (family) {
    case FAMILY_NORMAL:
        p = normal_probability(&r->normal, x, &scale, watched, &t);
        break;
    case FAMILY_LOG_NORMAL:
        p = log_normal_probability(&r->log_normal, x, &scale, watched, &t);
        break;
    case FAMILY_GAMMA:
        p = gamma_probability(&r->gamma, x, &scale, watched, &t);
        break;
    default:
        p = poisson_probability(&r->poisson, x, watched, &t);
    }
    lua_pushnumber(L, p);
    lua_pushnumber(L, t.below);
    lua_pushnumber(L, t.above);
    return 3;
}

static void set(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static int bind_residual_state(lua_State *L) {
    const struct residual *r = check_residual(L);
    lua_newtable(L);
    set(L, "mean", residual_mean(r));
    set(L, "mode", residual_mode(r));
    set(L, "variance", residual_variance(r));
    lua_pushboolean(L, residual_informed(r));
    lua_setfield(L, -2, "informed");
    lua_newtable(L);
    for (int f = 0; f < FAMILIES; f++)
        set(L, families[f], r->share[f]);
    lua_setfield(L, -2, "share");
    lua_newtable(L);
    set(L, "mean", r->normal.mean);
    set(L, "precision", r->normal.precision);
    set(L, "shape", r->normal.shape);
    set(L, "rate", r->normal.rate);
    lua_setfield(L, -2, "normal");
    lua_newtable(L);
    set(L, "shape", r->gamma.shape);
    lua_setfield(L, -2, "gamma");
    lua_newtable(L);
    set(L, "shape", r->poisson.shape);
    set(L, "rate", r->poisson.rate);
    lua_setfield(L, -2, "poisson");
    return 1;
}

static int bind_outlier_weight(lua_State *L) {
    lua_pushnumber(L, outlier_weight(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

int luaopen_runtime_residual(lua_State *L) {
    static const luaL_Reg methods[] = {{"learn", bind_residual_learn},
                                       {"age", bind_residual_age},
                                       {"probability", bind_residual_probability},
                                       {"tail", bind_residual_tail},
                                       {"quantile", bind_residual_quantile},
                                       {"of", bind_residual_of},
                                       {"state", bind_residual_state},
                                       {"save", bind_residual_save},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", bind_residual_new},
                                         {"load", bind_residual_load},
                                         {"outlier_weight", bind_outlier_weight},
                                         {NULL, NULL}};
    box_class(L, RESIDUAL, methods, NULL);
    luaL_newlib(L, functions);
    return 1;
}
