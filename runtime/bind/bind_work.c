/* bind/bind_work.c - require "runtime.work" and "runtime.schedule": jobs by the name of a Lua
 * function, run on some worker now or when they are due. */
#include "base/log.h"
#include "base/time.h"
#include "bind/bind.h"
#include "bind/box.h"
#include "bind/state.h"
#include "bind/work.h"
#include "bind/worker.h"
#include "work/pool.h"
#include "work/schedule.h"
#include "work/turn.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How long an entry that was due waits when the queue was full.
#define RETRY_MS 1000
#define TURN "runtime.turn"

/* A call of require(module)[func](args). Its texts stand behind it in one block. */
struct call {
    struct pool_job job;  // first: the pool hands this back
    struct schedule_entry entry;
    struct host *host;
    const char *module, *func, *args;
    size_t args_size;
    char texts[];
};

// --- running ---------------------------------------------------------------------------------

static int call_function(lua_State *L) {
    const struct call *call = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushstring(L, call->module);
    lua_call(L, 1, 1);
    if (lua_getfield(L, -1, call->func) != LUA_TFUNCTION)
        return luaL_error(L, "%s has no function '%s'", call->module, call->func);
    lua_pushlstring(L, call->args, call->args_size);
    lua_call(L, 1, 2);
    if (lua_isnil(L, -2) && !lua_isnil(L, -1)) return lua_error(L);  // nil, err
    return 0;
}

static void log_failure(lua_State *L, const struct call *call) {
    const char *reason;
    if (lua_istable(L, -1) && lua_getfield(L, -1, "reason") == LUA_TSTRING)
        reason = lua_tostring(L, -1);
    else
        reason = luaL_tolstring(L, -1, NULL);
    log_event(LOG_LEVEL_ERROR, "job_failed", log_text("module", call->module),
              log_text("func", call->func), log_text("key", call->job.key ? call->job.key : ""),
              log_text("reason", reason));
}

static void job_run(struct pool_job *job, void *worker) {
    struct call *call = (struct call *)job;
    lua_State *L = worker_state(worker);
    lua_pushcfunction(L, call_function);
    lua_pushlightuserdata(L, call);
    if (state_call(L, 1, 0) != LUA_OK && !pool_job_cancelled()) log_failure(L, call);
    lua_settop(L, 0);
}

static void job_end(struct pool_job *job, enum status how) {
    (void)how;
    free(job);
}

static const struct pool_job_class call_job = {.run = job_run, .end = job_end};

// --- making ----------------------------------------------------------------------------------

// Copies a text and its terminator to *at, moves *at behind it and returns the copy.
static const char *copy_text(char **at, const char *text, size_t size) {
    char *copy = memcpy(*at, text, size);
    copy[size] = 0;
    *at += size + 1;
    return copy;
}

struct call_texts {
    const char *module, *func, *args, *key;  // key may be NULL
    size_t args_size;
};

// Makes a call; NULL when memory runs out. It is freed by its job's end or by the schedule.
static struct call *call_new(struct host *host, const struct call_texts *texts) {
    size_t module = strlen(texts->module), func = strlen(texts->func);
    size_t key = texts->key ? strlen(texts->key) : 0;
    struct call *call = calloc(1, sizeof *call + module + func + key + texts->args_size + 4);
    if (!call) return NULL;
    char *at = call->texts;
    call->host = host;
    call->module = copy_text(&at, texts->module, module);
    call->func = copy_text(&at, texts->func, func);
    call->args = copy_text(&at, texts->args, texts->args_size);
    call->args_size = texts->args_size;
    if (texts->key) call->job.key = copy_text(&at, texts->key, key);
    call->job.class = &call_job;
    call->job.lane = LANE_BACKGROUND;
    return call;
}

// As call_new(), from the strings at four indices; raises when memory runs out.
static struct call *check_call(lua_State *L, int module, int func, int args, int key) {
    struct call_texts texts = {.module = luaL_checkstring(L, module),
                               .func = luaL_checkstring(L, func),
                               .key = luaL_optstring(L, key, NULL)};
    texts.args = luaL_optlstring(L, args, "", &texts.args_size);
    struct call *call = call_new(state_host(L), &texts);
    if (!call) luaL_error(L, "not enough memory for a job");
    return call;
}

enum status work_submit(struct host *h, const char *module, const char *func, const char *args,
                        struct error *err) {
    char key[256];
    snprintf(key, sizeof key, "%s.%s", module, func);
    struct call *call = call_new(h, &(struct call_texts){.module = module,
                                                         .func = func,
                                                         .args = args,
                                                         .args_size = strlen(args),
                                                         .key = key});
    if (!call) return fail(err, STATUS_NO_MEMORY, "not enough memory for a job");
    enum status status = pool_submit(h->pool, &call->job, err);
    if (status != STATUS_OK) free(call);
    return status;
}

static int no_server(lua_State *L) {
    struct error err;
    fail(&err, STATUS_FAILED, "this process has no workers: it is not a server");
    return bind_fail(L, &err);
}

static enum lane check_lane(lua_State *L, int at) {
    static const char *const names[] = {"interactive", "background", NULL};
    return (enum lane)luaL_checkoption(L, at, "background", names);
}

/* work.submit{ module=, func=, args=, lane = "interactive" | "background", key=, deadline_ms= }
 *   -> true | nil, err
 * Runs require(module)[func](args) on some worker. args is a string, "" when absent; no two
 * jobs of one key run at a time; deadline_ms counts from now; the lane is background unless
 * said. busy: the queue is full. What the function raises or returns as nil, err is logged. */
static int bind_work_submit(lua_State *L) {
    static const char *const fields[] = {"module", "func", "args",
                                         "key",    "lane", "deadline_ms"};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        lua_getfield(L, 1, fields[i]);  // at index i + 2
    enum lane lane = check_lane(L, 6);
    lua_Integer deadline_ms = luaL_optinteger(L, 7, 0);
    struct pool *pool = state_host(L)->pool;
    if (!pool) return no_server(L);

    struct call *call = check_call(L, 2, 3, 4, 5);
    call->job.lane = lane;
    if (deadline_ms > 0) call->job.deadline_ns = time_monotonic_ns() + deadline_ms * 1000000;
    struct error err;
    if (pool_submit(pool, &call->job, &err) != STATUS_OK) {
        free(call);
        return bind_fail(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* work.cancel(key) -> how many jobs of that key were dropped or told to stop */
static int bind_work_cancel(lua_State *L) {
    const char *key = luaL_checkstring(L, 1);
    struct pool *pool = state_host(L)->pool;
    lua_pushinteger(L, pool ? (lua_Integer)pool_cancel_key(pool, key) : 0);
    return 1;
}

/* work.cancelled() -> the present job should stop */
static int bind_work_cancelled(lua_State *L) {
    lua_pushboolean(L, pool_job_cancelled());
    return 1;
}

/* work.check(): raises a `cancelled` error when the present job should stop */
static int bind_work_check(lua_State *L) {
    if (!pool_job_cancelled()) return 0;
    struct error err;
    fail(&err, STATUS_CANCELLED, "the job was cancelled or ran out of time");
    bind_fail(L, &err);
    return lua_error(L);
}

/* work.counts() -> { workers=, running = { interactive=, background= }, waiting = { ... } } */
static int bind_work_counts(lua_State *L) {
    struct pool *pool = state_host(L)->pool;
    if (!pool) return no_server(L);
    struct pool_counts counts = pool_counts(pool);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, counts.workers);
    lua_setfield(L, -2, "workers");
    for (int waiting = 0; waiting < 2; waiting++) {
        lua_createtable(L, 0, 2);
        for (int lane = 0; lane < LANES; lane++) {
            lua_pushinteger(L, waiting ? (lua_Integer)counts.waiting[lane]
                                       : (lua_Integer)counts.running[lane]);
            lua_setfield(L, -2, lane == LANE_INTERACTIVE ? "interactive" : "background");
        }
        lua_setfield(L, -2, waiting ? "waiting" : "running");
    }
    return 1;
}

// --- the schedule ----------------------------------------------------------------------------

static struct call *call_of(struct schedule_entry *entry) {
    return (void *)((char *)entry - offsetof(struct call, entry));
}

// On the loop thread: what is due becomes a background job; a full queue puts it off.
void work_fire(void *host, struct schedule_entry *entry) {
    struct call *call = call_of(entry);
    struct host *h = host;
    struct error err;
    if (pool_submit(h->pool, &call->job, &err) == STATUS_OK) return;
    entry->due_ms = time_now_ms() + RETRY_MS;
    schedule_set(h->schedule, entry, NULL);
}

void work_release(struct schedule_entry *entry) { free(call_of(entry)); }

/* schedule.set(key, due_ms, module, func[, args]) -> true | nil, err
 * When due_ms (since 1970) has come, submits require(module)[func](args) as a background job of
 * this key. One moment per key: a later set replaces an earlier one. */
static int bind_schedule_set(lua_State *L) {
    luaL_checkstring(L, 1);
    lua_Integer due_ms = luaL_checkinteger(L, 2);
    struct host *host = state_host(L);
    if (!host->schedule) return no_server(L);
    struct call *call = check_call(L, 3, 4, 5, 1);
    call->entry = (struct schedule_entry){.key = call->job.key, .due_ms = due_ms};
    struct error err;
    if (schedule_set(host->schedule, &call->entry, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* schedule.clear(key) -> there was one */
static int bind_schedule_clear(lua_State *L) {
    struct schedule *schedule = state_host(L)->schedule;
    lua_pushboolean(L, schedule && schedule_clear(schedule, luaL_checkstring(L, 1)));
    return 1;
}

/* schedule.size() -> how many keys wait */
static int bind_schedule_size(lua_State *L) {
    struct schedule *schedule = state_host(L)->schedule;
    lua_pushinteger(L, schedule ? (lua_Integer)schedule_size(schedule) : 0);
    return 1;
}

// --- turns -----------------------------------------------------------------------------------

/* work.take(name, wait_ms) -> turn | nil, err
 * Waits until nobody else has the turn of this name; t:leave(), or the end of a <close>
 * variable, gives it up. busy: somebody still has it. */
static int bind_work_take(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    lua_Integer wait_ms = luaL_checkinteger(L, 2);
    struct turn **box = (struct turn **)box_new(L, TURN);
    struct error err;
    if (turn_take(name, (long)wait_ms, box, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int bind_turn_leave(lua_State *L) {
    struct turn **box = luaL_checkudata(L, 1, TURN);
    turn_leave(*box);
    *box = NULL;
    return 0;
}

int luaopen_runtime_work(lua_State *L) {
    static const luaL_Reg methods[] = {{"leave", bind_turn_leave}, {NULL, NULL}};
    box_class(L, TURN, methods, bind_turn_leave);
    static const luaL_Reg functions[] = {
        {"submit", bind_work_submit},
        {"cancel", bind_work_cancel},
        {"cancelled", bind_work_cancelled},
        {"check", bind_work_check},
        {"counts", bind_work_counts},
        {"take", bind_work_take},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}

int luaopen_runtime_schedule(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"set", bind_schedule_set},
        {"clear", bind_schedule_clear},
        {"size", bind_schedule_size},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
