/* bind/bind_series.c - require "runtime.series": the model of one series (model/series.h), for
 * specs and benches. Times are seconds.
 *
 *     series.new{ bucket_span_s =, watched = "both", count =, non_negative =, population = } -> s
 *     series.load(bytes) -> s | nil, err
 *     s:learn{ start_s =, value = | samples = { { time_s, value, weight } ... }, weight = 1,
 *              ageless = } -> { texts ... }, relearned
 *     s:score{ start_s =, value =, time_s = the middle, count_scale = 1, completeness = 1,
 *              weight = 1, interim = } -> { probability =, ln_single =, ... }
 *     s:explain() -> of the last score
 *     s:follow(values, start_s) -> { p ... }    learns and scores a bucket for each value
 *     s:time(values, start_s) -> nanoseconds per bucket of the same
 *     s:bounds(time_s [, confidence [, count_scale]]) -> lower, median, upper
 *     s:typical(time_s)    s:ln_tail(time_s, value, side)    s:shift_time(seconds)
 *     s:save() -> bytes    s:bytes() -> size in memory       s:last_s()
 *     series.impact(ln_single, ln_multi) -> multi-bucket impact
 *     series.correct(ln_p, ln_single, ln_anomaly) -> ln p */
#include "base/time.h"
#include "bind/bind.h"
#include "bind/box.h"
#include "model/anomaly_model.h"
#include "model/multi_bucket.h"
#include "model/series.h"
#include <lauxlib.h>

#define SERIES "runtime.series"

struct series_box {
    struct series *series;
    struct series_question question;  // the last one
    struct series_verdict verdict;
    struct decomposition_news news;
};

static const char *const sides[] = {"both", "below", "above", NULL};

static struct series_box *new_box(lua_State *L) {
    struct series_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct series_box){.series = NULL};
    luaL_setmetatable(L, SERIES);
    return box;
}

static struct series_box *check_series(lua_State *L) {
    struct series_box *box = luaL_checkudata(L, 1, SERIES);
    luaL_argcheck(L, box->series, 1, "released");
    return box;
}

static int bind_series_release(lua_State *L) {
    struct series_box *box = luaL_checkudata(L, 1, SERIES);
    series_free(box->series);
    box->series = NULL;
    return 0;
}

// --- reading tables --------------------------------------------------------------------------

static double number_of(lua_State *L, int at, const char *name, double usual) {
    lua_getfield(L, at, name);
    double value = luaL_optnumber(L, -1, usual);
    lua_pop(L, 1);
    return value;
}

static bool flag_of(lua_State *L, int at, const char *name) {
    lua_getfield(L, at, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static int bind_series_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct series_options options = {.bucket_span_s =
                                         (int64_t)number_of(L, 1, "bucket_span_s", 300),
                                     .count = flag_of(L, 1, "count"),
                                     .non_negative = flag_of(L, 1, "non_negative"),
                                     .population = flag_of(L, 1, "population")};
    luaL_argcheck(L, options.bucket_span_s > 0, 1, "bucket_span_s must be positive");
    lua_getfield(L, 1, "watched");
    options.watched = (enum tail)luaL_checkoption(L, -1, "both", sides);
    struct series_box *box = new_box(L);
    box->series = series_new(&options);
    if (!box->series) return luaL_error(L, "not enough memory");
    return 1;
}

static int bind_series_load(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    struct unpack u = {.bytes = (const uint8_t *)bytes, .size = size};
    struct series_box *box = new_box(L);
    struct error err;
    if (series_load(&u, &box->series, &err) != STATUS_OK) return bind_fail(L, &err);
    if (unpack_left(&u) == 0) return 1;
    (void)fail(&err, STATUS_INVALID, "bytes behind the series");
    return bind_fail(L, &err);
}

static int bind_series_save(lua_State *L) {
    const struct series_box *box = check_series(L);
    struct pack p = {NULL, 0, 0};
    series_save(box->series, &p);
    p = (struct pack){box_scratch(L, p.size), p.size, 0};
    series_save(box->series, &p);
    lua_pushlstring(L, (const char *)p.bytes, p.size);
    return 1;
}

// --- learning --------------------------------------------------------------------------------

/* The time of a bucket's value unless one is given: the bucket's middle. */
static double middle(const struct series_box *box, int64_t start_s) {
    return (double)start_s + (double)series_options(box->series)->bucket_span_s / 2;
}

/* Reads samples = { { time_s, value, weight } ... } at the top of the stack into scratch. */
static struct series_sample *check_samples(lua_State *L, size_t *count) {
    int list = lua_gettop(L);
    *count = (size_t)luaL_len(L, list);
    struct series_sample *samples = box_scratch(L, (*count + 1) * sizeof *samples);
    for (size_t i = 0; i < *count; i++) {
        lua_geti(L, list, (lua_Integer)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        double fields[3];
        for (int k = 0; k < 3; k++) {
            lua_geti(L, -1, k + 1);
            fields[k] = luaL_checknumber(L, -1);
            lua_pop(L, 1);
        }
        samples[i] = (struct series_sample){fields[0], fields[1], fields[2]};
        lua_pop(L, 1);
    }
    return samples;
}

static int push_news(lua_State *L, const struct decomposition_news *news) {
    lua_createtable(L, (int)news->texts, 0);
    for (size_t i = 0; i < news->texts; i++) {
        lua_pushstring(L, news->text[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushboolean(L, news->relearn);
    return 2;
}

static int bind_series_learn(lua_State *L) {
    struct series_box *box = check_series(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct series_bucket bucket = {.start_s = (int64_t)number_of(L, 2, "start_s", 0),
                                   .weight = number_of(L, 2, "weight", 1),
                                   .ageless = flag_of(L, 2, "ageless")};
    struct series_sample one = {middle(box, bucket.start_s), 0, 1};
    lua_getfield(L, 2, "samples");
    if (lua_istable(L, -1)) {
        bucket.samples = check_samples(L, &bucket.count);
    } else {
        lua_getfield(L, 2, "value");
        one.value = luaL_checknumber(L, -1);
        bucket.samples = &one;
        bucket.count = 1;
    }
    if (!series_learn(box->series, &bucket, &box->news))
        return luaL_error(L, "not enough memory");
    return push_news(L, &box->news);
}

// --- asking ----------------------------------------------------------------------------------

static void set(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void set_side(lua_State *L, const char *name, enum tail side) {
    lua_pushstring(L, sides[side]);
    lua_setfield(L, -2, name);
}

static int bind_series_score(lua_State *L) {
    struct series_box *box = check_series(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    int64_t start_s = (int64_t)number_of(L, 2, "start_s", 0);
    box->question = (struct series_question){
        .start_s = start_s,
        .time_s = number_of(L, 2, "time_s", middle(box, start_s)),
        .value = number_of(L, 2, "value", 0),
        .count_scale = number_of(L, 2, "count_scale", 1),
        .completeness = number_of(L, 2, "completeness", 1),
        .weight = number_of(L, 2, "weight", 1),
        .interim = flag_of(L, 2, "interim"),
    };
    const struct series_verdict *v = &box->verdict;
    series_score(box->series, &box->question, &box->verdict);
    lua_newtable(L);
    set(L, "probability", v->probability);
    set(L, "ln_probability", v->ln_probability);
    set(L, "ln_single", v->ln_single);
    set(L, "ln_multi", v->ln_multi);
    set(L, "ln_anomaly", v->ln_anomaly);
    set(L, "multi_bucket_impact", v->multi_bucket_impact);
    set(L, "value", v->value);
    set(L, "seasonal_scale", v->seasonal_scale);
    set_side(L, "tail", v->tail);
    set_flag(L, "multi_bucket", v->multi_bucket);
    return 1;
}

static int bind_series_explain(lua_State *L) {
    const struct series_box *box = check_series(L);
    struct series_explanation e;
    series_explain(box->series, &box->question, &box->verdict, &e);
    lua_newtable(L);
    set(L, "typical", e.typical);
    set(L, "lower", e.lower);
    set(L, "upper", e.upper);
    set(L, "typical_value", e.typical_value);
    set(L, "single_bucket_impact", e.single_bucket_impact);
    set(L, "multi_bucket_impact", e.multi_bucket_impact);
    set(L, "anomaly_characteristics_impact", e.anomaly_characteristics_impact);
    set(L, "length", e.length);
    set_side(L, "type", e.type);
    set_flag(L, "high_variance_penalty", e.high_variance_penalty);
    set_flag(L, "incomplete_bucket_penalty", e.incomplete_bucket_penalty);
    set_flag(L, "multimodal_distribution", e.multimodal_distribution);
    return 1;
}

/* Learns one value and returns its probability. */
static double follow(struct series_box *box, int64_t start_s, double value) {
    struct series_sample sample = {middle(box, start_s), value, 1};
    struct series_bucket bucket = {start_s, &sample, 1, 1, false};
    (void)series_learn(box->series, &bucket, &box->news);
    box->question = (struct series_question){start_s, sample.time_s, value, 1, 1, 1, false};
    series_score(box->series, &box->question, &box->verdict);
    return box->verdict.probability;
}

static int bind_series_follow(lua_State *L) {
    struct series_box *box = check_series(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    int64_t start_s = (int64_t)luaL_checknumber(L, 3);
    lua_Integer count = luaL_len(L, 2);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 2, i);
        double p = follow(box, start_s, luaL_checknumber(L, -1));
        lua_pop(L, 1);
        lua_pushnumber(L, p);
        lua_seti(L, -2, i);
        start_s += series_options(box->series)->bucket_span_s;
    }
    return 1;
}

static int bind_series_time(lua_State *L) {
    struct series_box *box = check_series(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    int64_t start_s = (int64_t)luaL_checknumber(L, 3);
    lua_Integer count = luaL_len(L, 2);
    double *values = box_scratch(L, ((size_t)count + 1) * sizeof *values);
    for (lua_Integer i = 0; i < count; i++) {
        lua_geti(L, 2, i + 1);
        values[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    int64_t from = time_monotonic_ns();
    for (lua_Integer i = 0; i < count; i++) {
        (void)follow(box, start_s, values[i]);
        start_s += series_options(box->series)->bucket_span_s;
    }
    lua_pushnumber(L, (double)(time_monotonic_ns() - from) / (double)(count ? count : 1));
    return 1;
}

static int bind_series_bounds(lua_State *L) {
    struct series_bounds bounds =
        series_bounds(check_series(L)->series, luaL_checknumber(L, 2), luaL_optnumber(L, 4, 1),
                      luaL_optnumber(L, 3, 0.95));
    lua_pushnumber(L, bounds.lower);
    lua_pushnumber(L, bounds.median);
    lua_pushnumber(L, bounds.upper);
    return 3;
}

static int bind_series_typical(lua_State *L) {
    lua_pushnumber(L, series_typical(check_series(L)->series, luaL_checknumber(L, 2)));
    return 1;
}

static int bind_series_ln_tail(lua_State *L) {
    enum tail side = (enum tail)luaL_checkoption(L, 4, NULL, sides);
    lua_pushnumber(L, series_ln_tail(check_series(L)->series, luaL_checknumber(L, 2),
                                     luaL_checknumber(L, 3), luaL_optnumber(L, 5, 1), side));
    return 1;
}

static int bind_series_shift_time(lua_State *L) {
    series_shift_time(check_series(L)->series, luaL_checknumber(L, 2));
    return 0;
}

static int bind_series_bytes(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)series_bytes(check_series(L)->series));
    return 1;
}

static int bind_series_last_s(lua_State *L) {
    lua_pushinteger(L, series_last_s(check_series(L)->series));
    return 1;
}

static int bind_impact(lua_State *L) {
    lua_pushnumber(L, multi_bucket_impact(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

static int bind_correct(lua_State *L) {
    lua_pushnumber(L, anomaly_model_correct(luaL_checknumber(L, 1), luaL_checknumber(L, 2),
                                            luaL_checknumber(L, 3)));
    return 1;
}

int luaopen_runtime_series(lua_State *L) {
    static const luaL_Reg methods[] = {{"learn", bind_series_learn},
                                       {"score", bind_series_score},
                                       {"explain", bind_series_explain},
                                       {"follow", bind_series_follow},
                                       {"time", bind_series_time},
                                       {"bounds", bind_series_bounds},
                                       {"typical", bind_series_typical},
                                       {"ln_tail", bind_series_ln_tail},
                                       {"shift_time", bind_series_shift_time},
                                       {"save", bind_series_save},
                                       {"bytes", bind_series_bytes},
                                       {"last_s", bind_series_last_s},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", bind_series_new},
                                         {"load", bind_series_load},
                                         {"impact", bind_impact},
                                         {"correct", bind_correct},
                                         {NULL, NULL}};
    box_class(L, SERIES, methods, bind_series_release);
    luaL_newlib(L, functions);
    return 1;
}
