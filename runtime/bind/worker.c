/* bind/worker.c - see worker.h. A worker is its Lua state. */
#include "bind/worker.h"

#include "base/log.h"
#include "bind/state.h"
#include "net/request.h"
#include <lauxlib.h>

// Where the router's handle() waits in the registry.
static const char handler_key;

lua_State *worker_state(void *worker) { return worker; }

// Loads every route: require("blip.api.router").open() -> handle
static int load_routes(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "blip.api.router");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    lua_call(L, 0, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handler_key);
    return 0;
}

// The text of the error at the top of the stack.
static const char *reason_of(lua_State *L) {
    if (lua_istable(L, -1) && lua_getfield(L, -1, "reason") == LUA_TSTRING)
        return lua_tostring(L, -1);
    return luaL_tolstring(L, -1, NULL);
}

enum status worker_open(void *host, void **worker, struct error *err) {
    lua_State *L;
    enum status status = state_new(host, &L, err);
    if (status != STATUS_OK) return status;
    lua_pushcfunction(L, load_routes);
    if (state_call(L, 0, 0) != LUA_OK) {
        status = fail(err, STATUS_INVALID, "%s", reason_of(L));
        state_free(L);
        return status;
    }
    *worker = L;
    return STATUS_OK;
}

void worker_close(void *worker) { state_free(worker); }

void worker_interrupt(void *worker) { state_interrupt(worker); }

static void set_field(void *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

// { method =, uri =, headers = {}, body =, id =, remote = }
static void push_request(lua_State *L, const struct request *r) {
    lua_createtable(L, 0, 6);
    set_field(L, "method", r->method);
    set_field(L, "uri", r->uri);
    set_field(L, "remote", r->remote);
    lua_pushinteger(L, (lua_Integer)r->id);
    lua_setfield(L, -2, "id");
    lua_newtable(L);
    headers_each(&r->headers, set_field, L);
    lua_setfield(L, -2, "headers");
    if (r->has_body) {
        lua_pushlstring(L, r->body.data ? r->body.data : "", r->body.size);
        lua_setfield(L, -2, "body");
    }
}

// Adds a header whose value, or list of values, is at the top of the stack.
static void read_header(lua_State *L, const char *name, struct reply *reply) {
    if (lua_istable(L, -1)) {
        for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; lua_pop(L, 1), i++)
            headers_add(&reply->headers, name, luaL_checkstring(L, -1));
        lua_pop(L, 1);
    } else if (lua_isstring(L, -1)) {
        headers_add(&reply->headers, name, lua_tostring(L, -1));
    }
}

// Takes the headers from the table at an index.
static void read_headers(lua_State *L, int at, struct reply *reply) {
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING) read_header(L, lua_tostring(L, -2), reply);
}

// handle(request) -> status, headers, body; fills the reply.
static int answer(lua_State *L) {
    struct request *r = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handler_key);
    push_request(L, r);
    lua_call(L, 1, 3);
    size_t size;
    const char *body = luaL_checklstring(L, -1, &size);
    lua_Integer status = luaL_checkinteger(L, -3);
    if (status < 200 || status > 599) luaL_error(L, "a route answered with status %I", status);
    r->reply.status = (unsigned)status;
    read_headers(L, lua_gettop(L) - 1, &r->reply);
    bytes_append(&r->reply.body, body, size);
    return 0;
}

void worker_answer(void *worker, struct request *r) {
    lua_State *L = worker;
    lua_pushcfunction(L, answer);
    lua_pushlightuserdata(L, r);
    if (state_call(L, 1, 0) != LUA_OK) {
        log_event(LOG_LEVEL_ERROR, "answer_failed", log_text("uri", r->uri),
                  log_text("reason", reason_of(L)));
        reply_error(&r->reply, 500, "exception", "internal error, see the server's log");
    } else if (!bytes_ok(&r->reply.body)) {
        reply_error(&r->reply, 503, "circuit_breaking_exception",
                    "not enough memory for the answer");
    }
    lua_settop(L, 0);
}
