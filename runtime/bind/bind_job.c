/* bind/bind_job.c - require "runtime.job": anomaly detection jobs for Lua.
 *
 *     job.new(config) -> j | nil, err              config: see job_options.h
 *     job.load(config, bytes) -> j | nil, err
 *     j:post(body[, { reset_start_ms =, reset_end_ms = }]) -> counts of this body | nil, err, counts
 *     j:feed(frame) -> counts of these rows | nil, err, counts
 *         columns are named as fields; the one named as the time field holds milliseconds
 *     j:flush{ calc_interim =, start_ms =, end_ms =, advance_ms =, skip_ms = }
 *         -> { last_finalized_bucket_end = ms or nil } | nil, err
 *     j:take_results() -> lines      of a bulk request to the results' index
 *     j:take_annotations() -> lines  of a bulk request to the annotations' index
 *     j:take_scores_changed() -> whether stored results should be scored again
 *     j:rescore(level, where, probability) -> score; nothing for what the job does not have
 *         level  "bucket_time", "record", "partition", "bucket_influencer", "influencer"
 *         where  { detector_index =, partition =, person =, field =, value = }: texts;
 *                person is the over value, without an over field the by value
 *     job.score_moved(stored, now) -> whether `now` is to be stored instead
 *     j:counts() -> counts           as named by Elastic, times in ms
 *     j:size_stats() -> stats        likewise
 *     j:position_ms() -> end of the last final bucket, nil before the first record
 *     j:update{ filters =, events =, rules =, model_plot = } -> j | nil, err
 *     j:save() -> bytes
 *     j:close()
 *
 *     job.borrow(id) -> j | nil, err     err.kind is "not_found" or "busy"
 *     job.give_back(id, j)               the job is then closed here, and at home there
 *     job.drop(id)                       forgets it
 * A borrowed job that is collected or closed is dropped: the next borrower finds none. */
#include "bind/bind.h"

#include "bind/bind_frame.h"
#include "bind/bind_job.h"
#include "bind/box.h"
#include "bind/job_keeper.h"
#include "bind/job_options.h"
#include "frame/key.h"
#include "job/job_registry.h"
#include <stdlib.h>
#include <string.h>

#define JOB "runtime.job"
#define MS 1000

struct job_box {
    struct job *job;
    char *loan;  // the key it was borrowed under; NULL when it is Lua's own
};

// The user value is the keeper of spilled series, if there is one.
static struct job_box *push_box(lua_State *L) {
    struct job_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = (struct job_box){0};
    luaL_setmetatable(L, JOB);
    return box;
}

static struct job *check_job(lua_State *L, int at) {
    struct job_box *box = luaL_checkudata(L, at, JOB);
    luaL_argcheck(L, box->job, at, "job is closed");
    return box->job;
}

static int bind_release(lua_State *L) {
    struct job_box *box = luaL_checkudata(L, 1, JOB);
    if (box->loan) job_registry_drop(box->loan);
    free(box->loan);
    job_free(box->job);
    *box = (struct job_box){0};
    return 0;
}

// --- making ---------------------------------------------------------------------------------

// Rules and plots of the configuration at an argument, for a job that has none.
static enum status configure(lua_State *L, int at, struct job *job, struct error *err) {
    unsigned parts;
    struct rulebook **rules = job_options_rules(L, at, job_analysis(job), &parts, err);
    if (!*rules) return err->status;
    job_set_rules(job, *rules, parts);
    return job_options_plot(L, at, job, err);
}

static int make(lua_State *L, const char *bytes, size_t size) {
    struct error err;
    struct job_options options = job_options_check(L, 1);
    struct job_box *box = push_box(L);
    struct analysis **analysis = job_options_analysis(L, 1, &err);
    if (!*analysis) return bind_fail(L, &err);
    struct analysis *taken = *analysis;
    *analysis = NULL;
    enum status status =
        bytes ? job_load(taken, &options, (const uint8_t *)bytes, size, &box->job, &err)
              : job_new(taken, &options, &box->job, &err);
    if (status == STATUS_OK) status = configure(L, 1, box->job, &err);
    if (status != STATUS_OK) return bind_fail(L, &err);
    lua_settop(L, bytes ? 3 : 2);
    return 1;
}

static int bind_new(lua_State *L) {
    lua_settop(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    return make(L, NULL, 0);
}

static int bind_load(lua_State *L) {
    size_t size;
    lua_settop(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *bytes = luaL_checklstring(L, 2, &size);
    return make(L, bytes, size);
}

// --- what goes into tables ------------------------------------------------------------------

static void set_count(lua_State *L, const char *name, uint64_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, int64_t ms) {
    if (ms != COUNT_NO_TIME) set_count(L, name, (uint64_t)ms);
}

void bind_job_push_counts(lua_State *L, const struct data_counts *c) {
    lua_createtable(L, 0, 16);
    set_count(L, "processed_record_count", c->processed_record_count);
    set_count(L, "processed_field_count", c->processed_field_count);
    set_count(L, "input_bytes", c->input_bytes);
    set_count(L, "input_field_count", c->input_field_count);
    set_count(L, "invalid_date_count", c->invalid_date_count);
    set_count(L, "missing_field_count", c->missing_field_count);
    set_count(L, "out_of_order_timestamp_count", c->out_of_order_timestamp_count);
    set_count(L, "empty_bucket_count", c->empty_bucket_count);
    set_count(L, "sparse_bucket_count", c->sparse_bucket_count);
    set_count(L, "bucket_count", c->bucket_count);
    set_count(L, "input_record_count", c->input_record_count);
    set_time(L, "earliest_record_timestamp", c->earliest_record_ms);
    set_time(L, "latest_record_timestamp", c->latest_record_ms);
    set_time(L, "latest_empty_bucket_timestamp", c->latest_empty_bucket_ms);
    set_time(L, "latest_sparse_bucket_timestamp", c->latest_sparse_bucket_ms);
}

// --- spilled series -----------------------------------------------------------------------

static int bind_keep(lua_State *L) {
    check_job(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

static int bind_take_released(lua_State *L) {
    size_t count;
    const uint64_t *numbers = job_take_released(check_job(L, 1), &count);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushinteger(L, (lua_Integer)numbers[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

// --- records in -----------------------------------------------------------------------------

// A moment in milliseconds at the table of an argument, as seconds; JOB_NO_TIME when absent.
static int64_t time_at(lua_State *L, int at, const char *name) {
    int64_t time_s = JOB_NO_TIME;
    if (lua_getfield(L, at, name) != LUA_TNIL) {
        int64_t ms = luaL_checkinteger(L, -1);
        time_s = ms / MS - (ms % MS < 0);
    }
    lua_pop(L, 1);
    return time_s;
}

static int push_outcome(lua_State *L, enum status status, const struct data_counts *counts,
                        const struct error *err) {
    if (status != STATUS_OK) bind_fail(L, err);
    bind_job_push_counts(L, counts);
    return status == STATUS_OK ? 1 : 3;
}

static int bind_post(lua_State *L) {
    struct job *job = check_job(L, 1);
    size_t size;
    const char *body = luaL_checklstring(L, 2, &size);
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        int64_t start_s = time_at(L, 3, "reset_start_ms"),
                end_s = time_at(L, 3, "reset_end_ms");
        if (start_s != JOB_NO_TIME)
            job_reset_buckets(job, start_s, end_s == JOB_NO_TIME ? start_s + 1 : end_s);
    }
    struct data_counts counts;
    struct error err;
    struct job_lent lent;
    job_lend_keeper(L, job, &lent);
    enum status status = job_post(job, body, size, &counts, &err);
    job_keep(job, NULL);
    return push_outcome(L, status, &counts, &err);
}

static int bind_feed(lua_State *L) {
    struct job *job = check_job(L, 1);
    const struct frame *rows = bind_frame_check(L, 2);
    struct data_counts counts;
    struct error err;
    struct job_lent lent;
    job_lend_keeper(L, job, &lent);
    enum status status = job_feed(job, rows, &counts, &err);
    job_keep(job, NULL);
    return push_outcome(L, status, &counts, &err);
}

static int bind_flush(lua_State *L) {
    struct job *job = check_job(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "calc_interim");
    struct job_flush flush = {
        .interim = lua_toboolean(L, -1),
        .start_s = time_at(L, 2, "start_ms"),
        .end_s = time_at(L, 2, "end_ms"),
        .advance_s = time_at(L, 2, "advance_ms"),
        .skip_s = time_at(L, 2, "skip_ms"),
    };
    struct error err;
    struct job_lent lent;
    job_lend_keeper(L, job, &lent);
    enum status status = job_flush(job, &flush, &err);
    job_keep(job, NULL);
    if (status != STATUS_OK) return bind_fail(L, &err);
    lua_createtable(L, 0, 1);
    int64_t finalized_s = job_finalized_s(job);
    if (finalized_s != JOB_NO_TIME) {
        lua_pushinteger(L, finalized_s * MS);
        lua_setfield(L, -2, "last_finalized_bucket_end");
    }
    return 1;
}

// --- what came out --------------------------------------------------------------------------

static int take(lua_State *L, struct bytes *lines) {
    box_push_bytes(L, lines);
    bytes_clear(lines);
    return 1;
}

static int bind_take_results(lua_State *L) { return take(L, job_results(check_job(L, 1))); }

static int bind_take_annotations(lua_State *L) {
    return take(L, job_annotations(check_job(L, 1)));
}

static int bind_take_scores_changed(lua_State *L) {
    lua_pushboolean(L, job_take_scores_changed(check_job(L, 1)));
    return 1;
}

// The key of a text in the tree; 0 when it is absent.
static uint64_t key_at(lua_State *L, int at, const char *name) {
    size_t size;
    uint64_t key = 0;
    if (lua_getfield(L, at, name) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &size);
        key = job_text_key((struct text){text, size});
    }
    lua_pop(L, 1);
    return key;
}

// The number of an influencer field: 0 when none is named, their count for one that is unknown.
static uint32_t influencer_at(lua_State *L, int at, const struct analysis *a) {
    uint32_t found = 0;
    int type = lua_getfield(L, at, "field");
    const char *field = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
    while (type != LUA_TNIL && found < a->influencer_count &&
           strcmp(a->influencers[found], field) != 0)
        found++;
    lua_pop(L, 1);
    return found;
}

static int bind_rescore(lua_State *L) {
    static const char *const levels[] = {"bucket_time",       "record",     "partition",
                                         "bucket_influencer", "influencer", NULL};
    const struct job *job = check_job(L, 1);
    const struct analysis *a = job_analysis(job);
    int level = luaL_checkoption(L, 2, NULL, levels);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_getfield(L, 3, "detector_index");
    lua_Integer detector = lua_isnil(L, -1) ? 0 : lua_tointeger(L, -1);
    double p = luaL_checknumber(L, 4);
    struct tree_place place = {
        .level = (enum tree_level)level,
        .detector = (uint32_t)detector,
        .field = influencer_at(L, 3, a),
        .partition = key_at(L, 3, "partition"),
        .person = key_at(L, 3, "person"),
        .value = key_at(L, 3, "value"),
    };
    bool of_field = level == TREE_INFLUENCER || level == TREE_BUCKET_INFLUENCER;
    bool known = detector >= 0 && (size_t)detector < a->detector_count &&
                 (!of_field || place.field < a->influencer_count) && p >= 0 && p <= 1;
    if (!known) return 0;
    lua_pushnumber(L, tree_rescore(job_tree(job), &place, p));
    return 1;
}

static int bind_score_moved(lua_State *L) {
    lua_pushboolean(L, tree_score_moved(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

static int bind_counts(lua_State *L) {
    bind_job_push_counts(L, job_counts(check_job(L, 1)));
    return 1;
}

static int bind_size_stats(lua_State *L) {
    struct result_size_stats s = job_size_stats(check_job(L, 1));
    lua_createtable(L, 0, 12);
    set_count(L, "model_bytes", s.model_bytes);
    set_count(L, "peak_model_bytes", s.peak_bytes);
    set_count(L, "model_bytes_exceeded", s.exceeded_bytes);
    set_count(L, "model_bytes_memory_limit", s.limit_bytes);
    set_count(L, "total_by_field_count", s.by_fields);
    set_count(L, "total_over_field_count", s.over_fields);
    set_count(L, "total_partition_field_count", s.partition_fields);
    set_count(L, "bucket_allocation_failures_count", s.failures);
    set_count(L, "spilled_model_count", s.spilled);
    set_count(L, "log_time", (uint64_t)s.now_ms);
    set_count(L, "timestamp", (uint64_t)(s.time_s * MS));
    lua_pushstring(L, s.status);
    lua_setfield(L, -2, "memory_status");
    return 1;
}

static int bind_position_ms(lua_State *L) {
    int64_t position_s = job_finalized_s(check_job(L, 1));
    if (position_s == JOB_NO_TIME)
        lua_pushnil(L);
    else
        lua_pushinteger(L, position_s * MS);
    return 1;
}

// --- changes and keeping --------------------------------------------------------------------

static int bind_update(lua_State *L) {
    struct job *job = check_job(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct error err;
    if (configure(L, 2, job, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int bind_save(lua_State *L) {
    const struct job *job = check_job(L, 1);
    struct pack p = {0};
    job_save(job, &p);  // tells the size
    luaL_Buffer buffer;
    size_t size = p.size;
    p = (struct pack){.bytes = (uint8_t *)luaL_buffinitsize(L, &buffer, size),
                      .capacity = size};
    job_save(job, &p);
    luaL_pushresultsize(&buffer, size);
    return 1;
}

// --- the registry ---------------------------------------------------------------------------

static int bind_borrow(lua_State *L) {
    const char *key = luaL_checkstring(L, 1);
    struct job_box *box = push_box(L);
    struct error err;
    box->loan = strdup(key);
    if (!box->loan) return luaL_error(L, "no memory for a key");
    if (job_registry_borrow(key, &box->job, &err) == STATUS_OK) return 1;
    free(box->loan);  // nothing is lent: releasing the box must not end another's loan
    box->loan = NULL;
    return bind_fail(L, &err);
}

static int bind_give_back(lua_State *L) {
    const char *key = luaL_checkstring(L, 1);
    struct job_box *box = luaL_checkudata(L, 2, JOB);
    luaL_argcheck(L, box->job, 2, "job is closed");
    luaL_argcheck(L, !box->loan || strcmp(box->loan, key) == 0, 1, "job has another key");
    struct error err;
    if (job_registry_give_back(key, box->job, &err) != STATUS_OK) return bind_fail(L, &err);
    free(box->loan);
    *box = (struct job_box){0};
    lua_pushboolean(L, true);
    return 1;
}

static int bind_drop(lua_State *L) {
    job_registry_drop(luaL_checkstring(L, 1));
    return 0;
}

int luaopen_runtime_job(lua_State *L) {
    static const luaL_Reg methods[] = {{"post", bind_post},
                                       {"feed", bind_feed},
                                       {"flush", bind_flush},
                                       {"take_results", bind_take_results},
                                       {"take_annotations", bind_take_annotations},
                                       {"take_scores_changed", bind_take_scores_changed},
                                       {"rescore", bind_rescore},
                                       {"counts", bind_counts},
                                       {"size_stats", bind_size_stats},
                                       {"position_ms", bind_position_ms},
                                       {"update", bind_update},
                                       {"save", bind_save},
                                       {"keep", bind_keep},
                                       {"take_released", bind_take_released},
                                       {"close", bind_release},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", bind_new},
                                         {"load", bind_load},
                                         {"score_moved", bind_score_moved},
                                         {"borrow", bind_borrow},
                                         {"give_back", bind_give_back},
                                         {"drop", bind_drop},
                                         {NULL, NULL}};
    box_class(L, JOB, methods, bind_release);
    luaL_newlib(L, functions);
    return 1;
}
