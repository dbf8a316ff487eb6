/* bind/bind_special.c - require "runtime.special": the functions of model/special.h under their
 * names without the prefix, special.ln_gamma_above(a, x) -> number, for specs. */
#include "bind/bind.h"
#include "model/special.h"
#include <lauxlib.h>

/* Binds special_NAME of one, two or three numbers as bind_NAME. */
#define BIND_1(name)                                                                           \
    static int bind_##name(lua_State *L) {                                                     \
        lua_pushnumber(L, special_##name(luaL_checknumber(L, 1)));                             \
        return 1;                                                                              \
    }
#define BIND_2(name)                                                                           \
    static int bind_##name(lua_State *L) {                                                     \
        lua_pushnumber(L, special_##name(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));     \
        return 1;                                                                              \
    }
#define BIND_3(name)                                                                           \
    static int bind_##name(lua_State *L) {                                                     \
        lua_pushnumber(L, special_##name(luaL_checknumber(L, 1), luaL_checknumber(L, 2),       \
                                         luaL_checknumber(L, 3)));                             \
        return 1;                                                                              \
    }

BIND_1(ln_gamma)
BIND_1(digamma)
BIND_1(trigamma)
BIND_2(ln_beta)
BIND_1(normal_below)
BIND_1(normal_above)
BIND_1(ln_normal_above)
BIND_1(normal_quantile)
BIND_1(normal_quantile_above)
BIND_1(ln_normal_quantile_above)
BIND_2(gamma_below)
BIND_2(gamma_above)
BIND_2(ln_gamma_below)
BIND_2(ln_gamma_above)
BIND_2(gamma_quantile)
BIND_2(gamma_quantile_above)
BIND_3(beta_below)
BIND_3(beta_above)
BIND_3(ln_beta_below)
BIND_3(beta_quantile)
BIND_2(t_below)
BIND_2(ln_t_above)
BIND_2(t_quantile)

static int bind_ln_beta_above(lua_State *L) {
    double x = luaL_checknumber(L, 3);
    lua_pushnumber(L, special_ln_beta_above(luaL_checknumber(L, 1), luaL_checknumber(L, 2), x,
                                            luaL_optnumber(L, 4, 1 - x)));
    return 1;
}

#define ENTRY(name)                                                                            \
    { #name, bind_##name }

int luaopen_runtime_special(lua_State *L) {
    static const luaL_Reg functions[] = {ENTRY(ln_gamma),
                                         ENTRY(digamma),
                                         ENTRY(trigamma),
                                         ENTRY(ln_beta),
                                         ENTRY(normal_below),
                                         ENTRY(normal_above),
                                         ENTRY(ln_normal_above),
                                         ENTRY(normal_quantile),
                                         ENTRY(normal_quantile_above),
                                         ENTRY(ln_normal_quantile_above),
                                         ENTRY(gamma_below),
                                         ENTRY(gamma_above),
                                         ENTRY(ln_gamma_below),
                                         ENTRY(ln_gamma_above),
                                         ENTRY(gamma_quantile),
                                         ENTRY(gamma_quantile_above),
                                         ENTRY(beta_below),
                                         ENTRY(beta_above),
                                         ENTRY(ln_beta_below),
                                         ENTRY(ln_beta_above),
                                         ENTRY(beta_quantile),
                                         ENTRY(t_below),
                                         ENTRY(ln_t_above),
                                         ENTRY(t_quantile),
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
