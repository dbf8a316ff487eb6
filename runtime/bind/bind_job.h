/* bind/bind_job.h - what other bindings hand to Lua in the form of runtime.job. */
#ifndef BLIP_BIND_BIND_JOB_H
#define BLIP_BIND_BIND_JOB_H

#include "job/count.h"
#include <lua.h>

/* Pushes data counts as a table, its fields named as in the dialect, times in milliseconds. */
void bind_job_push_counts(lua_State *L, const struct data_counts *c);

#endif
