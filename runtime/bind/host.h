/* bind/host.h - what the Lua states of this process share. main's command owns it, and it
 * outlives every state. */
#ifndef BLIP_BIND_HOST_H
#define BLIP_BIND_HOST_H

#include "base/error.h"
#include <pthread.h>

struct store;
struct loop;
struct pool;
struct schedule;
struct folder_watch;

struct host {
    struct store *store;        // NULL where no command needs one
    struct loop *loop;          // NULL but in the server
    struct pool *pool;          // NULL but in the server
    struct schedule *schedule;  // NULL but in the server

    pthread_mutex_t lock;         // guards folder, config
    struct folder_watch *folder;  // the folder that is watched; NULL when none is
    char *config;                 // JSON of the configuration; NULL for the defaults
};

void host_init(struct host *h);
void host_free(struct host *h);  // frees what is its own: the configuration

/* Replaces the configuration by a copy of a text. STATUS_NO_MEMORY. */
enum status host_set_config(struct host *h, const char *config, struct error *err);

/* A copy of the configuration to free(); NULL when there is none. Any thread. */
char *host_config(struct host *h);

#endif
