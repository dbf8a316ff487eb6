/* bind/state.c - see state.h. */
#include "bind/state.h"

#include "bind/modules.h"
#include "store/store.h"
#include "work/pool.h"
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Lua's extra space holds a pointer to this.
struct state {
    struct host *host;
    struct connection
        *_Atomic connection;  // NULL until it is asked for; others may interrupt it
};

static struct state *state_of(lua_State *L) { return *(struct state **)lua_getextraspace(L); }

struct host *state_host(lua_State *L) {
    return state_of(L)->host;
}

// Fills out with the folder of this program's file, without a slash at the end.
static bool program_folder(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length <= 0) return false;
    out[length] = 0;
    char *slash = strrchr(out, '/');
    if (slash) *slash = 0;
    return slash != NULL;
}

enum status state_find_lua(char *out, size_t size, struct error *err) {
    static const char *const places[] = {"../share/blip/lua", "../../lua"};
    char folder[PATH_MAX / 2], place[PATH_MAX], found[PATH_MAX];
    if (!program_folder(folder, sizeof folder))
        return fail(err, STATUS_NOT_FOUND, "cannot tell where this program's file is");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(place, sizeof place, "%s/%s/blip", folder, places[i]);
        if (!realpath(place, found)) continue;
        *strrchr(found, '/') = 0;
        if (strlen(found) >= size)
            return fail(err, STATUS_NOT_FOUND, "the path of %s is too long", found);
        memcpy(out, found, strlen(found) + 1);
        return STATUS_OK;
    }
    return fail(err, STATUS_NOT_FOUND, "no Lua tree in %s/%s nor in %s/%s", folder, places[0],
                folder, places[1]);
}

static void set_path(lua_State *L, const char *lua) {
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", lua, lua);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

// Fills a fresh state; runs protected, because every step may lack memory.
static int prepare(lua_State *L) {
    luaL_openlibs(L);
    modules_preload(L);
    set_path(L, lua_touserdata(L, 1));
    return 0;
}

enum status state_new(struct host *host, lua_State **out, struct error *err) {
    char lua[PATH_MAX];
    enum status status = state_find_lua(lua, sizeof lua, err);
    if (status != STATUS_OK) return status;

    struct state *state = calloc(1, sizeof *state);
    lua_State *L = state ? luaL_newstate() : NULL;
    if (!L) {
        free(state);
        return fail(err, STATUS_NO_MEMORY, "not enough memory for a Lua state");
    }
    state->host = host;
    *(struct state **)lua_getextraspace(L) = state;
    lua_pushcfunction(L, prepare);
    lua_pushlightuserdata(L, lua);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        status = fail(err, STATUS_NO_MEMORY, "Lua state: %s", lua_tostring(L, -1));
        state_free(L);
        return status;
    }
    *out = L;
    return STATUS_OK;
}

void state_free(lua_State *L) {
    if (!L) return;
    struct state *state = state_of(L);
    lua_close(L);
    connection_close(state->connection);
    free(state);
}

void state_interrupt(lua_State *L) {
    struct connection *connection = state_of(L)->connection;
    if (connection) connection_interrupt(connection);
}

static bool watch_job(void *context) {
    (void)context;
    return pool_job_cancelled();
}

static enum status open_connection(struct state *state, struct error *err) {
    struct connection *connection;
    enum status status = connection_open(state->host->store, &connection, err);
    if (status != STATUS_OK) return status;
    connection_watch(connection, watch_job, NULL);
    state->connection = connection;
    return STATUS_OK;
}

enum status state_connection(lua_State *L, struct connection **out, struct error *err) {
    struct state *state = state_of(L);
    if (!state->host->store) return fail(err, STATUS_FAILED, "this process has no store open");
    if (!state->connection) {
        enum status status = open_connection(state, err);
        if (status != STATUS_OK) return status;
    }
    *out = state->connection;
    return STATUS_OK;
}

// The message handler: a text is a bug's, so it gets a traceback.
static int add_traceback(lua_State *L) {
    if (lua_type(L, 1) == LUA_TSTRING) luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

int state_call(lua_State *L, int args, int results) {
    int handler = lua_gettop(L) - args;
    lua_pushcfunction(L, add_traceback);
    lua_insert(L, handler);
    int status = lua_pcall(L, args, results, handler);
    lua_remove(L, handler);
    return status;
}
