/* bind/bind_store.h - the store connection for other bindings. */
#ifndef BLIP_BIND_BIND_STORE_H
#define BLIP_BIND_BIND_STORE_H

#include "store/store.h"
#include <lua.h>

/* The open connection at an argument; raises when it is something else or closed. */
struct connection *bind_store_check(lua_State *L, int at);

/* Adds the methods for indices and documents to the table of a connection's methods, which is
 * at the top of the stack; see bind_index.c. */
void bind_index_methods(lua_State *L);

#endif
