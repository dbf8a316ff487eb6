/* bind/bind.h - the modules that a worker's state knows: require "runtime.NAME" calls
 * luaopen_runtime_NAME(). A new binding is one line here and one line in modules.c. */
#ifndef BLIP_BIND_BIND_H
#define BLIP_BIND_BIND_H

#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

int luaopen_runtime_folder(lua_State *L);
int luaopen_runtime_frame(lua_State *L);
int luaopen_runtime_gather(lua_State *L);
int luaopen_runtime_host(lua_State *L);
int luaopen_runtime_memory(lua_State *L);
int luaopen_runtime_metric(lua_State *L);
int luaopen_runtime_schedule(lua_State *L);
int luaopen_runtime_work(lua_State *L);
int luaopen_runtime_job(lua_State *L);
int luaopen_runtime_json(lua_State *L);
int luaopen_runtime_kind_parts(lua_State *L);
int luaopen_runtime_log(lua_State *L);
int luaopen_runtime_render(lua_State *L);
int luaopen_runtime_model(lua_State *L);
int luaopen_runtime_model_parts(lua_State *L);
int luaopen_runtime_secret(lua_State *L);
int luaopen_runtime_season(lua_State *L);
int luaopen_runtime_socket(lua_State *L);
int luaopen_runtime_series(lua_State *L);
int luaopen_runtime_special(lua_State *L);
int luaopen_runtime_store(lua_State *L);
int luaopen_runtime_score_parts(lua_State *L);
int luaopen_runtime_residual(lua_State *L);
int luaopen_runtime_script(lua_State *L);
int luaopen_runtime_terminal(lua_State *L);
int luaopen_runtime_time(lua_State *L);
int luaopen_runtime_tree_parts(lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
