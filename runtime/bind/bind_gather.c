/* bind/bind_gather.c - require "runtime.gather": the way of records into buckets by itself, for
 * specs and benchmarks. Jobs have theirs inside.
 *
 *     gather.new(config[, limits]) -> g | nil, err      config: see job_options.h
 *             limits { cells =, bytes =, silent = }: cells that are admitted, bytes of
 *             gather_set_limit(); silent: nothing is kept of the buckets that close
 *     gather.load(config, bytes) -> g | nil, err
 *     g:post(body) -> counts | nil, err, counts          g:feed(frame) -> the same
 *     g:reset(start_s, end_s)    g:advance(time_s)    g:skip(time_s)
 *     g:prune(before_s) -> the number of cells that went
 *     g:position_s() -> start of the oldest open bucket, or nil     g:counts()     g:size()
 *     g:take() -> lines of JSON, one per bucket that closed
 *         {"start":0,"events":2,"partial":false,"refused":0,"detectors":[[ cell, ... ], ... ]}
 *         cell = {"partition":"eu","by":"x","over":null,"model":0,"count":2,"per_sample":1,
 *                 "frequent":false,"values":[1.5],"samples":[[[time,count,value,value2]]],
 *                 "times":[[time,count,value]],"slices":{"field":{"text":[count,value]}}}
 *         values, samples: one per feature; a value that is not there is null
 *     g:open() -> the same lines for the buckets that are open
 *     g:save() -> bytes */
#include "bind/bind.h"
#include "bind/bind_frame.h"
#include "bind/bind_job.h"
#include "bind/box.h"
#include "bind/job_options.h"
#include "job/gather.h"
#include <math.h>
#include <string.h>

#define GATHER "runtime.gather"

struct gather_box {
    struct analysis *analysis;
    struct gather *gather;
    struct bytes lines;
    size_t admitted, most;  // cells; most 0: any number
    size_t gone;
};

static int bind_release(lua_State *L) {
    struct gather_box *box = luaL_checkudata(L, 1, GATHER);
    gather_free(box->gather);
    analysis_free(box->analysis);
    bytes_free(&box->lines);
    *box = (struct gather_box){0};
    return 0;
}

static struct gather_box *check(lua_State *L) {
    struct gather_box *box = luaL_checkudata(L, 1, GATHER);
    luaL_argcheck(L, box->gather, 1, "gather is closed");
    return box;
}

// --- buckets as lines ------------------------------------------------------------------------

static void put_text(struct bytes *out, const struct gather *g, const char *name, uint32_t id) {
    size_t size;
    bytes_append_format(out, "\"%s\":", name);
    if (id == GATHER_NONE) {
        bytes_append_text(out, "null,");
        return;
    }
    const char *text = gather_text(g, id, &size);
    bytes_append_quoted(out, text, size);
    bytes_append_char(out, ',');
}

static void put_value(struct bytes *out, const struct gather_bucket *b, size_t detector,
                      const struct feature *f, const struct tally *t) {
    double value[FEATURE_VALUES];
    bool valued = gather_value(b, detector, f, t, value);
    if (f->statistic == STATISTIC_LOCATION && valued) bytes_append_char(out, '[');
    bytes_append_double(out, valued ? value[0] : NAN);
    if (f->statistic != STATISTIC_LOCATION || !valued) return;
    bytes_append_char(out, ',');
    bytes_append_double(out, value[1]);
    bytes_append_char(out, ']');
}

static void put_list(struct bytes *out, const struct sample *list, size_t count) {
    bytes_append_char(out, '[');
    for (size_t i = 0; i < count; i++)
        bytes_append_format(out, "%s[%.17g,%.17g,%.17g,%.17g]", i ? "," : "", list[i].time_s,
                            list[i].count, list[i].value[0], list[i].value[1]);
    bytes_append_char(out, ']');
}

// The slices of one influencer field: {"text":[count,value],...}
static void put_slices(struct gather_box *box, const struct gather_bucket *b, size_t detector,
                       const struct feature *f, uint32_t first, uint32_t influencer) {
    struct bytes *out = &box->lines;
    bool another = false;
    for (uint32_t at = first; at != TALLY_NONE;) {
        const struct gather_slice *s = gather_slice(b, detector, at);
        at = s->next;
        if (s->influencer != influencer) continue;
        size_t size;
        const char *text = gather_text(box->gather, s->value, &size);
        if (another) bytes_append_char(out, ',');
        another = true;
        bytes_append_quoted(out, text, size);
        bytes_append_format(out, ":[%g,", s->tally.count);
        put_value(out, b, detector, f, &s->tally);
        bytes_append_char(out, ']');
    }
}

static void put_influencers(struct gather_box *box, const struct gather_bucket *b,
                            size_t detector, const struct feature *f, const struct tally *t) {
    const struct analysis *a = box->analysis;
    bytes_append_text(&box->lines, "\"slices\":{");
    for (uint32_t i = 0; i < a->influencer_count; i++) {
        if (i) bytes_append_char(&box->lines, ',');
        bytes_append_quoted(&box->lines, a->influencers[i], strlen(a->influencers[i]));
        bytes_append_text(&box->lines, ":{");
        put_slices(box, b, detector, f, t->slices, i);
        bytes_append_char(&box->lines, '}');
    }
    bytes_append_text(&box->lines, "}}");
}

static enum status put_samples(struct gather_box *box, struct gather_bucket *b, size_t detector,
                               uint32_t cell, const struct feature *features, size_t count,
                               struct error *err) {
    bytes_append_text(&box->lines, "\"samples\":[");
    for (size_t i = 0; i < count; i++) {
        const struct sample *samples;
        size_t sample_count;
        enum status status =
            gather_samples(b, detector, cell, &features[i], &samples, &sample_count, err);
        if (status != STATUS_OK) return status;
        if (i) bytes_append_char(&box->lines, ',');
        put_list(&box->lines, samples, sample_count);
    }
    bytes_append_text(&box->lines, "],");
    return STATUS_OK;
}

static enum status put_cell(struct gather_box *box, struct gather_bucket *b, size_t detector,
                            uint32_t number, struct error *err) {
    struct feature features[FEATURES_MAX];
    size_t count = detector_features(&box->analysis->detectors[detector], features), times;
    const struct gather_cell *cell = gather_cell(box->gather, detector, number);
    const struct tally *t = gather_tally(b, detector, number);
    struct bytes *out = &box->lines;
    bytes_append_char(out, '{');
    put_text(out, box->gather, "partition", cell->partition);
    put_text(out, box->gather, "by", cell->by);
    put_text(out, box->gather, "over", cell->over);
    bytes_append_format(
        out, "\"model\":%u,\"count\":%.17g,\"per_sample\":%.17g,\"frequent\":%s,", cell->model,
        t->count, gather_sample_count(box->gather, detector, cell->model),
        gather_frequent(box->gather, detector, number) ? "true" : "false");
    bytes_append_text(out, "\"values\":[");
    for (size_t i = 0; i < count; i++) {
        if (i) bytes_append_char(out, ',');
        put_value(out, b, detector, &features[i], t);
    }
    bytes_append_text(out, "],");
    enum status status = put_samples(box, b, detector, number, features, count, err);
    if (status != STATUS_OK) return status;
    bytes_append_text(out, "\"times\":");
    const struct sample *list = gather_times(b, t, &times);
    bool timed = features[0].statistic == STATISTIC_TIME;
    put_list(out, list, timed ? times : 0);
    bytes_append_char(out, ',');
    put_influencers(box, b, detector, &features[0], t);
    return STATUS_OK;
}

static enum status put_bucket(void *context, struct gather_bucket *b, struct error *err) {
    struct gather_box *box = context;
    struct bytes *out = &box->lines;
    enum status status = STATUS_OK;
    bytes_append_format(out,
                        "{\"start\":%lld,\"events\":%.17g,\"partial\":%s,\"refused\":%llu,",
                        (long long)gather_bucket_start_s(b), gather_bucket_events(b),
                        gather_bucket_partial(b) ? "true" : "false",
                        (unsigned long long)gather_bucket_refused(b));
    bytes_append_text(out, "\"detectors\":[");
    for (size_t i = 0; i < box->analysis->detector_count; i++) {
        size_t count;
        const uint32_t *cells = gather_touched(b, i, &count);
        bytes_append_text(out, i ? ",[" : "[");
        for (size_t j = 0; j < count && status == STATUS_OK; j++) {
            if (j) bytes_append_char(out, ',');
            status = put_cell(box, b, i, cells[j], err);
        }
        bytes_append_char(out, ']');
    }
    bytes_append_text(out, "]}\n");
    if (status != STATUS_OK || bytes_ok(out)) return status;
    return fail(err, STATUS_NO_MEMORY, "no memory for the lines of a bucket");
}

static bool admit(void *context, size_t detector) {
    struct gather_box *box = context;
    (void)detector;
    if (box->most && box->admitted >= box->most) return false;
    box->admitted++;
    return true;
}

// --- methods ---------------------------------------------------------------------------------

static struct gather_box *make(lua_State *L, struct error *err) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct gather_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct gather_box){0};
    luaL_setmetatable(L, GATHER);
    struct analysis **analysis = job_options_analysis(L, 1, err);
    box->analysis = *analysis;
    *analysis = NULL;
    lua_pop(L, 1);
    if (!box->analysis || gather_new(box->analysis, &box->gather, err) != STATUS_OK)
        return NULL;
    gather_listen(box->gather, &(struct gather_listener){box, put_bucket, admit});
    return box;
}

static size_t size_at(lua_State *L, int at, const char *name) {
    lua_getfield(L, at, name);
    lua_Integer size = luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
    return (size_t)size;
}

static int bind_new(lua_State *L) {
    struct error err;
    lua_settop(L, 2);
    struct gather_box *box = make(L, &err);
    if (!box) return bind_fail(L, &err);
    if (lua_istable(L, 2)) {
        box->most = size_at(L, 2, "cells");
        gather_set_limit(box->gather, size_at(L, 2, "bytes"));
        lua_getfield(L, 2, "silent");
        if (lua_toboolean(L, -1))
            gather_listen(box->gather, &(struct gather_listener){.context = box});
        lua_pop(L, 1);
    }
    return 1;
}

static int bind_load(lua_State *L) {
    struct error err;
    size_t size;
    lua_settop(L, 2);
    const char *bytes = luaL_checklstring(L, 2, &size);
    struct gather_box *box = make(L, &err);
    if (!box) return bind_fail(L, &err);
    struct unpack in = {.bytes = (const uint8_t *)bytes, .size = size};
    if (gather_load(box->gather, &in, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int outcome(lua_State *L, enum status status, const struct data_counts *counts,
                   const struct error *err) {
    if (status != STATUS_OK) bind_fail(L, err);
    bind_job_push_counts(L, counts);
    return status == STATUS_OK ? 1 : 3;
}

static int bind_post(lua_State *L) {
    struct gather_box *box = check(L);
    struct data_counts counts;
    struct error err;
    size_t size;
    const char *body = luaL_checklstring(L, 2, &size);
    return outcome(L, gather_post(box->gather, body, size, &counts, &err), &counts, &err);
}

static int bind_feed(lua_State *L) {
    struct gather_box *box = check(L);
    struct data_counts counts;
    struct error err;
    const struct frame *rows = bind_frame_check(L, 2);
    return outcome(L, gather_feed(box->gather, rows, &counts, &err), &counts, &err);
}

static int bind_reset(lua_State *L) {
    gather_reset(check(L)->gather, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return 0;
}

static int bind_advance(lua_State *L) {
    struct error err;
    if (gather_advance(check(L)->gather, luaL_checkinteger(L, 2), &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int bind_skip(lua_State *L) {
    gather_skip(check(L)->gather, luaL_checkinteger(L, 2));
    return 0;
}

static void count_gone(void *context, uint32_t cell) {
    struct gather_box *box = context;
    (void)cell;
    box->gone++;
}

static int bind_prune(lua_State *L) {
    struct gather_box *box = check(L);
    box->gone = 0;
    for (size_t i = 0; i < box->analysis->detector_count; i++)
        gather_prune(box->gather, i, luaL_checkinteger(L, 2), count_gone, NULL, box);
    lua_pushinteger(L, (lua_Integer)box->gone);
    return 1;
}

static int bind_position_s(lua_State *L) {
    int64_t position_s;
    if (gather_position_s(check(L)->gather, &position_s))
        lua_pushinteger(L, position_s);
    else
        lua_pushnil(L);
    return 1;
}

static int bind_counts(lua_State *L) {
    bind_job_push_counts(L, gather_counts(check(L)->gather));
    return 1;
}

static int bind_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)gather_size(check(L)->gather));
    return 1;
}

static int bind_take(lua_State *L) {
    struct gather_box *box = check(L);
    box_push_bytes(L, &box->lines);
    bytes_clear(&box->lines);
    return 1;
}

static int bind_open(lua_State *L) {
    struct gather_box *box = check(L);
    struct error err;
    struct gather_bucket *b;
    for (size_t i = 0; (b = gather_open(box->gather, i)); i++)
        if (put_bucket(box, b, &err) != STATUS_OK) return bind_fail(L, &err);
    return bind_take(L);
}

static int bind_save(lua_State *L) {
    const struct gather *g = check(L)->gather;
    struct pack p = {0};
    luaL_Buffer buffer;
    gather_save(g, &p);  // tells the size
    p.capacity = p.size;
    p.bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, p.size);
    p.size = 0;
    gather_save(g, &p);
    luaL_pushresultsize(&buffer, p.size);
    return 1;
}

int luaopen_runtime_gather(lua_State *L) {
    static const luaL_Reg methods[] = {{"post", bind_post},
                                       {"feed", bind_feed},
                                       {"reset", bind_reset},
                                       {"advance", bind_advance},
                                       {"skip", bind_skip},
                                       {"prune", bind_prune},
                                       {"counts", bind_counts},
                                       {"size", bind_size},
                                       {"position_s", bind_position_s},
                                       {"take", bind_take},
                                       {"open", bind_open},
                                       {"save", bind_save},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", bind_new}, {"load", bind_load}, {NULL, NULL}};
    box_class(L, GATHER, methods, bind_release);
    luaL_newlib(L, functions);
    return 1;
}
