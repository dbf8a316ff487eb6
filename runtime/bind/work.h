/* bind/work.h - Lua calls as jobs: what the server needs of bind_work.c. */
#ifndef BLIP_BIND_WORK_H
#define BLIP_BIND_WORK_H

#include "bind/host.h"
#include "work/schedule.h"

/* The two functions of the server's schedule; the context is the struct host. */
void work_fire(void *host, struct schedule_entry *entry);
void work_release(struct schedule_entry *entry);

/* Submits require(module)[func](args) as a background job of the key `module.func`.
 * STATUS_BUSY, STATUS_NO_MEMORY. */
enum status work_submit(struct host *h, const char *module, const char *func, const char *args,
                        struct error *err);

/* Ends the watch of folder.watch(), if there is one: when the loop has stopped and drained. */
void folder_watch_free(struct host *h);

#endif
