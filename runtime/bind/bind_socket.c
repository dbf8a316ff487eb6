/* bind/bind_socket.c - require "runtime.socket": a blocking TCP client for specs and tools
 *
 *     socket.connect(host, port[, timeout_ms = 10000]) -> connection | nil, err
 *     c:send(text) -> true | nil, err
 *     c:receive([size = 65536]) -> text, "" when the other side has closed | nil, err
 *     c:shutdown()   no more will be sent
 *     c:close()      fine twice */
#include "net/socket.h"

#include "bind/bind.h"
#include "bind/box.h"
#include <lauxlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET "runtime.socket"

static int *check(lua_State *L) {
    int *fd = luaL_checkudata(L, 1, SOCKET);
    luaL_argcheck(L, *fd >= 0, 1, "the connection is closed");
    return fd;
}

static int bind_socket_connect(lua_State *L) {
    const char *host = luaL_checkstring(L, 1);
    const char *port = luaL_checkstring(L, 2);
    int timeout_ms = (int)luaL_optinteger(L, 3, 10000);
    int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
    *fd = -1;
    luaL_setmetatable(L, SOCKET);
    struct error err;
    if (socket_connect(host, port, timeout_ms, fd, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return 1;
}

static int bind_socket_send(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    struct error err;
    if (socket_send(*check(L), text, size, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int bind_socket_receive(lua_State *L) {
    int fd = *check(L);
    lua_Integer size = luaL_optinteger(L, 2, 65536);
    luaL_argcheck(L, size > 0, 2, "must be above 0");
    struct bytes *in = box_bytes(L);
    struct error err;
    if (socket_receive(fd, (size_t)size, in, &err) != STATUS_OK) return bind_fail(L, &err);
    box_push_bytes(L, in);
    return 1;
}

static int bind_socket_shutdown(lua_State *L) {
    shutdown(*check(L), SHUT_WR);
    return 0;
}

static int bind_socket_release(lua_State *L) {
    int *fd = luaL_checkudata(L, 1, SOCKET);
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return 0;
}

int luaopen_runtime_socket(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"send", bind_socket_send},
        {"receive", bind_socket_receive},
        {"shutdown", bind_socket_shutdown},
        {"close", bind_socket_release},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"connect", bind_socket_connect}, {NULL, NULL}};
    box_class(L, SOCKET, methods, bind_socket_release);
    luaL_newlib(L, functions);
    return 1;
}
