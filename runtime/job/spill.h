/* job/spill.h - cold series move to a keeper and come back when something of them is seen.
 *
 *     used / allowed   0 ──────────── 0.7 ───────── 0.8 ─────── 1
 *                                      ◀── spill ────┘
 *
 * When a bucket has closed with more than 0.8 of what may be used in use, the series that were
 * unseen for longest go until 0.7 is left. A series that is kept has a number of its own, which
 * is never used again: a saved job finds what it knew, whatever was kept since. What has come
 * back is released by the caller once it has saved a job that knows so (job_take_released). */
#ifndef BLIP_JOB_SPILL_H
#define BLIP_JOB_SPILL_H

#include "base/bytes.h"
#include "base/error.h"
#include "model/pack.h"
#include <stddef.h>
#include <stdint.h>

/* Who keeps what is spilled: given from above, for the time of one operation. */
struct job_keeper {
    void *context;
    enum status (*put)(void *context, uint64_t number, const struct bytes *series,
                       struct error *err);
    /* Appends what was put under a number. */
    enum status (*get)(void *context, uint64_t number, struct bytes *out, struct error *err);
};

/* A series that is kept elsewhere. */
struct spilled {
    uint32_t feature, model;
    uint64_t number;  // under which it is kept
};

/* The spilled series of one detector, sorted by feature and model. All zero at first. */
struct spill {
    struct spilled *at;
    size_t count, capacity;
};

/* The entry of a series; NULL when it is not spilled. */
struct spilled *spill_find(const struct spill *s, uint32_t feature, uint32_t model);

/* Adds one that is not there; STATUS_NO_MEMORY. */
enum status spill_add(struct spill *s, const struct spilled *added, struct error *err);

void spill_remove(struct spill *s, struct spilled *entry);
void spill_clear(struct spill *s);

void spill_save(const struct spill *s, struct pack *p);
/* Reads into an empty one. STATUS_INVALID when the bytes are none or name models beyond `most`
 * or features beyond `features`, STATUS_NO_MEMORY. */
enum status spill_load(struct spill *s, size_t features, size_t most, struct unpack *u,
                       struct error *err);

#endif
