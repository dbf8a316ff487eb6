/* model/past.h - the last values of one sequence, newest first.
 *
 *     now = past_now(p)      now[0]   now[1]   ...  now[keep - 1]
 *                            newest   one row       keep - 1 rows ago
 *                                     ago
 *
 * A loop over lags runs over contiguous memory: values are written downwards, and when the
 * bottom is reached the part that is kept moves back to the top, once in PAST_SLACK rows. */
#ifndef BLIP_MODEL_PAST_H
#define BLIP_MODEL_PAST_H

#include "base/error.h"
#include <stddef.h>

#define PAST_SLACK 256

/* Held by value; past_open() gives it memory, past_close() takes it away. */
struct past {
    size_t keep;    // values that can be looked at
    size_t newest;  // where the newest one lies
    float *values;  // [keep + PAST_SLACK]; zero where nothing was pushed yet
};

/* STATUS_NO_MEMORY leaves it closed. */
enum status past_open(struct past *p, size_t keep, struct error *err);
void past_close(struct past *p);  // fine on a zeroed one, fine twice

void past_push(struct past *p, float value);

/* The values by lag; good until the next push. */
static inline const float *past_now(const struct past *p) { return &p->values[p->newest]; }

/* Mean of the newest `rows` values. */
double past_mean(const struct past *p, size_t rows);

size_t past_bytes(const struct past *p);  // memory

#endif
