/* model/model_registry.h - model sets that outlive a job, each lent to one job at a time.
 *
 *     borrow ─▶ score ─▶ save ─▶ commit ─▶ give back        the next job finds it warm
 *                           └─▶ failure: free and drop      the next job finds none and
 *                                                           rebuilds it from its snapshot
 *
 * One lock guards the table; it is never held while a set works. */
#ifndef BLIP_MODEL_MODEL_REGISTRY_H
#define BLIP_MODEL_MODEL_REGISTRY_H

#include "model/model_set.h"

/* Takes the set of a key out. STATUS_NOT_FOUND when there is none, STATUS_BUSY while another
 * job has it. */
enum status model_registry_borrow(const char *key, struct model_set **out, struct error *err);

/* Hands a set over under a key: the registry owns it now. STATUS_CONFLICT (and the set stays
 * the caller's) when the key holds another one. */
enum status model_registry_give_back(const char *key, struct model_set *set, struct error *err);

/* Forgets a key: ends a loan whose set was freed, or frees a set that is at home. */
void model_registry_drop(const char *key);

size_t model_registry_size_bytes(void);  // of the sets that are at home

#endif
