/* bind/bind_model_parts.c - require "runtime.model_parts": pieces of the forest's pipeline,
 * each by itself, for specs and for models written in Lua.
 *
 *     parts.probe(model, point[, missing]) -> { score =, imputed = {},
 *             high = {}, low = {},        shares of the score
 *             above = {}, below = {},     distances from what the forest knows
 *             neighbours = { { point = {}, trees =, distance = }, ... } } | nil, err
 *         point: coordinates of a whole shingle, oldest row first; missing: { true at those
 *         places that imputed[] shall fill in }
 *     parts.scales(model) -> shift[], scale[]  of the next row's values
 *     parts.time(model, point, rounds) -> { score =, attribution =, impute =, neighbours = }
 *         nanoseconds of one call of each, measured over some rounds
 *     parts.threshold(options) -> t      options as model.new{}
 *         t:ask(score) -> threshold, grade
 *         t:learn(score, corrected, last)
 *     parts.transform(options) -> t      of one feature
 *         t:ask(value) -> coordinate, shift, scale
 *         t:learn(value) */
#include "base/time.h"
#include "bind/bind.h"
#include "bind/box.h"
#include "bind/model_options.h"
#include "model/attribution.h"
#include "model/conditional.h"
#include "model/forest_model.h"
#include "model/threshold.h"
#include "model/transform.h"
#include <lauxlib.h>
#include <stdlib.h>

#define MODEL "runtime.model"
#define THRESHOLD "runtime.model_parts.threshold"
#define TRANSFORM "runtime.model_parts.transform"

// --- probing the trees -----------------------------------------------------------------------

static const struct forest *check_forest(lua_State *L) {
    struct model **box = luaL_checkudata(L, 1, MODEL);
    const struct forest *f = *box ? forest_model_forest(*box) : NULL;
    luaL_argcheck(L, f, 1, "not a forest");
    return f;
}

static void check_point(lua_State *L, int at, size_t dims, float *point) {
    luaL_checktype(L, at, LUA_TTABLE);
    for (size_t i = 0; i < dims; i++) {
        lua_geti(L, at, (lua_Integer)i + 1);
        double value = luaL_checknumber(L, -1);
        luaL_argcheck(L, value >= -FOREST_MAX && value <= FOREST_MAX, at, "out of range");
        point[i] = (float)value + 0.0f;
        lua_pop(L, 1);
    }
}

static void check_marks(lua_State *L, int at, size_t dims, uint8_t *marks) {
    for (size_t i = 0; i < dims; i++) {
        marks[i] = 0;
        if (!lua_istable(L, at)) continue;
        lua_geti(L, at, (lua_Integer)i + 1);
        marks[i] = lua_toboolean(L, -1) != 0;
        lua_pop(L, 1);
    }
}

static void push_doubles(lua_State *L, const double *values, size_t count) {
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_doubles(lua_State *L, const char *name, const double *values, size_t count) {
    push_doubles(L, values, count);
    lua_setfield(L, -2, name);
}

static void set_floats(lua_State *L, const char *name, const float *values, size_t count) {
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushnumber(L, (lua_Number)values[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

static void set_neighbours(lua_State *L, const struct forest *f, const float *point) {
    struct neighbour *list = lua_newuserdatauv(L, f->trees * sizeof *list, 0);
    size_t count = forest_neighbours(f, point, list);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 3);
        set_floats(L, "point", tree_point(&f->space, list[i].row), f->space.dims);
        lua_pushinteger(L, list[i].trees);
        lua_setfield(L, -2, "trees");
        lua_pushnumber(L, list[i].distance);
        lua_setfield(L, -2, "distance");
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_remove(L, -2);
    lua_setfield(L, -2, "neighbours");
}

static int bind_probe(lua_State *L) {
    const struct forest *f = check_forest(L);
    size_t dims = f->space.dims;
    float point[TREE_MAX_DIMS];
    uint8_t marks[TREE_MAX_DIMS];
    double high[TREE_MAX_DIMS], low[TREE_MAX_DIMS];
    check_point(L, 2, dims, point);
    check_marks(L, 3, dims, marks);
    forest_attribution(f, point, high, low);
    lua_createtable(L, 0, 7);
    lua_pushnumber(L, forest_score(f, point));
    lua_setfield(L, -2, "score");
    set_doubles(L, "high", high, dims);
    set_doubles(L, "low", low, dims);
    forest_distance(f, point, high, low);
    set_doubles(L, "above", high, dims);
    set_doubles(L, "below", low, dims);
    set_neighbours(L, f, point);
    struct error err;
    if (forest_impute(f, point, marks, &err) != STATUS_OK) return bind_fail(L, &err);
    set_floats(L, "imputed", point, dims);
    return 1;
}

/* parts.scales(model) -> shift[], scale[] */
static int bind_scales(lua_State *L) {
    struct model **box = luaL_checkudata(L, 1, MODEL);
    double shift[MODEL_MAX_FEATURES], scale[MODEL_MAX_FEATURES];
    luaL_argcheck(L, *box && forest_model_scales(*box, shift, scale), 1, "not a forest");
    size_t features = model_options(*box)->features;
    push_doubles(L, shift, features);
    push_doubles(L, scale, features);
    return 2;
}

// --- timing ----------------------------------------------------------------------------------

struct timing {
    const struct forest *forest;
    float point[TREE_MAX_DIMS];
    uint8_t marks[TREE_MAX_DIMS];
    double high[TREE_MAX_DIMS], low[TREE_MAX_DIMS];
    struct neighbour *list;
    double sink;
};

static void time_score(struct timing *t) { t->sink += forest_score(t->forest, t->point); }

static void time_attribution(struct timing *t) {
    forest_attribution(t->forest, t->point, t->high, t->low);
}

static void time_impute(struct timing *t) {
    float copy[TREE_MAX_DIMS];
    memcpy(copy, t->point, t->forest->space.dims * sizeof *copy);
    struct error err;
    (void)forest_impute(t->forest, copy, t->marks, &err);
}

static void time_neighbours(struct timing *t) {
    t->sink += (double)forest_neighbours(t->forest, t->point, t->list);
}

static void set_time(lua_State *L, const char *name, struct timing *t, lua_Integer rounds,
                     void (*body)(struct timing *)) {
    int64_t start = time_monotonic_ns();
    for (lua_Integer i = 0; i < rounds; i++)
        body(t);
    lua_pushnumber(L, (double)(time_monotonic_ns() - start) / (double)rounds);
    lua_setfield(L, -2, name);
}

static int bind_time(lua_State *L) {
    const struct forest *f = check_forest(L);
    lua_Integer rounds = luaL_checkinteger(L, 3);
    luaL_argcheck(L, rounds >= 1, 3, "at least one round");
    struct timing *t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = (struct timing){.forest = f};
    check_point(L, 2, f->space.dims, t->point);
    memset(t->marks + f->space.dims - f->width, 1, f->width);  // the newest row
    t->list = lua_newuserdatauv(L, f->trees * sizeof *t->list, 0);
    lua_createtable(L, 0, 4);
    set_time(L, "score", t, rounds, time_score);
    set_time(L, "attribution", t, rounds, time_attribution);
    set_time(L, "impute", t, rounds, time_impute);
    set_time(L, "neighbours", t, rounds, time_neighbours);
    return 1;
}

// --- threshold -------------------------------------------------------------------------------

struct threshold_box {
    struct model_options options;
    struct threshold threshold;
};

static int bind_threshold_new(lua_State *L) {
    struct model_options options = bind_check_model_options(L, 1);
    struct threshold_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct threshold_box){.options = options};
    luaL_setmetatable(L, THRESHOLD);
    return 1;
}

static int bind_threshold_ask(lua_State *L) {
    struct threshold_box *box = luaL_checkudata(L, 1, THRESHOLD);
    struct threshold_answer a =
        threshold_ask(&box->threshold, &box->options, luaL_checknumber(L, 2));
    lua_pushnumber(L, a.threshold);
    lua_pushnumber(L, a.grade);
    return 2;
}

static int bind_threshold_learn(lua_State *L) {
    struct threshold_box *box = luaL_checkudata(L, 1, THRESHOLD);
    threshold_learn(&box->threshold, &box->options, luaL_checknumber(L, 2),
                    luaL_checknumber(L, 3), luaL_checknumber(L, 4));
    return 0;
}

// --- transform -------------------------------------------------------------------------------

struct transform_box {
    struct model_options options;
    struct transform transform;
};

static int bind_transform_new(lua_State *L) {
    struct model_options options = bind_check_model_options(L, 1);
    struct transform_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct transform_box){.options = options};
    luaL_setmetatable(L, TRANSFORM);
    return 1;
}

static int bind_transform_ask(lua_State *L) {
    struct transform_box *box = luaL_checkudata(L, 1, TRANSFORM);
    enum transform_method method = box->options.transform;
    double shift = transform_shift(&box->transform, method);
    double scale = transform_scale(&box->transform, method);
    lua_pushnumber(L,
                   (lua_Number)transform_apply(method, shift, scale, luaL_checknumber(L, 2)));
    lua_pushnumber(L, shift);
    lua_pushnumber(L, scale);
    return 3;
}

static int bind_transform_learn(lua_State *L) {
    struct transform_box *box = luaL_checkudata(L, 1, TRANSFORM);
    transform_learn(&box->transform, box->options.time_decay, luaL_checknumber(L, 2), false);
    return 0;
}

int luaopen_runtime_model_parts(lua_State *L) {
    static const luaL_Reg threshold_methods[] = {
        {"ask", bind_threshold_ask}, {"learn", bind_threshold_learn}, {NULL, NULL}};
    static const luaL_Reg transform_methods[] = {
        {"ask", bind_transform_ask}, {"learn", bind_transform_learn}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"probe", bind_probe},
                                         {"scales", bind_scales},
                                         {"time", bind_time},
                                         {"threshold", bind_threshold_new},
                                         {"transform", bind_transform_new},
                                         {NULL, NULL}};
    box_class(L, THRESHOLD, threshold_methods, NULL);
    box_class(L, TRANSFORM, transform_methods, NULL);
    luaL_newlib(L, functions);
    return 1;
}
