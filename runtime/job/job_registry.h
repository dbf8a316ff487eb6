/* job/job_registry.h - open jobs that outlive a request, each lent to one worker at a time; see
 * base/shelf.h. */
#ifndef BLIP_JOB_JOB_REGISTRY_H
#define BLIP_JOB_JOB_REGISTRY_H

#include "job/job.h"

/* Takes the job of a key out. STATUS_NOT_FOUND when there is none, STATUS_BUSY while another
 * worker has it. */
enum status job_registry_borrow(const char *key, struct job **out, struct error *err);

/* Hands a job over under a key: the registry owns it now. STATUS_CONFLICT (and the job stays
 * the caller's) when the key holds another one. */
enum status job_registry_give_back(const char *key, struct job *job, struct error *err);

/* Forgets a key: ends a loan whose job was freed, or frees a job that is at home. */
void job_registry_drop(const char *key);

#endif
