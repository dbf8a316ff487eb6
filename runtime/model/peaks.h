/* model/peaks.h - the largest raw score that each scope has had lately.
 * A scope is what scores are compared within: a series, an influencer value, a whole job. It
 * is known by a 64-bit key. Scopes without any score above zero take no room.
 * Source: elastic-model, chapter 11 ("the largest raw score per scope"). */
#ifndef BLIP_MODEL_PEAKS_H
#define BLIP_MODEL_PEAKS_H

#include "base/error.h"
#include "model/pack.h"
#include <stddef.h>
#include <stdint.h>

#define PEAKS_PATIENCE 50  // buckets without a value until a scope is forgotten

struct peak {
    uint64_t key;
    double largest;  // 0 = a free place
    uint32_t idle;   // buckets since its last value
};

/* Held by value; all zero at first. peaks_free() frees what it holds. */
struct peaks {
    struct peak *slots;      // open addressing, linear probing
    size_t capacity, count;  // places: 0 or a power of two; scopes
};
void peaks_free(struct peaks *p);

/* The largest so far; 0 for a scope without one. */
double peaks_get(const struct peaks *p, uint64_t key);

/* A scope's new value, zero included: it keeps the scope from being forgotten.
 * STATUS_NO_MEMORY; nothing has changed then. */
enum status peaks_put(struct peaks *p, uint64_t key, double raw, struct error *err);

/* One bucket later: every peak is multiplied by `fade`; scopes without a value for too long
 * are forgotten. */
void peaks_age(struct peaks *p, double fade);

void peaks_save(const struct peaks *p, struct pack *to);
/* Fills empty peaks. STATUS_INVALID, STATUS_NO_MEMORY; they stay empty. */
enum status peaks_load(struct peaks *p, struct unpack *from, struct error *err);

#endif
