/* bind/sandbox_guard.h - what the sandbox's own library may ask of its guard.
 * A C function of the library that can run longer than its argument list tells charges for it;
 * what a script can repeat without end is then always paid for. */
#ifndef BLIP_BIND_SANDBOX_GUARD_H
#define BLIP_BIND_SANDBOX_GUARD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#define SANDBOX_BYTES_PER_STEP 64  // copied or compared in about the time of one instruction

/* Takes steps from the budget of the running call. Raises when it is used up. */
void sandbox_charge(lua_State *L, int64_t steps);

/* Steps that are left, >= 0. */
int64_t sandbox_steps_left(lua_State *L);

/* Has the running call used up its budget? Its errors must then pass through every pcall. */
bool sandbox_is_spent(lua_State *L);

/* Pushes the table of harmless functions that the prelude gives words from; nothing else of
 * Lua's library stays reachable in the state. */
void sandbox_open_library(lua_State *L);

/* Pushes the string library, bounded, and locks the metatable of strings to it. */
void sandbox_open_string(lua_State *L);

/* Pushes a table with those of Lua's own functions that `open` opens and `names` lists,
 * NULL-terminated, each charged for the size of its arguments and results. */
void sandbox_open_charged(lua_State *L, lua_CFunction open, const char *const *names);

#endif
