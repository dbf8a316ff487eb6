/* bind/job_keeper.c - see job_keeper.h. */
#include "bind/job_keeper.h"

#include <lauxlib.h>

/* A keeper's call on its way through lua_pcall(): nothing may jump through the job's frames. */
struct keeping {
    lua_State *L;
    int keeper;  // index of its table
    const char *name;
    uint64_t number;
    const struct bytes *in;
    struct bytes *out;
    struct error *err;
    enum status status;
};

// What the function returned: bytes or true; nil and an error otherwise.
static enum status take_answer(lua_State *L, struct keeping *k) {
    if (!lua_toboolean(L, -2)) {
        const char *reason = lua_istable(L, -1) && lua_getfield(L, -1, "reason") == LUA_TSTRING
                                 ? lua_tostring(L, -1)
                                 : "nothing there";
        return fail(k->err, STATUS_FAILED, "spilled series %llu: %s",
                    (unsigned long long)k->number, reason);
    }
    if (!k->out) return STATUS_OK;
    size_t size;
    const char *bytes = luaL_checklstring(L, -2, &size);
    bytes_append(k->out, bytes, size);
    if (bytes_ok(k->out)) return STATUS_OK;
    return fail(k->err, STATUS_NO_MEMORY, "no memory for a spilled series");
}

static int call_keeper(lua_State *L) {
    struct keeping *k = lua_touserdata(L, 1);
    lua_getfield(L, 2, k->name);
    lua_pushinteger(L, (lua_Integer)k->number);
    if (k->in) lua_pushlstring(L, k->in->data, k->in->size);
    lua_call(L, k->in ? 2 : 1, 2);
    k->status = take_answer(L, k);
    return 0;
}

static enum status keep(struct keeping *k) {
    lua_State *L = k->L;
    if (!lua_checkstack(L, 8)) return fail(k->err, STATUS_NO_MEMORY, "no room on a stack");
    lua_pushcfunction(L, call_keeper);
    lua_pushlightuserdata(L, k);
    lua_pushvalue(L, k->keeper);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return k->status;
    const char *message = lua_tostring(L, -1);
    enum status status = fail(k->err, STATUS_FAILED, "spilled series %llu: %s",
                              (unsigned long long)k->number, message ? message : "an error");
    lua_pop(L, 1);
    return status;
}

static enum status put_series(void *context, uint64_t number, const struct bytes *series,
                              struct error *err) {
    struct job_lent *lent = context;
    return keep(
        &(struct keeping){lent->L, lent->at, "put", number, series, NULL, err, STATUS_FAILED});
}

static enum status get_series(void *context, uint64_t number, struct bytes *out,
                              struct error *err) {
    struct job_lent *lent = context;
    return keep(
        &(struct keeping){lent->L, lent->at, "get", number, NULL, out, err, STATUS_FAILED});
}

void job_lend_keeper(lua_State *L, struct job *job, struct job_lent *lent) {
    *lent = (struct job_lent){{lent, put_series, get_series}, L, 0};
    bool kept = lua_getiuservalue(L, 1, 1) == LUA_TTABLE;
    lent->at = lua_gettop(L);
    job_keep(job, kept ? &lent->keeper : NULL);
}
