/* bind/bind_secret.c - require "runtime.secret": passwords and keys
 *
 *     secret.hash(password) -> text | nil, err        takes long, see base/secret.h
 *     secret.is_hash(text) -> boolean
 *     secret.matches(hash, password) -> boolean | nil, err   takes long the first time; busy
 *     secret.digest(text) -> hex
 *     secret.equal(a, b) -> boolean                   in the same time for all of one size
 *     secret.token(bytes) -> text                     of that many random bytes, safe in URLs
 *     secret.save(path, text) -> true | nil, err      a file that its owner alone may read
 *     secret.encode64(text) -> base64
 *     secret.decode64(base64) -> text | nil           nil when it is none; padding may lack */
#include "base/secret.h"

#include "bind/bind.h"
#include "bind/box.h"
#include <lauxlib.h>

#define TOKEN_MAX 64

static int bind_secret_hash(lua_State *L) {
    size_t size;
    const char *password = luaL_checklstring(L, 1, &size);
    char hash[SECRET_HASH_SIZE];
    struct error err;
    if (secret_hash(password, size, hash, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushstring(L, hash);
    return 1;
}

static int bind_secret_is_hash(lua_State *L) {
    lua_pushboolean(L, secret_is_hash(luaL_checkstring(L, 1)));
    return 1;
}

static int bind_secret_matches(lua_State *L) {
    size_t size;
    const char *hash = luaL_checkstring(L, 1);
    const char *password = luaL_checklstring(L, 2, &size);
    bool matches;
    struct error err;
    if (secret_matches(hash, password, size, &matches, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushboolean(L, matches);
    return 1;
}

static int bind_secret_digest(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    char digest[SECRET_DIGEST_SIZE];
    secret_digest(text, size, digest);
    lua_pushstring(L, digest);
    return 1;
}

static int bind_secret_equal(lua_State *L) {
    size_t a_size, b_size;
    const char *a = luaL_checklstring(L, 1, &a_size);
    const char *b = luaL_checklstring(L, 2, &b_size);
    lua_pushboolean(L, secret_equal(a, a_size, b, b_size));
    return 1;
}

static int push_encoded(lua_State *L, const void *data, size_t size, bool for_url) {
    struct bytes *out = box_bytes(L);
    secret_encode64(data, size, for_url, out);
    box_push_bytes(L, out);
    return 1;
}

static int bind_secret_token(lua_State *L) {
    lua_Integer size = luaL_checkinteger(L, 1);
    luaL_argcheck(L, size > 0 && size <= TOKEN_MAX, 1, "must be 1 to 64");
    char random[TOKEN_MAX];
    secret_random(random, (size_t)size);
    return push_encoded(L, random, (size_t)size, true);
}

static int bind_secret_save(lua_State *L) {
    size_t size;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &size);
    struct error err;
    if (secret_save(path, text, size, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int bind_secret_encode64(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    return push_encoded(L, text, size, false);
}

static int bind_secret_decode64(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct bytes *out = box_bytes(L);
    if (!secret_decode64(text, size, out) && bytes_ok(out)) return 0;
    box_push_bytes(L, out);
    return 1;
}

int luaopen_runtime_secret(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"hash", bind_secret_hash},         {"is_hash", bind_secret_is_hash},
        {"matches", bind_secret_matches},   {"digest", bind_secret_digest},
        {"equal", bind_secret_equal},       {"token", bind_secret_token},
        {"save", bind_secret_save},         {"encode64", bind_secret_encode64},
        {"decode64", bind_secret_decode64}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
