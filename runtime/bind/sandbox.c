/* bind/sandbox.c - see sandbox.h: the state, its limits, and the protected calls into it. */
#include "bind/sandbox.h"
#include "bind/sandbox_guard.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOOK_EVERY 100               // Lua instructions between two looks at the budget
#define LOOK_EVERY_NS 4000000        // between two looks at the processor's clock
#define MAX_RUN_BYTES (4u << 20)     // of what a script returns: definitions are small
#define MIN_MEMORY_BYTES (1u << 20)  // the library and the prelude need about 150 KB

enum spent { SPENT_NOTHING, SPENT_STEPS, SPENT_TIME };

struct sandbox {
    lua_State *L;
    struct sandbox_limits limits;
    size_t used_bytes;
    // the running call
    int64_t steps;       // left; negative once used up
    int64_t look_ns;     // monotonic time of the next look at the processor's clock
    int64_t cpu_end_ns;  // the thread's processor time that ends the call; 0 = not yet known
    enum spent spent;
    char source[LUA_IDSIZE];      // "@name" of the script that runs
    char where[LUA_IDSIZE + 16];  // "name:line: ", where the script was last seen
    // what the prelude returned, in the state's registry
    int environment, functions, finish;
};

static struct sandbox *sandbox_of(lua_State *L) {
    return *(struct sandbox **)lua_getextraspace(L);
}

// --- limits --------------------------------------------------------------------------------

/* The state's allocator. What is allocated is also charged, because one instruction can copy
 * megabytes; being refused is charged like a full collection, which Lua then makes. */
static void *allocate(void *context, void *block, size_t old_size, size_t size) {
    struct sandbox *s = context;
    if (!block) old_size = 0;  // Lua passes the kind of the new object here
    if (size == 0) {
        free(block);
        s->used_bytes -= old_size;
        return NULL;
    }
    if (size > old_size) {
        size_t others = s->used_bytes - old_size, limit = s->limits.memory_bytes;
        bool refused = others > limit || size > limit - others;
        s->steps -= (int64_t)((refused ? limit : size) / SANDBOX_BYTES_PER_STEP);
        if (refused) return NULL;
    }
    void *moved = realloc(block, size);
    if (!moved) return size <= old_size ? block : NULL;  // shrinking never fails
    s->used_bytes += size - old_size;
    return moved;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Has the thread worked for too long? The processor's clock is a system call: it is asked only
 * when some time has passed. */
static bool time_is_up(struct sandbox *s) {
    int64_t now = clock_ns(CLOCK_MONOTONIC_COARSE);
    if (now < s->look_ns) return false;
    s->look_ns = now + LOOK_EVERY_NS;
    int64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (s->cpu_end_ns == 0) s->cpu_end_ns = cpu + s->limits.cpu_ms * 1000000;
    return cpu > s->cpu_end_ns;
}

/* Notes "name:line: " when the activation record belongs to the script. */
static bool note_where(struct sandbox *s, lua_State *L, lua_Debug *record) {
    if (!lua_getinfo(L, "Sl", record) || record->currentline <= 0) return false;
    if (strcmp(record->source, s->source) != 0) return false;
    snprintf(s->where, sizeof s->where, "%s:%d: ", record->short_src, record->currentline);
    return true;
}

/* Notes where the script is, from inside a C function or the prelude; 0 when nowhere. */
static int script_line(struct sandbox *s, lua_State *L) {
    lua_Debug record;
    for (int level = 0; lua_getstack(L, level, &record); level++)
        if (note_where(s, L, &record)) return record.currentline;
    return 0;
}

static void check_budget(struct sandbox *s, lua_State *L) {
    if (s->spent == SPENT_NOTHING) {
        if (s->steps < 0)
            s->spent = SPENT_STEPS;
        else if (time_is_up(s))
            s->spent = SPENT_TIME;
    }
    if (s->spent != SPENT_NOTHING) luaL_error(L, "budget used up");
}

static void count_hook(lua_State *L, lua_Debug *record) {
    struct sandbox *s = sandbox_of(L);
    if (s->spent == SPENT_NOTHING) note_where(s, L, record);
    s->steps -= HOOK_EVERY;
    check_budget(s, L);
}

void sandbox_charge(lua_State *L, int64_t steps) {
    struct sandbox *s = sandbox_of(L);
    s->steps = steps > s->steps ? -1 : s->steps - steps;
    if (s->steps < 0 && s->spent == SPENT_NOTHING) script_line(s, L);
    check_budget(s, L);
}

int64_t sandbox_steps_left(lua_State *L) {
    int64_t steps = sandbox_of(L)->steps;
    return steps > 0 ? steps : 0;
}

bool sandbox_is_spent(lua_State *L) { return sandbox_of(L)->spent != SPENT_NOTHING; }

static void refill(struct sandbox *s) {
    s->steps = s->limits.steps;
    s->look_ns = s->cpu_end_ns = 0;
    s->spent = SPENT_NOTHING;
}

// --- protected calls -----------------------------------------------------------------------

/* What a call into the state needs, and why it failed when the state cannot say it itself. */
struct request {
    struct sandbox *s;
    const char *text;  // a script, or the name of a function
    size_t size;       // of the script; or how many texts the prelude has
    const struct sandbox_text *prelude;
    const struct parcel *args;
    struct parcel *results;
    struct error failure;
};

/* Turns what lua_pcall caught, on the top of the stack, into an error. */
static enum status explain(struct sandbox *s, int code, struct error *err) {
    if (s->spent == SPENT_STEPS)
        return fail(err, STATUS_TOO_LARGE, "%sused up its budget of %lld steps", s->where,
                    (long long)s->limits.steps);
    if (s->spent == SPENT_TIME)
        return fail(err, STATUS_TOO_LARGE, "%sused up its budget of %lld ms", s->where,
                    (long long)s->limits.cpu_ms);
    if (code == LUA_ERRMEM)
        return fail(err, STATUS_TOO_LARGE, "%sneeds more than %zu KB of memory", s->where,
                    s->limits.memory_bytes / 1024);
    if (lua_type(s->L, -1) == LUA_TSTRING)
        return fail(err, STATUS_INVALID, "%s", lua_tostring(s->L, -1));
    return fail(err, STATUS_INVALID, "%sraised a %s instead of a message", s->where,
                luaL_typename(s->L, -1));
}

/* Runs body(request) with a full budget; whatever it raises comes back as an error. */
static enum status protect(lua_CFunction body, struct request *request, struct error *err) {
    struct sandbox *s = request->s;
    refill(s);
    s->where[0] = '\0';
    request->failure.status = STATUS_OK;
    lua_pushcfunction(s->L, body);
    lua_pushlightuserdata(s->L, request);
    int code = lua_pcall(s->L, 1, 0, 0);
    enum status status = STATUS_OK;
    if (code != LUA_OK && request->failure.status != STATUS_OK)
        status = fail(err, request->failure.status, "%s", request->failure.reason);
    else if (code != LUA_OK)
        status = explain(s, code, err);
    lua_settop(s->L, 0);
    return status;
}

/* Packs the values from index to the top into the request's results. There is a limit because a
 * table that is named twice is packed twice. */
static void leave(lua_State *L, struct request *request, int index, size_t limit) {
    struct error *failure = &request->failure;
    request->results->limit = limit;
    for (int i = index; i <= lua_gettop(L); i++)
        if (parcel_put(request->results, L, i, failure) != STATUS_OK) lua_error(L);
}

static void load_text(lua_State *L, const char *text, size_t size, const char *source) {
    if (luaL_loadbufferx(L, text, size, source, "t") != LUA_OK) lua_error(L);
}

static int run_body(lua_State *L) {
    struct request *request = lua_touserdata(L, 1);
    struct sandbox *s = request->s;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->finish);
    load_text(L, request->text, request->size, s->source);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->environment);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, LUA_MULTRET);
    lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);  // below: the request and finish
    leave(L, request, 2, MAX_RUN_BYTES);
    return 0;
}

enum status sandbox_run(struct sandbox *s, const char *text, size_t size, const char *name,
                        struct parcel *results, struct error *err) {
    struct request request = {.s = s, .text = text, .size = size, .results = results};
    snprintf(s->source, sizeof s->source, "@%s", name);
    return protect(run_body, &request, err);
}

/* Pushes a function of the prelude by its name, or ends the request with not_found. */
static void push_function(lua_State *L, struct request *request) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, request->s->functions);
    lua_pushstring(L, request->text);
    if (lua_rawget(L, -2) != LUA_TFUNCTION) {
        fail(&request->failure, STATUS_NOT_FOUND, "the script has no function '%s'",
             request->text);
        lua_error(L);
    }
    lua_remove(L, -2);
}

static int call_body(lua_State *L) {
    struct request *request = lua_touserdata(L, 1);
    push_function(L, request);
    int count = parcel_take(request->args, L);
    lua_call(L, count, LUA_MULTRET);
    leave(L, request, 2, request->s->limits.memory_bytes);
    return 0;
}

enum status sandbox_call(struct sandbox *s, const char *function, const struct parcel *args,
                         struct parcel *results, struct error *err) {
    struct request request = {.s = s, .text = function, .args = args, .results = results};
    return protect(call_body, &request, err);
}

// --- one call per row ----------------------------------------------------------------------

struct map_request {
    struct request request;  // first: the body is given its address
    size_t inputs, rows;
    const char *const *names;
    const double *const *columns;
    double *out;
    bool (*stop)(void);
};

static void push_row(lua_State *L, const struct map_request *map, size_t row) {
    lua_createtable(L, 0, (int)map->inputs);
    for (size_t i = 0; i < map->inputs; i++) {
        if (isnan(map->columns[i][row])) continue;
        lua_pushnumber(L, map->columns[i][row]);
        lua_setfield(L, -2, map->names[i]);
    }
}

/* Reads what the function (at index 2) returned for a row. What is not finite counts as
 * missing: a model has no use for the logarithm of nothing. */
static double row_result(lua_State *L) {
    if (lua_isnil(L, -1)) return NAN;
    if (lua_type(L, -1) == LUA_TNUMBER) {
        double value = lua_tonumber(L, -1);
        return isfinite(value) ? value : NAN;
    }
    lua_Debug function;
    lua_pushvalue(L, 2);
    lua_getinfo(L, ">S", &function);
    luaL_error(L, "%s:%d: the function returned a %s instead of a number", function.short_src,
               function.linedefined, luaL_typename(L, -1));
    return NAN;
}

static int map_body(lua_State *L) {
    struct map_request *map = lua_touserdata(L, 1);
    struct request *request = &map->request;
    push_function(L, request);
    for (size_t row = 0; row < map->rows; row++) {
        if (map->stop && map->stop()) {
            fail(&request->failure, STATUS_CANCELLED, "cancelled at row %zu", row);
            return lua_error(L);
        }
        refill(request->s);
        lua_pushvalue(L, 2);
        push_row(L, map, row);
        lua_call(L, 1, 1);
        map->out[row] = row_result(L);
        lua_settop(L, 2);
    }
    return 0;
}

enum status sandbox_map(struct sandbox *s, const char *function, size_t inputs,
                        const char *const *names, const double *const *columns, size_t rows,
                        double *out, bool (*stop)(void), struct error *err) {
    struct map_request map = {.request = {.s = s, .text = function},
                              .inputs = inputs,
                              .rows = rows,
                              .names = names,
                              .columns = columns,
                              .out = out,
                              .stop = stop};
    return protect(map_body, &map.request, err);
}

// --- opening -------------------------------------------------------------------------------

/* here() -> the line of the script that called into the prelude; 0 when none did */
static int host_here(lua_State *L) {
    lua_pushinteger(L, script_line(sandbox_of(L), L));
    return 1;
}

/* span(f) -> the lines on which a function of the script begins and ends */
static int host_span(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_Debug function;
    lua_settop(L, 1);
    lua_getinfo(L, ">S", &function);
    lua_pushinteger(L, function.linedefined);
    lua_pushinteger(L, function.lastlinedefined);
    return 2;
}

/* The prelude alone gets `setmetatable`: a script that could set one would own __gc, and what
 * runs inside the collector no hook can stop. */
static int host_setmetatable(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int take_reference(lua_State *L, const char *key, int type) {
    if (lua_getfield(L, -1, key) != type) luaL_error(L, "the prelude returns no '%s'", key);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Runs one text of the prelude; replaces the value on the top, which it gets, by its result.
 * The library is at index 2, the host's functions are at index 3. */
static void run_prelude(lua_State *L, const struct sandbox_text *part) {
    char source[LUA_IDSIZE];
    snprintf(source, sizeof source, "@%s", part->name);
    load_text(L, part->text, part->size, source);
    lua_pushvalue(L, 2);
    lua_setupvalue(L, -2, 1);
    lua_insert(L, -2);
    lua_pushvalue(L, 3);
    lua_insert(L, -2);
    lua_call(L, 2, 1);
}

static int open_body(lua_State *L) {
    static const luaL_Reg host[] = {{"here", host_here}, {"span", host_span}, {NULL, NULL}};
    struct request *request = lua_touserdata(L, 1);
    struct sandbox *s = request->s;
    sandbox_open_library(L);
    lua_pushcfunction(L, host_setmetatable);
    lua_setfield(L, -2, "setmetatable");
    luaL_newlib(L, host);
    lua_pushnil(L);
    for (size_t i = 0; i < request->size; i++)
        run_prelude(L, &request->prelude[i]);
    luaL_checktype(L, -1, LUA_TTABLE);
    s->environment = take_reference(L, "environment", LUA_TTABLE);
    s->functions = take_reference(L, "functions", LUA_TTABLE);
    s->finish = take_reference(L, "finish", LUA_TFUNCTION);
    return 0;
}

/* Creates the state and runs the prelude in it. */
static enum status open_state(struct sandbox *s, struct request *request, struct error *err) {
    s->L = lua_newstate(allocate, s);
    if (!s->L) return fail(err, STATUS_NO_MEMORY, "no memory for a sandbox");
    *(struct sandbox **)lua_getextraspace(s->L) = s;
    lua_sethook(s->L, count_hook, LUA_MASKCOUNT, HOOK_EVERY);
    struct error problem;
    if (protect(open_body, request, &problem) == STATUS_OK) return STATUS_OK;
    return fail(err, STATUS_FAILED, "%s", problem.reason);
}

enum status sandbox_new(const struct sandbox_limits *limits, const struct sandbox_text *prelude,
                        size_t count, struct sandbox **out, struct error *err) {
    if (limits->memory_bytes < MIN_MEMORY_BYTES || limits->steps <= 0 || limits->cpu_ms <= 0)
        return fail(err, STATUS_INVALID, "a sandbox needs 1 MB, a step and a millisecond");
    struct sandbox *s = calloc(1, sizeof *s);
    if (!s) return fail(err, STATUS_NO_MEMORY, "no memory for a sandbox");
    s->limits = *limits;
    refill(s);
    struct request request = {.s = s, .prelude = prelude, .size = count};
    enum status status = open_state(s, &request, err);
    if (status == STATUS_OK)
        *out = s;
    else
        sandbox_free(s);
    return status;
}

void sandbox_free(struct sandbox *s) {
    if (!s) return;
    if (s->L) lua_close(s->L);
    free(s);
}

size_t sandbox_size_bytes(const struct sandbox *s) { return s->used_bytes; }
