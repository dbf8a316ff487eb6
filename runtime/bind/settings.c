/* bind/settings.c - see settings.h. */
#include "bind/settings.h"

#include "bind/bind_json.h"
#include "bind/box.h"
#include "bind/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command_line {
    int count;
    char **args;
    struct settings *out;
};

// The fields below are there and of their type: blip.config has checked them.
static void text_field(lua_State *L, const char *name, char *out, size_t size) {
    lua_getfield(L, -1, name);
    const char *text = luaL_checkstring(L, -1);
    if (strlen(text) >= size)
        luaL_error(L, "'%s' is longer than %d bytes", name, (int)size - 1);
    snprintf(out, size, "%s", text);
    lua_pop(L, 1);
}

// As text_field(); empty when there is none.
static void opt_text_field(lua_State *L, const char *name, char *out, size_t size) {
    *out = 0;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_pop(L, 1);
        text_field(L, name, out, size);
        return;
    }
    lua_pop(L, 1);
}

static int64_t int_field(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    int64_t value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool has_field(lua_State *L, const char *name) {
    bool has = lua_getfield(L, -1, name) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

static void read_limits(lua_State *L, struct server_limits *limits) {
    lua_getfield(L, -1, "limits");
    *limits = (struct server_limits){
        .request_line_bytes = (size_t)int_field(L, "request_line"),
        .header_bytes = (size_t)int_field(L, "headers"),
        .body_bytes = (size_t)int_field(L, "body"),
        .unpacked_bytes = (size_t)int_field(L, "unpacked_body"),
        .connections = (unsigned)int_field(L, "connections"),
        .connections_per_address = (unsigned)int_field(L, "connections_per_address"),
        .header_ms = int_field(L, "header_time"),
        .body_ms = int_field(L, "body_time"),
        .idle_ms = int_field(L, "idle_time"),
        .request_ms = int_field(L, "request_time"),
        .slow_ms = int_field(L, "slow_request"),
    };
    lua_pop(L, 1);
}

// Reads the table at the top of the stack.
static void read_settings(lua_State *L, struct settings *s) {
    text_field(L, "host", s->host, sizeof s->host);
    text_field(L, "port", s->port, sizeof s->port);
    text_field(L, "data", s->data, sizeof s->data);
    opt_text_field(L, "tls_cert", s->tls_cert, sizeof s->tls_cert);
    opt_text_field(L, "tls_key", s->tls_key, sizeof s->tls_key);
    text_field(L, "log", s->log_format, sizeof s->log_format);
    text_field(L, "log_level", s->log_level, sizeof s->log_level);
    s->memory_bytes = (size_t)int_field(L, "memory");
    s->store_threads = (unsigned)int_field(L, "query_threads");
    s->workers = (unsigned)int_field(L, "threads");
    s->queue_max = (size_t)int_field(L, "queue");
    s->stop_ms = int_field(L, "stop_time");
    s->has_users = has_field(L, "security");
    read_limits(L, &s->limits);
    s->limits.named_only = s->has_users;
}

static void keep_json(lua_State *L, struct settings *s) {
    struct bytes *json = box_bytes(L);
    bind_json_append(L, -2, 0, json);
    bytes_append(json, "", 1);
    box_push_bytes(L, json);
    s->json = strdup(lua_tostring(L, -1));
    if (!s->json) luaL_error(L, "not enough memory for the configuration");
}

// require("blip.config").read(args) -> configuration | nil, err | text to print
static int read_config(lua_State *L) {
    const struct command_line *line = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "blip.config");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "read");
    lua_createtable(L, line->count, 0);
    for (int i = 0; i < line->count; i++) {
        lua_pushstring(L, line->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 1, 2);
    if (lua_isnil(L, -2)) return lua_error(L);
    lua_pop(L, 1);
    if (lua_isstring(L, -1)) return 1;
    read_settings(L, line->out);
    keep_json(L, line->out);
    return 0;
}

static enum status read_in(lua_State *L, struct command_line *line, struct error *err) {
    lua_pushcfunction(L, read_config);
    lua_pushlightuserdata(L, line);
    if (state_call(L, 1, 1) != LUA_OK) {
        if (lua_istable(L, -1)) lua_getfield(L, -1, "reason");
        return fail(err, STATUS_INVALID, "%s", luaL_tolstring(L, -1, NULL));
    }
    if (lua_isstring(L, -1)) fputs(lua_tostring(L, -1), stdout);
    return STATUS_OK;
}

enum status settings_read(int count, char **args, struct settings *out, struct error *err) {
    struct host host;
    lua_State *L;
    *out = (struct settings){0};
    host_init(&host);
    enum status status = state_new(&host, &L, err);
    if (status == STATUS_OK) {
        status = read_in(L, &(struct command_line){count, args, out}, err);
        state_free(L);
    }
    host_free(&host);
    if (status != STATUS_OK) settings_free(out);
    return status;
}

void settings_free(struct settings *s) {
    free(s->json);
    s->json = NULL;
}
