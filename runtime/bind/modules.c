/* bind/modules.c - the table of runtime modules; see bind.h. */
#include "bind/modules.h"

#include "bind/bind.h"
#include <lauxlib.h>

static const luaL_Reg modules[] = {
    {"runtime.folder", luaopen_runtime_folder},
    {"runtime.frame", luaopen_runtime_frame},
    {"runtime.gather", luaopen_runtime_gather},
    {"runtime.host", luaopen_runtime_host},
    {"runtime.memory", luaopen_runtime_memory},
    {"runtime.metric", luaopen_runtime_metric},
    {"runtime.schedule", luaopen_runtime_schedule},
    {"runtime.work", luaopen_runtime_work},
    {"runtime.job", luaopen_runtime_job},
    {"runtime.json", luaopen_runtime_json},
    {"runtime.kind_parts", luaopen_runtime_kind_parts},
    {"runtime.log", luaopen_runtime_log},
    {"runtime.render", luaopen_runtime_render},
    {"runtime.model", luaopen_runtime_model},
    {"runtime.model_parts", luaopen_runtime_model_parts},
    {"runtime.secret", luaopen_runtime_secret},
    {"runtime.season", luaopen_runtime_season},
    {"runtime.socket", luaopen_runtime_socket},
    {"runtime.series", luaopen_runtime_series},
    {"runtime.special", luaopen_runtime_special},
    {"runtime.store", luaopen_runtime_store},
    {"runtime.score_parts", luaopen_runtime_score_parts},
    {"runtime.residual", luaopen_runtime_residual},
    {"runtime.script", luaopen_runtime_script},
    {"runtime.terminal", luaopen_runtime_terminal},
    {"runtime.time", luaopen_runtime_time},
    {"runtime.tree_parts", luaopen_runtime_tree_parts},
    {NULL, NULL},
};

void modules_preload(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
}
