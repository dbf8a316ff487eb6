/* bind/worker.h - what a worker of the pool owns: a Lua state with the routes loaded. */
#ifndef BLIP_BIND_WORKER_H
#define BLIP_BIND_WORKER_H

#include "bind/host.h"
#include <lua.h>

struct request;

/* The three functions of a pool's workers; the context is the struct host.
 * worker_open() fails with the reason that a script gave. */
enum status worker_open(void *host, void **worker, struct error *err);
void worker_close(void *worker);
void worker_interrupt(void *worker);

/* A worker's Lua state. */
lua_State *worker_state(void *worker);

/* Answers an HTTP request by blip.api.router. */
void worker_answer(void *worker, struct request *r);

#endif
