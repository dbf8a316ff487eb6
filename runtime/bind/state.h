/* bind/state.h - a Lua state that knows Blip: the runtime modules and the way to lua/. */
#ifndef BLIP_BIND_STATE_H
#define BLIP_BIND_STATE_H

#include "base/error.h"
#include "bind/host.h"
#include <lua.h>

struct connection;

/* Where this program's Lua tree is: <prefix>/share/blip/lua beside an installed <prefix>/bin,
 * or lua/ of the source tree that was built in build/<preset>. Fills out [size].
 * STATUS_NOT_FOUND names the places that were looked at. */
enum status state_find_lua(char *out, size_t size, struct error *err);

/* Creates a state with the standard library, runtime.* and a package.path of lua/ alone.
 * STATUS_NOT_FOUND when lua/ is missing, STATUS_NO_MEMORY. state_free() frees it. */
enum status state_new(struct host *host, lua_State **out, struct error *err);
void state_free(lua_State *L);  // NULL is fine

/* What the state was created with. */
struct host *state_host(lua_State *L);

/* This state's own connection to the store, opened at its first use and closed with the state;
 * runtime.store hands it to Lua. STATUS_FAILED when the process has no store. */
enum status state_connection(lua_State *L, struct connection **out, struct error *err);

/* Stops the statement that the state's connection runs. Any thread, while the state lives. */
void state_interrupt(lua_State *L);

/* Calls the function below its `args` arguments, as lua_pcall() does, with a traceback for
 * errors that are texts: those are bugs. An error table goes through unchanged. */
int state_call(lua_State *L, int args, int results);

#endif
