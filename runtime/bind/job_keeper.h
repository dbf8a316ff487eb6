/* bind/job_keeper.h - a table of Lua functions that keeps a job's spilled series:
 *     { put = function(number, bytes) -> true | nil, err,
 *       get = function(number) -> bytes | nil, err }
 * The job calls it from deep within; each call is a protected one, so that an error in Lua
 * comes back as a status. */
#ifndef BLIP_BIND_JOB_KEEPER_H
#define BLIP_BIND_JOB_KEEPER_H

#include "job/job.h"
#include <lua.h>

/* The keeper of one call of a binding; lives in its frame. */
struct job_lent {
    struct job_keeper keeper;
    lua_State *L;
    int at;  // index of the table
};

/* Pushes the table of the job at index 1, its first user value, and lends it to the job if
 * there is one. The caller takes it back with job_keep(job, NULL) before it returns. */
void job_lend_keeper(lua_State *L, struct job *job, struct job_lent *lent);

#endif
