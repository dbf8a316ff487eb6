/* bind/bind_season.c - require "runtime.season": trend and seasons by themselves, for specs.
 *
 *     season.new(bucket_span_s) -> d
 *         d:learn(time_s, value[, weight[, outlier]]) -> nil, or what has changed:
 *             { relearn =, seasonal =, texts = {}, residuals = { {time, value, weight}, ... } }
 *         d:predict(time_s[, confidence]) -> mean, lower, upper
 *         d:scale(time_s, variance[, floor]) -> scale
 *         d:derate(time_s) -> derate
 *         d:age(seconds)  d:set_decay(multiplier)  d:shift_time(seconds)
 *         d:components() -> count
 *         d:bytes() -> memory
 *         d:save() -> bytes
 *     season.load(bytes) -> d | nil, err
 *     season.choose(values, start_s, step_s) -> names of the seasons of a window
 *         values: at most 336 numbers; false = missing */
#include "bind/bind.h"
#include "bind/box.h"
#include "model/decomposition.h"
#include "model/season_test.h"
#include <lauxlib.h>

#define SEASON "runtime.season"

static struct decomposition *check(lua_State *L) {
    struct decomposition **box = luaL_checkudata(L, 1, SEASON);
    luaL_argcheck(L, *box, 1, "closed");
    return *box;
}

static int bind_new(lua_State *L) {
    lua_Integer span = luaL_checkinteger(L, 1);
    luaL_argcheck(L, span > 0, 1, "a bucket span is at least a second");
    void **box = box_new(L, SEASON);
    *box = decomposition_new(span);
    if (!*box) return luaL_error(L, "not enough memory");
    return 1;
}

static int bind_release(lua_State *L) {
    struct decomposition **box = luaL_checkudata(L, 1, SEASON);
    decomposition_free(*box);
    *box = NULL;
    return 0;
}

static void push_texts(lua_State *L, const struct decomposition_news *news) {
    lua_createtable(L, (int)news->texts, 0);
    for (size_t i = 0; i < news->texts; i++) {
        lua_pushstring(L, news->text[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_residuals(lua_State *L, const struct decomposition_news *news) {
    lua_createtable(L, (int)news->count, 0);
    for (size_t i = 0; i < news->count; i++) {
        const double parts[] = {news->residuals[i].time_s, news->residuals[i].value,
                                news->residuals[i].weight};
        lua_createtable(L, 3, 0);
        for (int k = 0; k < 3; k++) {
            lua_pushnumber(L, parts[k]);
            lua_seti(L, -2, k + 1);
        }
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
}

static int bind_learn(lua_State *L) {
    struct decomposition *d = check(L);
    double time_s = luaL_checknumber(L, 2), value = luaL_checknumber(L, 3);
    double weight = luaL_optnumber(L, 4, 1), outlier = luaL_optnumber(L, 5, 1);
    luaL_argcheck(L, weight > 0 && outlier > 0 && outlier <= 1, 4, "out of range");
    struct decomposition_news *news = box_scratch(L, sizeof *news);
    if (!decomposition_learn(d, time_s, value, weight, outlier, news))
        return luaL_error(L, "not enough memory");
    if (!news->relearn && !news->texts) return 0;
    lua_createtable(L, 0, 4);
    lua_pushboolean(L, news->relearn);
    lua_setfield(L, -2, "relearn");
    lua_pushboolean(L, news->seasonal);
    lua_setfield(L, -2, "seasonal");
    push_texts(L, news);
    lua_setfield(L, -2, "texts");
    push_residuals(L, news);
    lua_setfield(L, -2, "residuals");
    return 1;
}

static int bind_predict(lua_State *L) {
    struct expected e =
        decomposition_predict(check(L), luaL_checknumber(L, 2), luaL_optnumber(L, 3, 0));
    lua_pushnumber(L, e.mean);
    lua_pushnumber(L, e.lower);
    lua_pushnumber(L, e.upper);
    return 3;
}

static int bind_scale(lua_State *L) {
    lua_pushnumber(L, decomposition_scale(check(L), luaL_checknumber(L, 2),
                                          luaL_checknumber(L, 3), luaL_optnumber(L, 4, 0.4)));
    return 1;
}

static int bind_derate(lua_State *L) {
    lua_pushnumber(L, decomposition_derate(check(L), luaL_checknumber(L, 2)));
    return 1;
}

static int bind_age(lua_State *L) {
    decomposition_age(check(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_set_decay(lua_State *L) {
    decomposition_set_decay(check(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_shift_time(lua_State *L) {
    decomposition_shift_time(check(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_components(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)decomposition_components(check(L)));
    return 1;
}

static int bind_bytes(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)decomposition_bytes(check(L)));
    return 1;
}

static int bind_save(lua_State *L) {
    const struct decomposition *d = check(L);
    struct pack p = {0};
    decomposition_save(d, &p);
    uint8_t *bytes = box_scratch(L, p.size);
    p = (struct pack){.bytes = bytes, .capacity = p.size};
    decomposition_save(d, &p);
    lua_pushlstring(L, (const char *)bytes, p.size);
    return 1;
}

static int bind_load(lua_State *L) {
    struct unpack u = {0};
    u.bytes = (const uint8_t *)luaL_checklstring(L, 1, &u.size);
    void **box = box_new(L, SEASON);
    struct decomposition *loaded = NULL;
    struct error err;
    enum status status = decomposition_load(&u, &loaded, &err);
    *box = loaded;
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int bind_choose(lua_State *L) {
    struct season_series *x = box_scratch(L, sizeof *x);
    x->start_s = luaL_checknumber(L, 2);
    x->step_s = luaL_checknumber(L, 3);
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count <= SEASON_VALUES && x->step_s > 0, 1, "out of range");
    x->count = (size_t)count;
    for (size_t i = 0; i < x->count; i++) {
        bool there = lua_geti(L, 1, (lua_Integer)i + 1) == LUA_TNUMBER;
        x->value[i] = there ? lua_tonumber(L, -1) : 0;
        x->weight[i] = there;
        lua_pop(L, 1);
    }
    struct season_set none = {0}, chosen;
    season_choose(x, &none, 0, &chosen);
    lua_createtable(L, (int)chosen.count, 0);
    for (size_t i = 0; i < chosen.count; i++) {
        char name[SEASON_NAME_SIZE];
        lua_pushstring(L, season_name(&chosen.season[i], name));
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int luaopen_runtime_season(lua_State *L) {
    static const luaL_Reg methods[] = {{"learn", bind_learn},
                                       {"predict", bind_predict},
                                       {"scale", bind_scale},
                                       {"derate", bind_derate},
                                       {"age", bind_age},
                                       {"set_decay", bind_set_decay},
                                       {"shift_time", bind_shift_time},
                                       {"components", bind_components},
                                       {"bytes", bind_bytes},
                                       {"save", bind_save},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"new", bind_new}, {"load", bind_load}, {"choose", bind_choose}, {NULL, NULL}};
    box_class(L, SEASON, methods, bind_release);
    luaL_newlib(L, functions);
    return 1;
}
