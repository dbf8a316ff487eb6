/* job/frequency.h - in how many buckets a value of a partition occurred, for exclude_frequent.
 */
#ifndef BLIP_JOB_FREQUENCY_H
#define BLIP_JOB_FREQUENCY_H

#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An empty table is all zero. Partition and value are ids of texts. */
struct frequency {
    struct frequency_entry {
        uint32_t partition, value, buckets;  // 0 buckets: an empty place
        int64_t last_s;                      // start of the newest bucket that had it
    } * entries;
    size_t count, capacity;  // capacity: a power of two
};

void frequency_free(struct frequency *f);

/* Counts a bucket, once however often it is told. False when memory runs out. */
bool frequency_note(struct frequency *f, uint32_t partition, uint32_t value, int64_t bucket_s);

uint32_t frequency_buckets(const struct frequency *f, uint32_t partition, uint32_t value);

/* Forgets what was last seen before a time. */
void frequency_prune(struct frequency *f, int64_t before_s);

size_t frequency_size(const struct frequency *f);  // bytes

void frequency_save(const struct frequency *f, struct pack *out);
bool frequency_load(struct frequency *f, struct unpack *in);

#endif
